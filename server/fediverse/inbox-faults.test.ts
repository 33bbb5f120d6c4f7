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
const heard = new Map<string, number>()
beforeAll(async () => {
  site = await startTestInstance({
    federation: { inbox: { lease: '1 second', check_interval: '200 ms', retry_delay: '50 ms', attempts: 1000, per_host: { max: 100_000 } } }
  })
  peer = await startHostilePeer()
  alice = await peer.actor('alice')
  const keyring = scriptedKeyring()
  keyring.knows(alice)
  setKeyring(keyring)
  onActivity('Tell', async ({ id }) => {
    // As a listener does: something is asked of the database.
    await runQuery(sql`SELECT pg_sleep(0.01)`)
    heard.set(id, (heard.get(id) ?? 0) + 1)
    return true
  })
})
afterAll(async () => await Promise.all([site?.stop(), peer?.stop()]))

/** Ends every connection to the database, as a restart of it does. */
async function dropConnections(): Promise<void> {
  await withTestDatabase(
    async client => await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [config.database.name])
  )
}

/** Throws away what this instance has in Redis. */
async function wipeRedis(): Promise<void> {
  const keys = await redis.keys(`${config.redis.prefix}:*`)
  if (keys.length > 0) await redis.del(...keys)
}

/** Posts it as a server does that gives up nothing. */
async function insist(activity: object): Promise<number[]> {
  const statuses: number[] = []
  for (;;) {
    const { status } = await peer.post(`${site.url}/inbox`, activity as never)
    statuses.push(status)
    if (status === 202) return statuses
    await sleep(50)
  }
}

it('whatever was answered with 202 is acted on, though Postgres restarts and Redis is wiped in the middle', async () => {
  const activities = [...Array(600).keys()].map(number => ({
    id: peer.id(),
    type: 'Tell',
    actor: alice.url,
    object: `${site.url}/videos/watch/${number % 50}`
  }))
  const waiting = [...activities]
  const statuses = new Set<number>()
  let over = false
  const faults = (async () => {
    for (let turn = 0; !over; turn++) {
      await sleep(250)
      if (turn % 2 === 0) await dropConnections()
      else await wipeRedis()
    }
  })()
  await Promise.all(
    [...Array(12)].map(async () => {
      for (let activity = waiting.pop(); activity; activity = waiting.pop())
        for (const status of await insist(activity)) statuses.add(status)
    })
  )
  over = true
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
  // The sender is told to come again, never that something is wrong with what it sends.
  expect([...statuses].filter(status => status !== 202 && status !== 503)).toEqual([])
  const outcomes = await runQuery<{ outcome: string; count: number }>(
    sql`SELECT outcome, count(*)::int AS count FROM incoming GROUP BY outcome`
  )
  expect(outcomes).toEqual([{ outcome: 'done', count: 600 }])
  expect(heard.size).toBe(600)
  // At least once; more than once only what was in hand when the database went.
  expect([...heard.values()].filter(times => times > 1).length).toBeLessThan(200)
})
