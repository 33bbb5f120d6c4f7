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

// Without a worker, so that stored activities stay waiting.
beforeAll(async () => {
  site = await startTestInstance(
    {
      federation: { inbox: { per_host: { window: '2 seconds', max: 40 }, max_waiting: 100 } },
      internals: { inbox: { checkInterval: 200 } }
    },
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
afterAll(async () => await Promise.all([site, ...peers].map(async service => await service?.stop())))

const postLike = async (peerIndex: number, overrides: object = {}, options: HostileRequestOptions = {}) => {
  const [peer, actor] = [peers[peerIndex]!, actors[peerIndex]!]
  return await peer.post(
    `${site.url}/inbox`,
    { id: peer.id(), type: 'Like', actor: actor.url, object: `${site.url}/videos/watch/1`, ...overrides },
    options
  )
}
const countStatus = (responses: { status: number }[], status: number) => responses.filter(response => response.status === status).length
const sleep = async (ms: number) => await new Promise(resolve => setTimeout(resolve, ms))

it('too many requests from one host get 429 with Retry-After, other hosts are not affected', { retry: 3 }, async () => {
  // Starts at the beginning of a rate limit window; the test is retried if the window ends during it.
  await sleep(2000)
  await postLike(1)
  const startedAt = Date.now()
  const responses = await Promise.all([...Array(80)].map(async () => await postLike(0)))
  expect(countStatus(responses, 202)).toBe(40)
  expect(countStatus(responses, 429)).toBe(40)
  const refused = responses.find(service => service.status === 429)!
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1)
  expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(2)
  expect((await postLike(1)).status).toBe(202)
  expect((await site.call('GET /videos')).status).toBe(200)
  expect(Date.now() - startedAt).toBeLessThan(1900)
  await eventually(async () => (await postLike(0)).status === 202, 5, 'the window to end')
})

it('unsigned requests do not count against the host of other requests', async () => {
  await sleep(2000)
  const unsigned = await Promise.all([...Array(60)].map(async () => await postLike(2, {}, { as: null })))
  expect(countStatus(unsigned, 401)).toBe(60)
  expect((await postLike(2)).status).toBe(202)
})

it('a Delete of unknown actors fetches no key and stores nothing', async () => {
  await sleep(2000)
  const before = keyring.asked.length
  const [row] = await runQuery<{ count: number }>(sql`SELECT count(*)::int AS count FROM incoming`)
  const responses = await Promise.all(
    [...Array(35).keys()].map(async number => {
      const unknownActor = `${peers[3]!.url}/accounts/gone${number}`
      return await postLike(
        3,
        { type: 'Delete', actor: unknownActor, object: number % 2 ? unknownActor : { type: 'Person', id: unknownActor } },
        { as: actors[3], keyId: `${unknownActor}#main-key` }
      )
    })
  )
  expect(countStatus(responses, 202)).toBe(35)
  expect(keyring.asked.length).toBe(before)
  expect(peers[3]!.asked).toEqual([])
  expect((await runQuery<{ count: number }>(sql`SELECT count(*)::int AS count FROM incoming`))[0]!.count).toBe(row!.count)
})

it('more waiting activities than allowed are answered with 429 until there is capacity again', async () => {
  await sleep(2000)
  const responses = (
    await Promise.all([0, 1, 2].map(async host => await Promise.all([...Array(38)].map(async () => await postLike(host)))))
  ).flat()
  expect(countStatus(responses, 429)).toBeGreaterThan(0)
  const [{ waiting }] = (await runQuery<{ waiting: number }>(sql`SELECT count(*)::int AS waiting FROM incoming WHERE done_at IS NULL`)) as [
    { waiting: number }
  ]
  expect(waiting).toBeLessThanOrEqual(100)
  expect((await site.call('GET /videos')).status).toBe(200)
  await runQuery(sql`UPDATE incoming SET done_at = now(), outcome = 'done'`)
  await eventually(async () => (await postLike(3)).status === 202, 5, 'room')
})

it('the number of remembered senders is bounded', async () => {
  await sleep(2000)
  const before = process.memoryUsage().heapUsed
  let refused = 0
  for (let number = 0; number < 200_000; number++) {
    try {
      enforceSenderRateLimit({ host: `sender ${number}` })
    } catch (error) {
      if (!(error instanceof RejectedRequestError) || error.status !== 429) throw error
      refused++
    }
  }
  // A window counts at most as many senders as activities may wait.
  expect(refused).toBeGreaterThan(190_000)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * 2 ** 20)
  await sleep(2100)
  expect((await postLike(0)).status).toBe(202)
})
