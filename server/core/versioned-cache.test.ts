import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { foldChangeCounts, getCachedOrCompute } from './versioned-cache.ts'
import { runQuery, sql } from './sql.ts'
import { transaction } from './transaction.ts'

/** Tables without trigger: inbox, outbox, encoding chunks and sessions never show in a cached response. */
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
  'tombstones',
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
