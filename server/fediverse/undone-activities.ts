import { createHash } from 'node:crypto'
import type { Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import type { IncomingActivity } from './activity-handlers.ts'
import { INBOX } from './inbox-internals.ts'
import { hostOf } from './origin.ts'

/** Where the table `tombstones` remembers an activity of an actor under a key that is no URL; long ones by their hash. */
function keyOf(fact: 'received' | 'early' | 'overtaken' | 'outdated', actor: string, activity: string): string {
  const name = `${actor} ${activity}`
  return `undone ${fact} ${name.length <= 2200 ? name : createHash('sha256').update(name).digest('base64')}`
}

/**
 * Records when an Undo of an activity was received. Returns `early` where that activity was never received, or overtaken the last time,
 * so that it may be under way (docs/federation.md#order), `late` where it was, but has no effect any more.
 */
export async function recordUndo(activity: string, { actor, signer, receivedAt }: IncomingActivity): Promise<'early' | 'late'> {
  const [received, early, overtaken, outdated] = (['received', 'early', 'overtaken', 'outdated'] as const).map(fact =>
    keyOf(fact, actor, activity)
  )
  const [row] = await runQuery<{ early: boolean }>(sql`
    WITH known AS (
      SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM tombstones WHERE url = ${overtaken}) AND (EXISTS (
        SELECT 1 FROM tombstones WHERE url = ANY(${[received, outdated]})
      ) OR EXISTS (SELECT 1 FROM ineffective_activities WHERE host = ${hostOf(signer)} AND actor = ${actor}
        AND starts_with(activity_key || ' ', ${`${activity} `})))
    ), undo AS (
      INSERT INTO tombstones (url, created_at) VALUES (${received}, ${receivedAt})
      ON CONFLICT (url) DO UPDATE SET created_at = greatest(tombstones.created_at, excluded.created_at)
    ), waiting AS (
      INSERT INTO tombstones (url, created_at) SELECT ${early}, ${receivedAt}::timestamptz WHERE NOT EXISTS (SELECT 1 FROM known)
      ON CONFLICT (url) DO NOTHING
    )
    SELECT NOT EXISTS (SELECT 1 FROM known) AS early`)
  return row!.early ? 'early' : 'late'
}

/** Records that an Undo had its effect: activities under that id that were received before have none, later ones do. */
export async function recordEffectiveUndo(activity: string, { actor, receivedAt }: IncomingActivity): Promise<void> {
  await runQuery(sql`
    WITH undo AS (
      INSERT INTO tombstones (url, created_at) VALUES (${keyOf('received', actor, activity)}, ${receivedAt})
      ON CONFLICT (url) DO UPDATE SET created_at = greatest(tombstones.created_at, excluded.created_at)
    )
    DELETE FROM tombstones WHERE url = ANY(${[keyOf('early', actor, activity), keyOf('overtaken', actor, activity)]})`)
}

/**
 * Whether an activity was taken back: its Undo was received after it, or overtook it. One that is received after its early Undo is the
 * overtaken one only once, within `INBOX.earlyUndoLife`, and not if it says that it is newer: PeerTube gives a Like one id and sends it each time.
 */
export async function isTakenBack({ id, actor, activity, receivedAt }: IncomingActivity): Promise<boolean> {
  const [received, early] = [keyOf('received', actor, id), keyOf('early', actor, id)]
  const rows = await runQuery<{ url: string; created_at: Date }>(
    sql`SELECT url, created_at FROM tombstones WHERE url = ANY(${[received, early]})`
  )
  if (rows.length === 0) return false
  const timeOf = (key: string) => rows.find(({ url }) => url === key)?.created_at.getTime()
  const [undoneAt = -Infinity, earlyAt] = [timeOf(received), timeOf(early)]
  const wasWaiting = earlyAt !== undefined && (await runQuery(sql`DELETE FROM tombstones WHERE url = ${early} RETURNING url`)).length > 0
  const published = typeof activity.published === 'string' ? Date.parse(activity.published) : NaN
  const wasOvertaken = wasWaiting && receivedAt.getTime() < earlyAt + INBOX.earlyUndoLife && !(published > earlyAt)
  if (!wasOvertaken && receivedAt.getTime() >= undoneAt) return false
  await recordOutdated(id, actor)
  // What comes in the wrong order once may do so again under the same id.
  if (wasOvertaken) await runQuery(sql`INSERT INTO tombstones (url) VALUES (${keyOf('overtaken', actor, id)}) ON CONFLICT DO NOTHING`)
  return true
}

/** Records that an activity does not count any more that was stored here, because it was undone or a later one took its place. */
export async function recordOutdated(activity: string, actor: string, tx?: Transaction): Promise<void> {
  await runQuery(sql`INSERT INTO tombstones (url) VALUES (${keyOf('outdated', actor, activity)}) ON CONFLICT DO NOTHING`, tx)
}

/** Whether an activity is known that does not count any more: an Undo that names it means no other one. */
export async function isOutdated(activity: string, actor: string): Promise<boolean> {
  return (await runQuery(sql`SELECT 1 FROM tombstones WHERE url = ${keyOf('outdated', actor, activity)}`)).length > 0
}

/** Forgets what is older than `federation.inbox.keep`, and the oldest beyond `INBOX.maxUndone`. */
export async function sweepUndoneActivities(): Promise<void> {
  await runQuery(sql`
    DELETE FROM tombstones WHERE url LIKE 'undone %' AND (created_at < now() - ${sqlInterval(config.federation.inbox.keep)}
      OR created_at < (SELECT created_at FROM tombstones WHERE url LIKE 'undone %' ORDER BY created_at DESC OFFSET ${INBOX.maxUndone} LIMIT 1))`)
}
