import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { config } from '../core/config.ts'
import { redis } from '../core/redis.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { withTestDatabase, eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { scriptedKeyring } from '../test/scripted-keyring.ts'
import { setKeyring } from './keyring.ts'
import { onActivity } from './activity-handlers.ts'

let site: TestInstance
let peer: HostilePeer
let alice: HostileActor
const processedCount = new Map<string, number>()
beforeAll(async () => {
  site = await startTestInstance({
    federation: { inbox: { per_host: { max: 100_000 } } },
    internals: { inbox: { lease: 1000, checkInterval: 200, retryDelay: 50, attempts: 1000 } }
  })
  peer = await startHostilePeer()
  alice = await peer.actor('alice')
  const keyring = scriptedKeyring()
  keyring.knows(alice)
  setKeyring(keyring)
  onActivity('Tell', async ({ id }) => {
    // Handlers query the database.
    await runQuery(sql`SELECT pg_sleep(0.01)`)
    processedCount.set(id, (processedCount.get(id) ?? 0) + 1)
    return true
  })
})
afterAll(async () => await Promise.all([site?.stop(), peer?.stop()]))

/** Terminates all connections to the database, as its restart does. */
async function terminateConnections(): Promise<void> {
  await withTestDatabase(
    async client => await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [config.database.name])
  )
}

/** Deletes all keys of this instance in Redis. */
async function wipeRedis(): Promise<void> {
  const keys = await redis.keys(`${config.redis.prefix}:*`)
  if (keys.length > 0) await redis.del(...keys)
}

/** Posts an activity again and again until it is accepted. Returns the statuses. */
async function postUntilAccepted(activity: object): Promise<number[]> {
  const statuses: number[] = []
  for (;;) {
    const { status } = await peer.post(`${site.url}/inbox`, activity as never)
    statuses.push(status)
    if (status === 202) return statuses
    await sleep(50)
  }
}

it('every activity answered with 202 is processed, although Postgres restarts and Redis is wiped meanwhile', async () => {
  const activities = [...Array(600).keys()].map(number => ({
    id: peer.id(),
    type: 'Tell',
    actor: alice.url,
    object: `${site.url}/videos/watch/${number % 50}`
  }))
  const waiting = [...activities]
  const statuses = new Set<number>()
  let finished = false
  const faults = (async () => {
    for (let round = 0; !finished; round++) {
      await sleep(250)
      if (round % 2 === 0) await terminateConnections()
      else await wipeRedis()
    }
  })()
  await Promise.all(
    [...Array(12)].map(async () => {
      for (let activity = waiting.pop(); activity; activity = waiting.pop())
        for (const status of await postUntilAccepted(activity)) statuses.add(status)
    })
  )
  finished = true
  await faults
  await eventually(
    async () => {
      const [row] = await runQuery<{ waiting: number }>(sql`SELECT count(*)::int AS waiting FROM incoming WHERE done_at IS NULL`).catch(
        () => [{ waiting: 1 }]
      )
      return row!.waiting === 0
    },
    30,
    'the inbox'
  )
  // The sender is only told to retry, never that its request is wrong.
  expect([...statuses].filter(status => status !== 202 && status !== 503)).toEqual([])
  const outcomes = await runQuery<{ outcome: string; count: number }>(
    sql`SELECT outcome, count(*)::int AS count FROM incoming GROUP BY outcome`
  )
  expect(outcomes).toEqual([{ outcome: 'done', count: 600 }])
  expect(processedCount.size).toBe(600)
  // At least once; more than once only activities in progress when the database went away.
  expect([...processedCount.values()].filter(times => times > 1).length).toBeLessThan(200)
})
