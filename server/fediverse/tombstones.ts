import { createHash } from 'node:crypto'
import type { Transaction } from 'sequelize'
import { runQuery, sql } from '../core/sql.ts'

/** Whether something was deleted by those who may; old messages about it have no effect (docs/federation.md#forwarded-activities). */
export async function isTombstoned(url: string, transaction?: Transaction): Promise<boolean> {
  return (await findTombstoned([url], transaction)).size > 0
}

/** Those of some addresses that were deleted. */
export async function findTombstoned(urls: string[], transaction?: Transaction): Promise<Set<string>> {
  if (urls.length === 0) return new Set()
  const rows = await runQuery<{ url: string }>(sql`SELECT url FROM tombstones WHERE url = ANY(${urls.map(short)})`, transaction)
  const found = new Set(rows.map(row => row.url))
  return new Set(urls.filter(url => found.has(short(url))))
}

/** Remembers for good that something was deleted. */
export async function addTombstone(url: string, transaction?: Transaction): Promise<void> {
  await runQuery(sql`INSERT INTO tombstones (url) VALUES (${short(url)}) ON CONFLICT DO NOTHING`, transaction)
}

/** Forgets a deletion: the origin serves the thing again, as a video that was private for a while. */
export async function removeTombstone(url: string, transaction?: Transaction): Promise<void> {
  await runQuery(sql`DELETE FROM tombstones WHERE url = ${short(url)}`, transaction)
}

/** What fits into an index: the longest addresses by their hash. */
const short = (url: string) => (url.length <= 2300 ? url : createHash('sha256').update(url).digest('base64'))
const revoked = (activity: string) => `undone ${activity}`

/** Remembers an Undo that came before the activity it takes back. */
export async function recordEarlyUndo(activity: string): Promise<void> {
  await addTombstone(revoked(activity))
}

/** Whether an activity was taken back before it came; says so once, since ids of Likes are used again. */
export async function consumeEarlyUndo(activity: string): Promise<boolean> {
  return (await runQuery(sql`DELETE FROM tombstones WHERE url = ${short(revoked(activity))} RETURNING url`)).length > 0
}
