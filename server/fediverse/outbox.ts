import type { Transaction } from 'sequelize'
import { afterCommit } from '../core/transaction.ts'
import { emitEvent } from '../core/events.ts'
import { runQuery, sql } from '../core/sql.ts'
import { withContext, type ContextKind } from './jsonld-context.ts'
import type { Activity } from './vocabulary.ts'

/** Lanes, the more urgent first: a Follow never waits behind a flood of views. */
export const DELIVERY_PRIORITY = { NOW: 0, PUBLISH: 1, BULK: 2 } as const

/**
 * Who gets an activity: single inboxes, and the followers of actors (their URLs), each shared inbox once, but for the hosts in `except`.
 */
export type DeliveryAudience = { inboxes?: string[]; followersOf?: string[]; except?: string[] }

/**
 * What is sent. `subject`: URL of the object, whose messages keep their order per host. `supersedes`: a newer one with this key replaces
 * those still waiting.
 */
export type OutgoingActivity = {
  activity: Activity
  kind: ContextKind
  audience: DeliveryAudience
  lane: (typeof DELIVERY_PRIORITY)[keyof typeof DELIVERY_PRIORITY]
  subject: string
  supersedes?: string
  /** Not before so many ms: messages with the same `supersedes` key within that time become one. */
  delay?: number
  /** What has not arrived after so many ms is given up: it would say nothing any more. */
  lifetime?: number
}

/** Writes an activity into the outbox, within the transaction of the act (law 2). It leaves after commit. */
export async function enqueueActivity(
  { activity, kind, audience, lane, subject, supersedes, delay = 0, lifetime }: OutgoingActivity,
  transaction?: Transaction
): Promise<void> {
  if (supersedes !== undefined && delay > 0) {
    // The one that waits already takes the newer words with it, at its own time.
    const replaced = await runQuery(
      sql`
      UPDATE outgoing SET activity = ${JSON.stringify(withContext(kind, activity))}::jsonb WHERE supersedes = ${supersedes} AND fanned_out_at IS NULL RETURNING id`,
      transaction
    )
    if (replaced.length > 0) return
  }
  await runQuery(
    sql`
    INSERT INTO outgoing (actor, type, activity, audience, lane, subject, supersedes, not_before, expires_at)
    VALUES (${activity.actor}, ${activity.type}, ${JSON.stringify(withContext(kind, activity))}::jsonb, ${JSON.stringify(audience)}::jsonb, ${lane}, ${subject}, ${supersedes ?? null},
      now() + make_interval(secs => ${delay / 1000}::double precision), now() + make_interval(secs => ${lifetime === undefined ? null : lifetime / 1000}::double precision))`,
    transaction
  )
  afterCommit(transaction, () => emitEvent('outbox.filled', { lane, delay }))
}

/** Somebody else's activity, its bytes as they came. */
export type ForwardedActivity = { body: string; type: string; audience: DeliveryAudience; subject: string }

/** Sends activities of others on, byte for byte and in this order, signed at HTTP level by `actor` (the instance's own). */
export async function enqueueForwardedActivities(actor: string, all: ForwardedActivity[], transaction?: Transaction): Promise<void> {
  if (all.length === 0) return
  await runQuery(
    sql`
    INSERT INTO outgoing (actor, type, activity, body, audience, lane, subject, forwarded)
    SELECT ${actor}, type, '{}', body, audience, ${DELIVERY_PRIORITY.PUBLISH}, subject, true
    FROM unnest(${all.map(one => one.type)}::text[], ${all.map(one => one.body)}::text[], ${all.map(one => JSON.stringify(one.audience))}::jsonb[], ${all.map(one => one.subject)}::text[])
      WITH ORDINALITY AS given (type, body, audience, subject, place) ORDER BY place`,
    transaction
  )
  afterCommit(transaction, () => emitEvent('outbox.filled', { lane: DELIVERY_PRIORITY.PUBLISH, delay: 0 }))
}

/** Takes back what waits in the outbox with a `supersedes` key and was not made into deliveries yet: a later message says more. */
export async function cancelQueuedActivity(supersedes: string, transaction?: Transaction): Promise<void> {
  await runQuery(sql`DELETE FROM outgoing WHERE supersedes = ${supersedes} AND fanned_out_at IS NULL`, transaction)
}
