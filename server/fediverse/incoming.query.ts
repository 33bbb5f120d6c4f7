import { config } from '../core/config.ts'
import { acquireLock } from '../core/locks.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import type { IncomingActivity } from './activity-handlers.ts'

/** An activity taken in hand by a worker. */
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
 * Takes up to `batch` waiting activities of a lane in hand, oldest first, for the time of a lease. `inOrder`: none whose subject has an
 * earlier one that is in somebody's hand or waits for another try.
 */
export async function claimIncomingActivities(lane: number, batch: number, inOrder: boolean): Promise<IncomingActivityRow[]> {
  const { lease } = config.federation.inbox
  const free = inOrder
    ? sql`NOT EXISTS (SELECT 1 FROM incoming AS before WHERE before.subject = one.subject AND before.done_at IS NULL AND before.id < one.id AND (before.leased_until >= now() OR before.not_before > now()))`
    : sql`TRUE`
  const rows = await transaction(async inside => {
    await acquireLock('CHOOSE_INCOMING', inside)
    return await runQuery<IncomingActivityRow>(
      sql`
      UPDATE incoming SET leased_until = now() + ${seconds(lease)}, attempts = attempts + 1
      WHERE id IN (
        SELECT id FROM incoming AS one
        WHERE done_at IS NULL AND lane = ${lane} AND not_before <= now() AND (leased_until IS NULL OR leased_until < now()) AND ${free}
        ORDER BY id LIMIT ${batch})
      RETURNING id::text, activity_id, type, actor, signer, proof, subject, body, attempts, created_at`,
      inside
    )
  })
  return rows.sort((one, other) => Number(BigInt(one.id) - BigInt(other.id)))
}

/** Keeps what is in hand. */
export async function renewIncomingLeases(ids: string[]): Promise<void> {
  await runQuery(
    sql`UPDATE incoming SET leased_until = now() + ${seconds(config.federation.inbox.lease)} WHERE id = ANY(${ids}::bigint[]) AND done_at IS NULL`
  )
}

/** Puts back what was not begun. */
export async function releaseIncomingActivities(ids: string[]): Promise<void> {
  await runQuery(
    sql`UPDATE incoming SET leased_until = NULL, attempts = greatest(attempts - 1, 0) WHERE id = ANY(${ids}::bigint[]) AND done_at IS NULL`
  )
}

/** Notes what became of activities; their words are not needed any more, their ids are. */
export async function finishIncomingActivities(rows: { id: string; outcome: string }[]): Promise<void> {
  await runQuery(sql`
    UPDATE incoming SET done_at = now(), leased_until = NULL, body = NULL, outcome = given.outcome
    FROM unnest(${rows.map(row => row.id)}::bigint[], ${rows.map(row => row.outcome)}::text[]) AS given (id, outcome) WHERE incoming.id = given.id`)
}

/** Lets an activity wait for another try. */
export async function postponeIncomingActivity(id: string, ms: number, why: string): Promise<void> {
  await runQuery(
    sql`UPDATE incoming SET leased_until = NULL, not_before = now() + ${seconds(ms)}, outcome = ${why} WHERE id = ${id}::bigint`
  )
}

/** Gives an activity that came through others its own id, once something vouches for it. False: it is known by that id. */
export async function setVerifiedActivityId(id: string, activityId: string, proof: IncomingActivity['proof']): Promise<boolean> {
  const rows = await runQuery(sql`
    UPDATE incoming SET activity_id = ${activityId}, proof = ${proof}
    WHERE id = ${id}::bigint AND NOT EXISTS (SELECT 1 FROM incoming AS other WHERE other.activity_id = ${activityId} AND other.id <> ${id}::bigint) RETURNING id`).catch(
    (error: Error) => {
      // Two came at once.
      if (error.name === 'SequelizeUniqueConstraintError') return []
      throw error
    }
  )
  return rows.length > 0
}

/** Forgets processed activities: those that may come again after the time in which a signature is good, the others later. */
export async function deleteProcessedActivities(repeatable: string[]): Promise<void> {
  const {
    clock_skew,
    inbox: { keep }
  } = config.federation
  await runQuery(sql`
    DELETE FROM incoming WHERE done_at < now() - ${seconds(keep)} OR (done_at < now() - ${seconds(2 * clock_skew)} AND type = ANY(${repeatable}))`)
  await runQuery(sql`DELETE FROM tombstones WHERE url LIKE 'undone %' AND created_at < now() - ${seconds(keep)}`)
}

const seconds = (ms: number): Sql => sql`make_interval(secs => ${ms / 1000}::double precision)`
