import type { Transaction } from 'sequelize'
import { run, sql } from '../core/sql.ts'

/** Whether something was deleted by those who may; old messages about it have no effect (federation.md 4.29). */
export async function isGone(url: string, transaction?: Transaction): Promise<boolean> {
  return (await anyGone([url], transaction)).size > 0
}

/** Those of some addresses that were deleted. */
export async function anyGone(urls: string[], transaction?: Transaction): Promise<Set<string>> {
  if (urls.length === 0) return new Set()
  const rows = await run<{ url: string }>(sql`SELECT url FROM tombstones WHERE url = ANY(${urls})`, transaction)
  return new Set(rows.map(row => row.url))
}

/** Remembers for good that something was deleted. */
export async function bury(url: string, transaction?: Transaction): Promise<void> {
  await run(sql`INSERT INTO tombstones (url) VALUES (${url}) ON CONFLICT DO NOTHING`, transaction)
}

/** Forgets a deletion: the origin serves the thing again, as a video that was private for a while. */
export async function unbury(url: string, transaction?: Transaction): Promise<void> {
  await run(sql`DELETE FROM tombstones WHERE url = ${url}`, transaction)
}

const revoked = (activity: string) => `undone ${activity}`

/** Remembers an Undo that came before the activity it takes back. */
export async function revoke(activity: string): Promise<void> {
  await bury(revoked(activity))
}

/** Whether an activity was taken back before it came; says so once, since ids of Likes are used again. */
export async function wasRevoked(activity: string): Promise<boolean> {
  return (await run(sql`DELETE FROM tombstones WHERE url = ${revoked(activity)} RETURNING url`)).length > 0
}
