import type { Transaction } from 'sequelize'
import { acquireLock } from '../core/locks.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import type { DeliveryAudience } from './outbox.ts'
import type { JsonObject } from './vocabulary.ts'
import { OUTBOX } from './outbox-internals.ts'

/** An activity that waits in the outbox for fan-out. */
export type OutgoingActivityRow = {
  id: string
  actor: string
  type: string
  activity: JsonObject
  body: string | null
  audience: DeliveryAudience
  lane: number
  subject: string
  supersedes: string | null
  forwarded: boolean
}
/** One claimed POST; `failures` are the consecutive failures of its host. */
export type Delivery = {
  id: string
  outgoing_id: string
  inbox_url: string
  host: string
  attempts: number
  actor: string
  body: string
  digest: string
  signature: 'cavage' | 'rfc9421' | null
  failures: number
}
/**
 * A POST that failed: retried after `delay` ms, or given up (null). `countsAsFailure`: whether it counts for the circuit breaker of its
 * host.
 */
export type FailedDelivery = { id: string; host: string; delay: number | null; error: string; countsAsFailure: boolean }

const FAN_OUT_BATCH = 20
/** Claimed at once for each connection to a host. */
const CLAIMED_PER_CONNECTION = 4

/** Passes the next activities to `fanOut`, which writes their deliveries, all in one transaction. Returns false if there was none. */
export async function withNextOutgoingActivities(
  fanOut: (rows: OutgoingActivityRow[], tx: Transaction) => Promise<void>
): Promise<boolean> {
  return await transaction(async tx => {
    await acquireLock('FAN_OUT', tx)
    const rows = await runQuery<OutgoingActivityRow>(
      sql`
      SELECT id::text, actor, type, activity, body, audience, lane, subject, supersedes, forwarded FROM outgoing
      WHERE fanned_out_at IS NULL AND set_aside_at IS NULL AND not_before <= now() ORDER BY lane, id LIMIT ${FAN_OUT_BATCH}`,
      tx
    )
    if (rows.length > 0) await fanOut(rows, tx)
    return rows.length > 0
  })
}

/**
 * Records that an activity could not be signed: it is tried again later, and set aside after `OUTBOX.maxSignAttempts`, so that no other
 * waits behind it.
 */
export async function recordSigningFailure(id: string, error: string, tx?: Transaction): Promise<void> {
  const { retryDelay, maxSignAttempts } = OUTBOX
  await runQuery(
    sql`
    UPDATE outgoing SET sign_attempts = sign_attempts + 1, sign_error = ${error},
      set_aside_at = CASE WHEN sign_attempts + 1 >= ${maxSignAttempts} THEN now() END,
      not_before = now() + ${sqlInterval(retryDelay)} * power(3, sign_attempts) WHERE id = ${id}::bigint`,
    tx
  )
}

/** Sets the activity of a delivery that cannot be signed aside, and deletes the delivery. */
export async function setAsideActivityOf(deliveryId: string, error: string): Promise<void> {
  // In one statement: a delivery that outlives the setting aside would keep its successor from being inserted when it is tried again.
  await runQuery(sql`
    WITH given_up AS (DELETE FROM deliveries WHERE id = ${deliveryId}::bigint RETURNING outgoing_id)
    UPDATE outgoing SET set_aside_at = now(), sign_error = ${error} FROM given_up WHERE outgoing.id = given_up.outgoing_id`)
}

/** An activity with the body that is sent, and its recipients. */
export type FannedOutActivity = { row: OutgoingActivityRow; body: string; digest: string; inboxes: { url: string; host: string }[] }

/** Writes the deliveries of activities. Suspended hosts get none; the time since when they miss something is recorded. */
export async function writeDeliveries(activities: FannedOutActivity[], tx: Transaction): Promise<void> {
  await runQuery(
    sql`
    UPDATE outgoing SET body = given.body, digest = given.digest, fanned_out_at = now()
    FROM unnest(${activities.map(({ row }) => row.id)}::bigint[], ${activities.map(({ body }) => body)}::text[],
      ${activities.map(({ digest }) => digest)}::text[]) AS given (id, body, digest) WHERE outgoing.id = given.id`,
    tx
  )
  // One by one where a later activity replaces an earlier one.
  for (const activity of activities.filter(({ row }) => row.supersedes !== null)) await insertDeliveries([activity], tx)
  await insertDeliveries(
    activities.filter(({ row }) => row.supersedes === null),
    tx
  )
}

