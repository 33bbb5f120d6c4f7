import { z } from 'zod'
import { config } from '../core/config.ts'
import { emitEvent } from '../core/events.ts'
import { logger } from '../core/logger.ts'
import { Problem } from '../core/problem.ts'
import { queryAs, runQuery, sql, sqlInterval } from '../core/sql.ts'
import { afterCommit, transaction } from '../core/transaction.ts'
import { EFFECTIVE_OUTCOMES } from './incoming.query.ts'
import { INBOX } from './inbox-internals.ts'

const MAX_REASON_LENGTH = 300

/** Whether an outcome as stored in `incoming` means that the activity changed nothing. */
export function isIneffective(outcome: string): boolean {
  return !EFFECTIVE_OUTCOMES.includes(outcome)
}

/**
 * Records the outcomes of activities that had no effect, as `finishIncomingActivities` does, and keeps the newest `INBOX.maxIneffective` of
 * each host. Views are not kept: they are many, and outdated at once.
 */
export async function finishIneffectiveActivities(rows: { id: string; outcome: string }[]): Promise<void> {
  const { maxIneffective, maxIneffectiveBody } = INBOX
  const kept = await runQuery<{ host: string }>(sql`
    WITH given AS (
      SELECT * FROM unnest(${rows.map(row => row.id)}::bigint[], ${rows.map(row => row.outcome)}::text[]) AS given (id, outcome)
    ), kept AS (
      INSERT INTO ineffective_activities (activity_key, digest, type, actor, signer, proof, host, subject, body, reason, received_at)
      SELECT activity_id, digest, type, actor, signer, proof, host, subject,
        CASE WHEN octet_length(body) <= ${maxIneffectiveBody} THEN body END, left(given.outcome, ${MAX_REASON_LENGTH}), created_at
      FROM incoming JOIN given ON given.id = incoming.id WHERE done_at IS NULL AND lane = 0 ORDER BY incoming.id RETURNING host
    ), finished AS (
      UPDATE incoming SET done_at = now(), leased_until = NULL, body = NULL, outcome = given.outcome FROM given WHERE incoming.id = given.id
    )
    SELECT DISTINCT host FROM kept`)
  // What is too many now is deleted with the next one.
  await deleteBeyondPlace(
    sql`SELECT id, row_number() OVER (PARTITION BY host ORDER BY id DESC) AS place FROM ineffective_activities
      WHERE host = ANY(${kept.map(({ host }) => host)})`,
    maxIneffective
  ).catch((error: Error) => logger.debug('Activities without effect could not be swept', { reason: error.message }))
}

/**
 * Deletes the oldest beyond `INBOX.maxIneffectiveInAll`, and bodies `federation.inbox.keep` after they were received: so long it is known
 * what was undone.
 */
export async function sweepIneffectiveActivities(): Promise<void> {
  await runQuery(
    sql`UPDATE ineffective_activities SET body = NULL
      WHERE body IS NOT NULL AND received_at < now() - ${sqlInterval(config.federation.inbox.keep)}`
  )
  await deleteBeyondPlace(
    sql`SELECT id, row_number() OVER (ORDER BY id DESC) AS place FROM ineffective_activities`,
    INBOX.maxIneffectiveInAll
  )
}

async function deleteBeyondPlace(ranked: ReturnType<typeof sql>, maxPlace: number): Promise<void> {
  await runQuery(
    sql`DELETE FROM ineffective_activities USING (${ranked}) ranked WHERE ranked.id = ineffective_activities.id AND ranked.place > ${maxPlace}`
  )
}

const IneffectiveActivitySchema = z.object({
  id: z.coerce.number().int(),
  activityId: z.string(),
  type: z.string(),
  actor: z.string(),
  host: z.string(),
  reason: z.string(),
  receivedAt: z.date().transform(date => date.toISOString()),
  repeatable: z.boolean()
})

/** Lists activities that had no effect, the newest first, of one host or of all; never what they contain. */
export async function listIneffectiveActivities(
  start: number,
  count: number,
  host?: string
): Promise<{ total: number; data: z.output<typeof IneffectiveActivitySchema>[] }> {
  const where = host === undefined ? sql`TRUE` : sql`host = ${host.toLowerCase()}`
  // The key has the sender in front, or a hash behind (accept-delivery.ts).
  const data = await queryAs(
    IneffectiveActivitySchema,
    sql`SELECT id, CASE WHEN split_part(activity_key, ' ', 2) LIKE 'http%' THEN split_part(activity_key, ' ', 2)
        ELSE split_part(activity_key, ' ', 1) END AS "activityId", type, actor, host, reason, received_at AS "receivedAt",
        body IS NOT NULL AS repeatable
      FROM ineffective_activities WHERE ${where} ORDER BY id DESC LIMIT ${count} OFFSET ${start}`
  )
  const [row] = await runQuery<{ total: number }>(sql`SELECT count(*)::int AS total FROM ineffective_activities WHERE ${where}`)
  return { total: row!.total, data }
}

/**
 * Processes an activity again that had no effect; it is listed once more if it has none again. Returns false if it is not listed. Throws
 * Problem 409 where what was received is not kept.
 */
export async function reprocessActivity(id: number): Promise<boolean> {
  return await transaction(async tx => {
    const [listed] = await runQuery<{ kept: boolean }>(
      sql`SELECT body IS NOT NULL AS kept FROM ineffective_activities WHERE id = ${id} FOR UPDATE`,
      tx
    )
    if (listed?.kept === false) throw new Problem(409, null, 'What was received is not kept any more.')
    await runQuery(
      sql`
      WITH again AS (DELETE FROM ineffective_activities WHERE id = ${id} RETURNING *)
      INSERT INTO incoming (activity_id, digest, type, actor, signer, proof, host, subject, lane, body, created_at)
      SELECT activity_key, digest, type, actor, signer, proof, host, subject, 0, body, received_at FROM again
      ON CONFLICT (activity_id) DO UPDATE SET body = excluded.body, done_at = NULL, outcome = NULL, attempts = 0, not_before = now(),
        leased_until = NULL WHERE incoming.done_at IS NOT NULL`,
      tx
    )
    afterCommit(tx, () => emitEvent('inbox.filled', { lane: 0 }))
    return listed !== undefined
  })
}
