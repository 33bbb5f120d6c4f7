import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { runQuery, sql } from './sql.ts'
import { transaction } from './transaction.ts'

let site: TestInstance
beforeAll(async () => {
  site = await startTestInstance({}, [])
})
afterAll(async () => await site?.stop())

/**
 * Foreign keys by which Postgres cannot find the rows that name a row: no valid index begins with their columns, in any order, and holds at least all rows
 * where they are not NULL.
 */
const findUnindexed = async () =>
  (
    await runQuery<{ key: string }>(sql`
    SELECT key.conrelid::regclass || '.' || string_agg(a.attname, ',' ORDER BY a.attnum) AS key
    FROM pg_constraint key JOIN pg_attribute a ON a.attrelid = key.conrelid AND a.attnum = ANY(key.conkey)
    WHERE key.contype = 'f' AND NOT EXISTS (
      SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
      WHERE i.indrelid = key.conrelid AND i.indisvalid AND m.amname = 'btree'
        AND (i.indkey::int2[])[0:cardinality(key.conkey) - 1] @> key.conkey
        AND (i.indpred IS NULL OR (cardinality(key.conkey) = 1 AND pg_get_expr(i.indpred, i.indrelid) =
          (SELECT '(' || quote_ident(attname) || ' IS NOT NULL)' FROM pg_attribute WHERE attrelid = key.conrelid AND attnum = key.conkey[1]))))
    GROUP BY key.oid, key.conrelid ORDER BY 1`)
  ).map(row => row.key)

it('every foreign key has an index, so that deleting a row reads no whole table for those that name it', async () => {
  expect(await findUnindexed()).toEqual([])
})

it('an index on other columns, on other rows or in the second place is none', async () => {
  await runQuery(sql`CREATE TABLE owned (a integer REFERENCES videos, b integer REFERENCES videos, c integer REFERENCES videos,
    d integer REFERENCES videos, e integer REFERENCES videos, f text)`)
  await runQuery(sql`CREATE INDEX ON owned (f, a)`)
  await runQuery(sql`CREATE INDEX ON owned (b) WHERE f IS NOT NULL`)
  await runQuery(sql`CREATE INDEX ON owned (c, f)`)
  await runQuery(sql`CREATE INDEX ON owned (d) WHERE d IS NOT NULL`)
  await runQuery(sql`CREATE INDEX ON owned USING gin (to_tsvector('simple', f)) WHERE e IS NOT NULL`)
  expect(await findUnindexed()).toEqual(['owned.a', 'owned.b', 'owned.e'])
})

it('deleting a channel with 2,000 videos and their threads does not read all comments for each of them', async () => {
  await runQuery(sql`
    INSERT INTO videos (uuid, url, channel_id, name, privacy, state, comments_policy, published_at, created_at, updated_at)
    SELECT gen_random_uuid(), 'https://here.example/v/' || n, (SELECT min(id) FROM channels), 'v', 1, 1, 1, now(), now(), now()
    FROM generate_series(1, 2000) n`)
  await runQuery(sql`
    INSERT INTO comments (url, video_id, text, created_at, updated_at)
    SELECT 'https://here.example/c/' || v.id || '/' || n, v.id, 't', now(), now() FROM videos v, generate_series(1, 10) n`)
  await runQuery(sql`UPDATE comments c SET parent_id = thread.id, thread_id = thread.id
    FROM (SELECT video_id, min(id) AS id FROM comments GROUP BY video_id) thread WHERE thread.video_id = c.video_id AND thread.id <> c.id`)
  await transaction(async tx => {
    await runQuery(sql`DELETE FROM channels WHERE id = (SELECT min(id) FROM channels)`, tx)
    const [{ scans }] = (await runQuery<{ scans: number }>(
      sql`SELECT sum(seq_scan)::int AS scans FROM pg_stat_xact_user_tables WHERE relname = 'comments'`,
      tx
    )) as [{ scans: number }]
    // A few, perhaps, as the table is new.
    expect(scans).toBeLessThan(100)
  })
  expect(await runQuery(sql`SELECT FROM comments`)).toEqual([])
})
