import { config } from '../core/config.ts'
import { acquireLock } from '../core/locks.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import type { IncomingActivity } from './activity-handlers.ts'
import { INBOX } from './inbox-internals.ts'

/** Outcomes that are no failure; an activity that is `known` had its effect when it came first. */
export const EFFECTIVE_OUTCOMES: readonly string[] = ['done', 'known']

/** Activity types that PeerTube counts one by one. */
export const COUNTED_ACTIVITIES = [
  'Create',
  'Update',
  'Delete',
  'Follow',
  'Accept',
  'Reject',
  'Announce',
  'Undo',
  'Like',
  'Dislike',
  'Flag',
  'View',
  'ApproveReply',
  'RejectReply'
]
/** What the others are counted under: senders could invent types without end. */
const OTHER_TYPES = 'other'

/** An activity claimed by a worker. */
export type IncomingActivityRow = {
  id: string
  activity_id: string
  type: string
  actor: string
  signer: string
  proof: IncomingActivity['proof']
  subject: string
  body: string
  attempts: number
  created_at: Date
}

/**
 * Claims up to `batch` waiting activities of a queue, oldest first, for the time of a lease. `inOrder`: none whose subject has an earlier
 * activity that is claimed or postponed.
 */
export async function claimIncomingActivities(queue: number, batch: number, inOrder: boolean): Promise<IncomingActivityRow[]> {
  const { lease } = INBOX
  const isUnblocked = inOrder
    ? sql`NOT EXISTS (SELECT 1 FROM incoming AS before WHERE before.subject = one.subject AND before.done_at IS NULL
      AND before.id < one.id AND (before.leased_until >= now() OR before.not_before > now()))`
    : sql`TRUE`
  const rows = await transaction(async tx => {
    await acquireLock('CHOOSE_INCOMING', tx)
    return await runQuery<IncomingActivityRow>(
      sql`
      UPDATE incoming SET leased_until = now() + ${sqlInterval(lease)}, attempts = attempts + 1
      WHERE id IN (
        SELECT id FROM incoming AS one
        WHERE done_at IS NULL AND lane = ${queue} AND not_before <= now() AND (leased_until IS NULL OR leased_until < now())
          AND ${isUnblocked}
        ORDER BY id LIMIT ${batch})
      RETURNING id::text, activity_id, type, actor, signer, proof, subject, body, attempts, created_at`,
      tx
    )
  })
  return rows.sort((one, other) => Number(BigInt(one.id) - BigInt(other.id)))
}

/** Renews the leases of claimed activities. */
export async function renewIncomingLeases(ids: string[]): Promise<void> {
  await runQuery(
    sql`UPDATE incoming SET leased_until = now() + ${sqlInterval(INBOX.lease)} WHERE id = ANY(${ids}::bigint[])
      AND done_at IS NULL`
  )
}

/** Releases claimed activities that were not started. */
export async function releaseIncomingActivities(ids: string[]): Promise<void> {
  await runQuery(
    sql`UPDATE incoming SET leased_until = NULL, attempts = greatest(attempts - 1, 0) WHERE id = ANY(${ids}::bigint[]) AND done_at IS NULL`
  )
}

/** Records the outcomes of activities; deletes their bodies and keeps their ids. */
export async function finishIncomingActivities(rows: { id: string; outcome: string }[]): Promise<void> {
  await runQuery(sql`
    UPDATE incoming SET done_at = now(), leased_until = NULL, body = NULL, outcome = given.outcome
    FROM unnest(${rows.map(row => row.id)}::bigint[], ${rows.map(row => row.outcome)}::text[]) AS given (id, outcome)
      WHERE incoming.id = given.id`)
}

/** Postpones an activity by `ms` for another try. */
export async function postponeIncomingActivity(id: string, ms: number, reason: string): Promise<void> {
  await runQuery(
    sql`UPDATE incoming SET leased_until = NULL, not_before = now() + ${sqlInterval(ms)}, outcome = ${reason} WHERE id = ${id}::bigint`
  )
}

/** Whether an activity of an actor is stored and not processed yet, and has another subject, so that its order is not kept. */
export async function isWaiting(activityId: string, actor: string, subject: string): Promise<boolean> {
  const rows = await runQuery(sql`
    SELECT 1 FROM incoming WHERE done_at IS NULL AND lane = 0 AND actor = ${actor} AND subject <> ${subject}
      AND (activity_id = ${activityId} OR starts_with(activity_id, ${`${activityId} `})) LIMIT 1`)
  return rows.length > 0
}

/** Sets the own id of a forwarded activity once its proof is verified. Returns false if that id is stored already. */
export async function setVerifiedActivityId(id: string, activityId: string, proof: IncomingActivity['proof']): Promise<boolean> {
  const rows = await runQuery(sql`
    UPDATE incoming SET activity_id = ${activityId}, proof = ${proof}
    WHERE id = ${id}::bigint
      AND NOT EXISTS (SELECT 1 FROM incoming AS other WHERE other.activity_id = ${activityId} AND other.id <> ${id}::bigint) RETURNING id`).catch(
    (error: Error) => {
      // Two were processed at once.
      if (error.name === 'SequelizeUniqueConstraintError') return []
      throw error
    }
  )
  return rows.length > 0
}

/** Deletes processed activities: repeatable ones once their signatures have expired, the others after `federation.inbox.keep`. */
export async function deleteProcessedActivities(repeatable: string[]): Promise<void> {
  const {
    clock_skew,
    inbox: { keep }
  } = config.federation
  // Counted where they are deleted: counting where they are processed would make all workers wait for one row.
  await runQuery(sql`
    WITH deleted AS (
      DELETE FROM incoming WHERE done_at < now() - ${sqlInterval(keep)}
        OR (done_at < now() - ${sqlInterval(2 * clock_skew)} AND type = ANY(${repeatable})) RETURNING type, outcome
    )
    INSERT INTO processed_activities (type, effective, ineffective)
    SELECT CASE WHEN type = ANY(${COUNTED_ACTIVITIES}) THEN type ELSE ${OTHER_TYPES} END, count(*) FILTER (WHERE outcome = ANY(${EFFECTIVE_OUTCOMES})),
      count(*) FILTER (WHERE outcome <> ALL(${EFFECTIVE_OUTCOMES})) FROM deleted GROUP BY 1
    ON CONFLICT (type) DO UPDATE SET effective = processed_activities.effective + excluded.effective,
      ineffective = processed_activities.ineffective + excluded.ineffective`)
}
