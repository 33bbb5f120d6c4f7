import { setTimeout as sleep } from 'node:timers/promises'
import type { Transaction } from 'sequelize'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestInstance, withTestDatabase, type TestInstance } from '../test/instance.ts'
import { config } from './config.ts'
import { foldChangeCounts, getCachedOrCompute } from './versioned-cache.ts'
import { runQuery, sql } from './sql.ts'
import { transaction } from './transaction.ts'

/** Tables without trigger: inbox, outbox, encoding chunks, uploads that arrive and sessions never show in a cached response. */
const TABLES_WITHOUT_TRIGGER = [
  'changes',
  'comment_removals',
  'deliveries',
  'encoding_chunks',
  'encoding_splits',
  'incoming',
  'ineffective_activities',
  'migrations',
  'oauth_tokens',
  'object_refreshes',
  'outgoing',
  'peers',
  'processed_activities',
  'rate_limit_refusals',
  'tombstones',
  'upload_reservations',
  'uploads',
  'uptime'
]

let site: TestInstance
beforeAll(async () => {
  site = await startTestInstance({}, ['web'])
})
afterAll(async () => await site?.stop())

let computations = 0
const isCached = async () => {
  const before = computations
  await getCachedOrCompute('an answer', async () => ({ length: ++computations }))
  return computations === before
}
const changeDescriptions = async (name: string) => await runQuery(sql`UPDATE accounts SET description = ${name}`)

it('an entry is valid until a visible change commits', async () => {
  await isCached()
  expect(await isCached()).toBe(true)
  await changeDescriptions('one')
  expect([await isCached(), await isCached()]).toEqual([false, true])
  // Many concurrent changes, some of them rolled back.
  await Promise.all(
    Array.from(
      { length: 20 },
      async (_, number) =>
        await transaction(async tx => {
          await runQuery(sql`UPDATE videos SET name = ${String(number)}`, tx)
          await runQuery(sql`INSERT INTO tombstones (url) VALUES (${`https://example.org/${number}`})`, tx)
          if (number % 2) throw new Error('no')
        }).catch(() => undefined)
    )
  )
  expect([await isCached(), await isCached()]).toEqual([false, true])
})

it('rolled back and uncommitted changes do not invalidate the cache', async () => {
  await isCached()
  await transaction(async tx => {
    await runQuery(sql`UPDATE accounts SET description = 'never'`, tx)
    expect(await isCached()).toBe(true)
    throw new Error('no')
  }).catch(() => undefined)
  expect(await isCached()).toBe(true)
  await transaction(async tx => {
    await runQuery(sql`UPDATE accounts SET description = 'soon'`, tx)
    expect(await isCached()).toBe(true)
  })
  expect(await isCached()).toBe(false)
})

it('changes of tables without trigger do not invalidate the cache', async () => {
  await isCached()
  await runQuery(sql`INSERT INTO peers (host) VALUES ('elsewhere.example')`)
  await runQuery(sql`INSERT INTO tombstones (url) VALUES ('https://elsewhere.example/gone')`)
  expect(await isCached()).toBe(true)
})

it('every table has the trigger or is listed as not visible', async () => {
  const rows = await runQuery<{ name: string }>(sql`
    SELECT relname AS name FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
      AND NOT EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE t.tgrelid = c.oid AND p.proname = 'count_change' AND t.tgtype = 60) ORDER BY relname`)
  expect(rows.map(row => row.name)).toEqual(TABLES_WITHOUT_TRIGGER)
})

it('rows of ended backends are removed and their counts kept', async () => {
  const sum = async () =>
    (await runQuery<{ sum: string; rows: number }>(sql`SELECT sum(count)::text AS sum, count(*)::int AS rows FROM changes`))[0]!
  await runQuery(sql`INSERT INTO changes SELECT 5000000 + number, 7 FROM generate_series(1, 30) AS number`)
  const before = await sum()
  await isCached()
  await foldChangeCounts()
  const after = await sum()
  expect([after.sum, after.rows <= before.rows - 30]).toEqual([before.sum, true])
  expect(await isCached()).toBe(true)
  await foldChangeCounts()
  expect((await sum()).sum).toBe(before.sum)
})

describe('counts are folded while backends write:', () => {
  /** Counts a change as a backend does whose number was that of an ended one, which it is until the list of backends is read again. */
  const countAs = async (backend: number, tx?: Transaction) =>
    await runQuery(
      sql`INSERT INTO changes AS mine (backend, count) VALUES (${backend}, 1) ON CONFLICT (backend) DO UPDATE SET count = mine.count + 1`,
      tx
    )
  const sum = async () => Number((await runQuery<{ sum: string }>(sql`SELECT sum(count)::text AS sum FROM changes`))[0]!.sum)

  it('the sum never falls, and every change is in it', async () => {
    const before = await sum()
    let isDone = false
    let folds = 0
    const folding = [1, 2].map(async () => {
      while (!isDone) {
        await foldChangeCounts()
        folds++
      }
    })
    const reading = (async () => {
      for (let last = before; !isDone;) {
        const now = await sum()
        expect(now).toBeGreaterThanOrEqual(last)
        last = now
      }
    })()
    let counted = 0
    await Promise.all(
      Array.from({ length: 6 }, async (_, writer) => {
        for (let round = 0; round < 150; round++) {
          const own = await sum()
          // Two writers share a number, as a backend ends and another one begins.
          if (round % 3 > 0) await countAs(6_000_000 + (writer % 3))
          else
            await transaction(async tx => {
              await countAs(6_000_000 + (writer % 3), tx)
              await runQuery(sql`SELECT pg_sleep(0.001)`, tx)
            })
          counted++
          expect(await sum()).toBeGreaterThan(own)
        }
      })
    )
    isDone = true
    await Promise.all([...folding, reading])
    expect(await sum()).toBe(before + counted)
    expect(folds).toBeGreaterThan(50)
    await foldChangeCounts()
    expect(await runQuery(sql`SELECT FROM changes WHERE backend >= 6000000`)).toEqual([])
    expect(await sum()).toBe(before + counted)
  })

  it('backends that come and go make every cached answer new with each change', async () => {
    let isDone = false
    const folding = (async () => {
      while (!isDone) await foldChangeCounts()
    })()
    try {
      for (let round = 0; round < 40; round++) {
        await isCached()
        await withTestDatabase(async client => {
          await client.query('UPDATE accounts SET description = $1', [`round ${round}`])
        }, config.database.name)
        expect(await isCached()).toBe(false)
      }
    } finally {
      isDone = true
      await folding
    }
  })

  it('it does not wait for one that has not committed, nor does that one wait', async () => {
    await countAs(7_000_000)
    await transaction(async tx => {
      await countAs(7_000_000, tx)
      await runQuery(sql`INSERT INTO changes VALUES (7000001, 3)`)
      await Promise.race([foldChangeCounts(), sleep(10_000).then(() => Promise.reject(new Error('It waits')))])
      await countAs(7_000_000, tx)
    })
    expect(await runQuery(sql`SELECT backend, count::int AS count FROM changes WHERE backend >= 7000000`)).toEqual([
      { backend: 7_000_000, count: 3 }
    ])
  })
})
