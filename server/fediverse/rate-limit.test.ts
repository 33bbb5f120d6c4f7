import { afterAll, beforeAll, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor, type HostileRequestOptions } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { scriptedKeyring, type ScriptedKeyring } from '../test/scripted-keyring.ts'
import { enforceSenderRateLimit } from './rate-limit.ts'
import { setKeyring } from './keyring.ts'
import { RejectedRequestError } from './rejected-request.ts'

let site: TestInstance
let keyring: ScriptedKeyring
const peers: HostilePeer[] = []
const actors: HostileActor[] = []

// Without a worker: what is stored stays waiting.
beforeAll(async () => {
  site = await startTestInstance(
    { federation: { inbox: { per_host: { window: '2 seconds', max: 40 }, max_waiting: 100, check_interval: '200 ms' } } },
    ['web']
  )
  keyring = scriptedKeyring()
  setKeyring(keyring)
  for (const _ of [1, 2, 3, 4]) {
    const peer = await startHostilePeer()
    const actor = await peer.actor('alice')
    keyring.knows(actor)
    peers.push(peer)
    actors.push(actor)
  }
})
afterAll(async () => await Promise.all([site, ...peers].map(async one => await one?.stop())))

const send = async (number: number, more: object = {}, way: HostileRequestOptions = {}) => {
  const [peer, actor] = [peers[number]!, actors[number]!]
  return await peer.post(
    `${site.url}/inbox`,
    { id: peer.id(), type: 'Like', actor: actor.url, object: `${site.url}/videos/watch/1`, ...more },
    way
  )
}
const having = (answers: { status: number }[], status: number) => answers.filter(one => one.status === status).length
const pause = async (ms: number) => await new Promise(resolve => setTimeout(resolve, ms))

it('a flood from one host is answered with 429 and when to come again, and keeps no other host out', { retry: 3 }, async () => {
  // At the beginning of a window of counting; where it ends in between, it is done again.
  await pause(2000)
  await send(1)
  const began = Date.now()
  const flood = await Promise.all([...Array(80)].map(async () => await send(0)))
  expect(having(flood, 202)).toBe(40)
  expect(having(flood, 429)).toBe(40)
  const refused = flood.find(one => one.status === 429)!
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1)
  expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(2)
  expect((await send(1)).status).toBe(202)
  expect((await site.call('GET /videos')).status).toBe(200)
  expect(Date.now() - began).toBeLessThan(1900)
  await eventually(async () => (await send(0)).status === 202, 5, 'the window to end')
})

it('what is not even signed does not count against anybody else', async () => {
  await pause(2000)
  const unsigned = await Promise.all([...Array(60)].map(async () => await send(2, {}, { as: null })))
  expect(having(unsigned, 401)).toBe(60)
  expect((await send(2)).status).toBe(202)
})

it('that strangers are gone costs no question and no room', async () => {
  await pause(2000)
  const before = keyring.asked.length
  const [row] = await runQuery<{ count: number }>(sql`SELECT count(*)::int AS count FROM incoming`)
  const answers = await Promise.all(
    [...Array(35).keys()].map(async number => {
      const stranger = `${peers[3]!.url}/accounts/gone${number}`
      return await send(
        3,
        { type: 'Delete', actor: stranger, object: number % 2 ? stranger : { type: 'Person', id: stranger } },
        { as: actors[3], keyId: `${stranger}#main-key` }
      )
    })
  )
  expect(having(answers, 202)).toBe(35)
  expect(keyring.asked.length).toBe(before)
  expect(peers[3]!.asked).toEqual([])
  expect((await runQuery<{ count: number }>(sql`SELECT count(*)::int AS count FROM incoming`))[0]!.count).toBe(row!.count)
})

it('more than this instance keeps waiting is answered with 429, until there is room again', async () => {
  await pause(2000)
  const answers = (
    await Promise.all([0, 1, 2].map(async host => await Promise.all([...Array(38)].map(async () => await send(host)))))
  ).flat()
  expect(having(answers, 429)).toBeGreaterThan(0)
  const [{ waiting }] = (await runQuery<{ waiting: number }>(sql`SELECT count(*)::int AS waiting FROM incoming WHERE done_at IS NULL`)) as [
    { waiting: number }
  ]
  expect(waiting).toBeLessThanOrEqual(100)
  expect((await site.call('GET /videos')).status).toBe(200)
  await runQuery(sql`UPDATE incoming SET done_at = now(), outcome = 'done'`)
  await eventually(async () => (await send(3)).status === 202, 5, 'room')
})

it('senders that never were are not remembered', async () => {
  await pause(2000)
  const before = process.memoryUsage().heapUsed
  let refused = 0
  for (let number = 0; number < 200_000; number++) {
    try {
      enforceSenderRateLimit(`sender ${number}`)
    } catch (error) {
      if (!(error instanceof RejectedRequestError) || error.status !== 429) throw error
      refused++
    }
  }
  // At most as many are counted in a window as activities may wait.
  expect(refused).toBeGreaterThan(190_000)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * 2 ** 20)
  await pause(2100)
  expect((await send(0)).status).toBe(202)
})
