import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { projectFolder } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { scriptedKeyring } from '../test/scripted-keyring.ts'
import { setKeyring } from './keyring.ts'

type Body = { [key: string]: any }
type Path = (string | number)[]

const recorded = JSON.parse(readFileSync(join(projectFolder, 'server/fediverse/recorded/deliveries.json'), 'utf8')) as {
  delivered: { body: Body }[]
}
let site: TestInstance
let peer: HostilePeer
let alice: HostileActor
const rejections: unknown[] = []
const recordRejection = (reason: unknown) => {
  rejections.push(reason)
}

beforeAll(async () => {
  site = await startTestInstance({
    federation: { inbox: { per_host: { max: 1_000_000 }, concurrency: 4 } },
    internals: { inbox: { viewsInterval: 50, attempts: 1 }, fetch: { timeout: 1000 } }
  })
  peer = await startHostilePeer()
  alice = await peer.actor('alice')
  const keyring = scriptedKeyring()
  keyring.knows(alice)
  setKeyring(keyring)
  process.on('unhandledRejection', recordRejection)
})
afterAll(async () => {
  process.off('unhandledRejection', recordRejection)
  await Promise.all([site?.stop(), peer?.stop()])
})

/** Returns one recorded activity of each type, as if alice sent it from her host to this instance. */
function samples(): Body[] {
  const kinds = new Map<string, Body>()
  for (const { body } of recorded.delivered) {
    const kind = `${body.type}(${body.object?.type ?? ''})`
    if (!kinds.has(kind)) kinds.set(kind, body)
  }
  return [...kinds.values()].map(body => {
    const text = JSON.stringify({ ...body, signature: undefined })
      .replaceAll(body.actor, alice.url)
      .replaceAll('http://127.0.0.1:9001', peer.url)
      .replaceAll('http://127.0.0.1:7790', site.url)
    return JSON.parse(text) as Body
  })
}

function paths(value: unknown, prefix: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = [...prefix, Array.isArray(value) ? Number(key) : key]
    return [path, ...paths(inner, path)]
  })
}

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = level % 2 ? [value] : { id: value }
  return value
}

const ODD_VALUES = [
  null,
  -1,
  1e308,
  [],
  {},
  '',
  'x'.repeat(70_000),
  nested(20),
  nested(60),
  [[null]],
  { id: null, type: [] },
  'http://[',
  ' ',
  true,
  { '@value': 1 },
  Array(600).fill('https://x.example/'),
  '\u0000',
  '\ud800'
]

it('every field replaced by odd values is refused or ignored, without a server error', async () => {
  const activities = samples()
  expect(activities.length).toBeGreaterThan(18)
  let index = 0
  const requests: Body[] = []
  for (const activity of activities) {
    for (const path of paths(activity).filter(one => one[0] !== '@context')) {
      // Each field gets the next two odd values.
      for (const _ of [1, 2]) {
        const changed = structuredClone(activity)
        const parent = path.slice(0, -1).reduce((inner, key) => inner[key], changed)
        parent[path.at(-1)!] = ODD_VALUES[index++ % ODD_VALUES.length]
        if (path[0] !== 'id') changed.id = peer.id()
        requests.push(changed)
      }
    }
  }
  const statuses = new Map<number, number>()
  const postRequests = async () => {
    for (let activity = requests.pop(); activity; activity = requests.pop()) {
      const { status, text } = await peer.post(`${site.url}/inbox`, activity, { as: alice })
      expect(status, `${text} ${JSON.stringify(activity).slice(0, 500)}`).toBeLessThan(500)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  await Promise.all([...Array(8)].map(postRequests))
  expect(statuses.get(202)).toBeGreaterThan(500)
  expect(statuses.get(400)).toBeGreaterThan(20)
  await eventually(async () => (await runQuery(sql`SELECT id FROM incoming WHERE done_at IS NULL LIMIT 1`)).length === 0, 60, 'the inbox')
  const programmingErrors = await runQuery<{ type: string; outcome: string }>(sql`
    SELECT DISTINCT type, outcome FROM incoming
      WHERE outcome ~* 'cannot|is not a|not iterable|undefined|syntax|violates|invalid byte|out of range|too long|unexpected|numeric|stack|surrogate'`)
  expect(programmingErrors).toEqual([])
  expect(rejections).toEqual([])
  expect((await site.call('GET /videos')).status).toBe(200)
}, 120_000)
