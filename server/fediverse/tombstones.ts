import { createHash } from 'node:crypto'
import type { Transaction } from 'sequelize'
import { runQuery, sql } from '../core/sql.ts'

/** Whether an object was deleted with permission; late activities about it have no effect (docs/federation.md#forwarded-activities). */
export async function isTombstoned(url: string, tx?: Transaction): Promise<boolean> {
  return (await findTombstoned([url], tx)).size > 0
}

/** Returns those of the URLs whose objects were deleted. */
export async function findTombstoned(urls: string[], tx?: Transaction): Promise<Set<string>> {
  if (urls.length === 0) return new Set()
  const rows = await runQuery<{ url: string }>(sql`SELECT url FROM tombstones WHERE url = ANY(${urls.map(indexKey)})`, tx)
  const tombstoned = new Set(rows.map(row => row.url))
  return new Set(urls.filter(url => tombstoned.has(indexKey(url))))
}

/** Records permanently that an object was deleted. */
export async function addTombstone(url: string, tx?: Transaction): Promise<void> {
  await runQuery(sql`INSERT INTO tombstones (url) VALUES (${indexKey(url)}) ON CONFLICT DO NOTHING`, tx)
}

/** Deletes a tombstone: the origin serves the object again, such as a video that was private for a while. */
export async function removeTombstone(url: string, tx?: Transaction): Promise<void> {
  await runQuery(sql`DELETE FROM tombstones WHERE url = ${indexKey(url)}`, tx)
}

/** Long URLs are indexed by their hash. */
const indexKey = (url: string) => (url.length <= 2300 ? url : createHash('sha256').update(url).digest('base64'))
const narrowedKey = (url: string) => `narrowed ${url}`

/**
 * Records that the author of an object has narrowed it to fewer people: it counts as deleted, but may come back, as nobody else has taken it
 * away.
 */
export async function addNarrowing(url: string, tx: Transaction): Promise<void> {
  await addTombstone(narrowedKey(url), tx)
}

/** Takes note that a narrowed object is deleted or comes back; returns whether it was narrowed. */
export async function removeNarrowing(url: string, tx: Transaction): Promise<boolean> {
  return (await runQuery(sql`DELETE FROM tombstones WHERE url = ${indexKey(narrowedKey(url))} RETURNING url`, tx)).length > 0
}