async function insertDeliveries(activities: FannedOutActivity[], tx: Transaction): Promise<void> {
  const targets = activities.flatMap(({ row, inboxes }) => inboxes.map(({ url, host }) => ({ id: row.id, url, host })))
  if (targets.length === 0) return
  const targetHosts = targets.map(({ host }) => host)
  for (const { row } of activities) {
    if (row.supersedes !== null)
      await runQuery(
        sql`DELETE FROM deliveries WHERE supersedes = ${row.supersedes} AND host = ANY(${targetHosts})
          AND (leased_until IS NULL OR leased_until < now())`,
        tx
      )
  }
  await runQuery(
    sql`
    UPDATE peers SET missed_since = coalesce(missed_since, now()) WHERE suspended_at IS NOT NULL AND host = ANY(${targetHosts})`,
    tx
  )
  await runQuery(
    sql`
    INSERT INTO deliveries (outgoing_id, inbox_url, host, lane, rank, subject, supersedes, expires_at)
    SELECT outgoing.id, given.inbox_url, given.host, outgoing.lane, (coalesce(peers.failures, 0) > 0)::int, outgoing.subject,
      outgoing.supersedes, outgoing.expires_at
    FROM unnest(${targets.map(({ id }) => id)}::bigint[], ${targets.map(({ url }) => url)}::text[], ${targetHosts}::text[])
      WITH ORDINALITY AS given (id, inbox_url, host, place) JOIN outgoing ON outgoing.id = given.id
      LEFT JOIN peers ON peers.host = given.host
    WHERE peers.suspended_at IS NULL
    ORDER BY place
    ON CONFLICT DO NOTHING`,
    tx
  )
}

/**
 * Claims deliveries for the time of a lease: by priority, then hosts that did not fail lately first. None of a host in `saturatedHosts` or
 * with an open circuit breaker, one of a host that is being probed, and none that would overtake an earlier one with the same subject.
 */
export async function claimDeliveries(limit: number, saturatedHosts: string[]): Promise<Delivery[]> {
  const { lease, breaker, perHost } = OUTBOX
  return await runQuery<Delivery>(sql`
    WITH due AS (
      SELECT d.id, d.host, d.lane, d.rank, coalesce(p.failures, 0) AS failures, p.signature
      FROM deliveries d LEFT JOIN peers p ON p.host = d.host
      WHERE d.not_before <= now() AND (d.expires_at IS NULL OR d.expires_at > now())
        AND (d.leased_until IS NULL OR d.leased_until < now()) AND (p.open_until IS NULL OR p.open_until <= now())
        AND d.host <> ALL(${saturatedHosts}::text[])
        AND (coalesce(p.failures, 0) < ${breaker.failures}
          OR NOT EXISTS (SELECT 1 FROM deliveries probe WHERE probe.host = d.host AND probe.leased_until > now()))
        AND NOT EXISTS (SELECT 1 FROM deliveries b WHERE b.host = d.host AND b.subject = d.subject AND b.inbox_url = d.inbox_url
          AND b.outgoing_id < d.outgoing_id AND (b.expires_at IS NULL OR b.expires_at > now()))
      ORDER BY d.lane, d.rank, d.id LIMIT ${limit} FOR UPDATE OF d SKIP LOCKED
    ), chosen AS (
      SELECT id, failures, signature
      FROM (SELECT due.*, row_number() OVER (PARTITION BY host ORDER BY lane, rank, id) AS place FROM due) ranked
      WHERE place = 1 OR failures < ${breaker.failures} AND place <= ${perHost * CLAIMED_PER_CONNECTION}
    )
    UPDATE deliveries SET leased_until = now() + ${sqlInterval(lease)}
    FROM chosen, outgoing WHERE deliveries.id = chosen.id AND outgoing.id = deliveries.outgoing_id
    RETURNING deliveries.id::text, outgoing_id::text, inbox_url, deliveries.host, attempts, outgoing.actor, outgoing.body,
      outgoing.digest, chosen.failures, chosen.signature`)
}

