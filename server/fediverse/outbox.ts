import type { Transaction } from 'sequelize'
import { afterCommit } from '../core/transaction.ts'
import { emitEvent } from '../core/events.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { withContext, type ContextKind } from './jsonld-context.ts'
import type { Activity } from './vocabulary.ts'

/** Priorities of deliveries, the most urgent first: a Follow never waits behind many views. */
export const DELIVERY_PRIORITY = { NOW: 0, PUBLISH: 1, BULK: 2 } as const

/**
 * The recipients of an activity: single inboxes, and the followers of actors (URLs of the actors); each shared inbox gets it once, hosts in
 * `except` do not.
 */
export type DeliveryAudience = { inboxes?: string[]; followersOf?: string[]; except?: string[] }

/**
 * An activity to send. `lane`: its priority. `subject`: URL of the object; activities with one subject keep their order per host.
 * `supersedes`: a newer activity with this key replaces those still waiting.
 */
export type OutgoingActivity = {
  activity: Activity
  kind: ContextKind
  audience: DeliveryAudience
  lane: (typeof DELIVERY_PRIORITY)[keyof typeof DELIVERY_PRIORITY]
  subject: string
  supersedes?: string
  /** Sent after so many ms; activities with the same `supersedes` key within that time are merged into one. */
  delay?: number
  /** Given up if not delivered after so many ms, when it would be outdated. */
  lifetime?: number
}

/** Writes an activity into the outbox, in the transaction of the change it reports (ARCHITECTURE.md, rule 2). It is sent after commit. */
export async function enqueueActivity(
  { activity, kind, audience, lane, subject, supersedes, delay = 0, lifetime }: OutgoingActivity,
  tx?: Transaction
): Promise<void> {
  if (supersedes !== undefined && delay > 0) {
    // The waiting activity gets the newer content and keeps its own time.
    const replaced = await runQuery(
      sql`
      UPDATE outgoing SET activity = ${JSON.stringify(withContext(kind, activity))}::jsonb WHERE supersedes = ${supersedes}
        AND fanned_out_at IS NULL RETURNING id`,
      tx
    )
    if (replaced.length > 0) return
  }
  await runQuery(
    sql`
    INSERT INTO outgoing (actor, type, activity, audience, lane, subject, supersedes, not_before, expires_at)
    VALUES (${activity.actor}, ${activity.type}, ${JSON.stringify(withContext(kind, activity))}::jsonb,
      ${JSON.stringify(audience)}::jsonb, ${lane}, ${subject}, ${supersedes ?? null},
      now() + ${sqlInterval(delay)},
      now() + make_interval(secs => ${lifetime === undefined ? null : lifetime / 1000}::double precision))`,
    tx
  )
  afterCommit(tx, () => emitEvent('outbox.filled', { lane, delay }))
}

/** An activity of another server, its body byte for byte. */
export type ForwardedActivity = { body: string; type: string; audience: DeliveryAudience; subject: string }

/** Forwards activities of others, byte for byte and in this order, with an HTTP signature of `actor` (the instance actor). */
export async function enqueueForwardedActivities(actor: string, activities: ForwardedActivity[], tx?: Transaction): Promise<void> {
  if (activities.length === 0) return
  await runQuery(
    sql`
    INSERT INTO outgoing (actor, type, activity, body, audience, lane, subject, forwarded)
    SELECT ${actor}, type, '{}', body, audience, ${DELIVERY_PRIORITY.PUBLISH}, subject, true
    FROM unnest(${activities.map(activity => activity.type)}::text[], ${activities.map(activity => activity.body)}::text[],
      ${activities.map(activity => JSON.stringify(activity.audience))}::jsonb[], ${activities.map(activity => activity.subject)}::text[])
      WITH ORDINALITY AS given (type, body, audience, subject, place) ORDER BY place`,
    tx
  )
  afterCommit(tx, () => emitEvent('outbox.filled', { lane: DELIVERY_PRIORITY.PUBLISH, delay: 0 }))
}

/** Deletes the activity with a `supersedes` key that waits in the outbox without deliveries, because a later one makes it redundant. */
export async function cancelQueuedActivity(supersedes: string, tx?: Transaction): Promise<void> {
  await runQuery(sql`DELETE FROM outgoing WHERE supersedes = ${supersedes} AND fanned_out_at IS NULL`, tx)
}
