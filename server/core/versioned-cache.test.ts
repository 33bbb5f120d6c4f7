import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { foldChangeCounts, getCachedOrCompute } from './versioned-cache.ts'
import { runQuery, sql } from './sql.ts'
import { transaction } from './transaction.ts'

/** The books of deliveries and arrivals, films in chunks, and who is logged in: nobody sees them in an answer that is kept. */
const UNSEEN = [
  'changes',
  'deliveries',
  'encoding_chunks',
  'encoding_splits',
  'incoming',
  'migrations',
  'oauth_tokens',
  'outgoing',
  'peers',
  'tombstones'
]

let site: TestInstance
beforeAll(async () => {
  site = await startTestInstance({}, ['web'])
})
afterAll(async () => await site?.stop())

let made = 0
const kept = async () => {
  const before = made
  await getCachedOrCompute('an answer', async () => ({ length: ++made }))
  return made === before
}
const rename = async (name: string) => await runQuery(sql`UPDATE accounts SET description = ${name}`)

it('an answer is kept until somebody could see another one', async () => {
  await kept()
  expect(await kept()).toBe(true)
  await rename('one')
  expect([await kept(), await kept()]).toEqual([false, true])
  // Many changes at once, some of them taken back.
  await Promise.all(
    Array.from(
      { length: 20 },
      async (_, number) =>
        await transaction(async inside => {
          await runQuery(sql`UPDATE videos SET name = ${String(number)}`, inside)
          await runQuery(sql`INSERT INTO tombstones (url) VALUES (${`https://example.org/${number}`})`, inside)
          if (number % 2) throw new Error('no')
        }).catch(() => undefined)
    )
  )
  expect([await kept(), await kept()]).toEqual([false, true])
})

it('what is taken back changes nothing, nor does it while it is not committed', async () => {
  await kept()
  await transaction(async inside => {
    await runQuery(sql`UPDATE accounts SET description = 'never'`, inside)
    expect(await kept()).toBe(true)
    throw new Error('no')
  }).catch(() => undefined)
  expect(await kept()).toBe(true)
  await transaction(async inside => {
    await runQuery(sql`UPDATE accounts SET description = 'soon'`, inside)
    expect(await kept()).toBe(true)
  })
  expect(await kept()).toBe(false)
})

it('books that nobody sees spoil nothing', async () => {
  await kept()
  await runQuery(sql`INSERT INTO peers (host) VALUES ('elsewhere.example')`)
  await runQuery(sql`INSERT INTO tombstones (url) VALUES ('https://elsewhere.example/gone')`)
  expect(await kept()).toBe(true)
})

it('every table is watched, or nobody sees it', async () => {
  const rows = await runQuery<{ name: string }>(sql`
    SELECT relname AS name FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
      AND NOT EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgrelid = c.oid AND p.proname = 'count_change' AND t.tgtype = 60) ORDER BY relname`)
  expect(rows.map(row => row.name)).toEqual(UNSEEN)
})

it('rows of backends that are gone go, and what they counted stays', async () => {
  const sum = async () =>
    (await runQuery<{ sum: string; rows: number }>(sql`SELECT sum(count)::text AS sum, count(*)::int AS rows FROM changes`))[0]!
  await runQuery(sql`INSERT INTO changes SELECT 5000000 + number, 7 FROM generate_series(1, 30) AS number`)
  const before = await sum()
  await kept()
  await foldChangeCounts()
  const after = await sum()
  expect([after.sum, after.rows <= before.rows - 30]).toEqual([before.sum, true])
  expect(await kept()).toBe(true)
  await foldChangeCounts()
  expect((await sum()).sum).toBe(before.sum)
})