/** Deletes deliveries that succeeded, and resets the failures of their hosts. */
export async function recordDeliverySuccesses(delivered: { id: string; host: string }[]): Promise<void> {
  await runQuery(sql`DELETE FROM deliveries WHERE id = ANY(${delivered.map(({ id }) => id)}::bigint[])`)
  await runQuery(sql`
    INSERT INTO peers (host, last_success_at) SELECT DISTINCT host, now()
      FROM unnest(${delivered.map(({ host }) => host)}::text[]) AS given (host) ORDER BY host
    ON CONFLICT (host) DO UPDATE SET last_success_at = now(), failures = 0, first_failure_at = NULL, open_until = NULL,
      suspended_at = NULL`)
}

/**
 * Reschedules or deletes failed deliveries, and counts the failures of their hosts; the circuit breaker of a host that fails too often
 * opens, each time for longer.
 */
export async function recordDeliveryFailures(failures: FailedDelivery[]): Promise<void> {
  const { breaker } = OUTBOX
  const retried = failures.filter(failure => failure.delay !== null)
  const abandoned = failures.filter(failure => failure.delay === null)
  // The host first, so that none of its deliveries is claimed before its circuit breaker is open.
  const lastFailureByHost = new Map(failures.map(failure => [failure.host, failure]))
  await runQuery(sql`
    INSERT INTO peers (host, failures, first_failure_at, last_failure_at, last_error)
    SELECT host, counts, now(), now(), error FROM unnest(${[...lastFailureByHost.keys()]}::text[],
      ${[...lastFailureByHost.values()].map(failure => (failure.countsAsFailure ? 1 : 0))}::int[],
      ${[...lastFailureByHost.values()].map(failure => failure.error)}::text[]) AS given (host, counts, error) ORDER BY host
    ON CONFLICT (host) DO UPDATE SET
      failures = CASE WHEN peers.first_failure_at < now() - ${sqlInterval(breaker.window)} AND peers.failures < ${breaker.failures}
        THEN excluded.failures ELSE peers.failures + excluded.failures END,
      first_failure_at = CASE WHEN peers.first_failure_at IS NULL OR peers.first_failure_at < now() - ${sqlInterval(breaker.window)}
        AND peers.failures < ${breaker.failures} THEN now() ELSE peers.first_failure_at END,
      last_failure_at = now(), last_error = excluded.last_error,
      open_until = CASE WHEN excluded.failures > 0 AND peers.failures + 1 >= ${breaker.failures}
        THEN now() + least(${sqlInterval(breaker.maxPause)},
          ${sqlInterval(breaker.pause)} * power(2, least(20, peers.failures + 1 - ${breaker.failures}))) ELSE peers.open_until END`)
  await runQuery(sql`
    UPDATE deliveries SET attempts = attempts + 1, rank = 1, leased_until = NULL, not_before = now() + make_interval(secs => given.delay)
    FROM unnest(${retried.map(({ id }) => id)}::bigint[], ${retried.map(({ delay }) => delay! / 1000)}::float8[]) AS given (id, delay)
      WHERE deliveries.id = given.id`)
  // A failed delivery is not retried if a newer one superseded it meanwhile.
  await runQuery(sql`
    DELETE FROM deliveries d WHERE id = ANY(${abandoned.map(({ id }) => id)}::bigint[])
      OR id = ANY(${retried.map(({ id }) => id)}::bigint[]) AND supersedes IS NOT NULL
      AND EXISTS (SELECT 1 FROM deliveries newer WHERE newer.supersedes = d.supersedes AND newer.host = d.host
        AND newer.inbox_url = d.inbox_url AND newer.outgoing_id > d.outgoing_id)`)
}

/** Deletes deliveries whose lifetime is over. */
export async function deleteExpiredDeliveries(): Promise<void> {
  await runQuery(sql`DELETE FROM deliveries WHERE expires_at < now() AND (leased_until IS NULL OR leased_until < now())`)
}

/** Renews the leases of claimed deliveries. */
export async function renewDeliveryLeases(ids: string[]): Promise<void> {
  await runQuery(sql`UPDATE deliveries SET leased_until = now() + ${sqlInterval(OUTBOX.lease)} WHERE id = ANY(${ids}::bigint[])`)
}

/** Releases claimed deliveries that were not started. */
export async function releaseDeliveries(ids: string[]): Promise<void> {
  await runQuery(sql`UPDATE deliveries SET leased_until = NULL WHERE id = ANY(${ids}::bigint[])`)
}
