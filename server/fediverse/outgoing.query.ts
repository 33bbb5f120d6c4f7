import type { Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { acquireLock } from '../core/locks.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import type { DeliveryAudience } from './outbox.ts'
import type { JsonObject } from './vocabulary.ts'

/** An activity whose recipients are still to be found. */
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
/** One POST in hand; `failures` are those of its host, in a row. */
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
/** What became of a POST that did not arrive: tried again after so many ms, or given up. */
export type FailedDelivery = { id: string; host: string; delay: number | null; error: string; counts: boolean }

const FEW = 20
/** So many POSTs are taken in hand at once for each connection to a host. */
const PER_CONNECTION = 4

/** Gives the next activities to `spread`, which writes their deliveries, all in one transaction. False: there was none. */
export async function withNextOutgoingActivities(
  spread: (rows: OutgoingActivityRow[], inside: Transaction) => Promise<void>
): Promise<boolean> {
  return await transaction(async inside => {
    await acquireLock('FAN_OUT', inside)
    const rows = await runQuery<OutgoingActivityRow>(
      sql`
      SELECT id::text, actor, type, activity, body, audience, lane, subject, supersedes, forwarded FROM outgoing
      WHERE fanned_out_at IS NULL AND not_before <= now() ORDER BY lane, id LIMIT ${FEW}`,
      inside
    )
    if (rows.length > 0) await spread(rows, inside)
    return rows.length > 0
  })
}

/** An activity with the bytes that are sent, and where to. */
export type FannedOutActivity = { row: OutgoingActivityRow; body: string; digest: string; inboxes: { url: string; host: string }[] }

/** Writes the deliveries of activities. Hosts that are given up for now get none; what they miss is noted for the day they are back. */
export async function writeDeliveries(all: FannedOutActivity[], inside: Transaction): Promise<void> {
  await runQuery(
    sql`
    UPDATE outgoing SET body = given.body, digest = given.digest, fanned_out_at = now()
    FROM unnest(${all.map(({ row }) => row.id)}::bigint[], ${all.map(({ body }) => body)}::text[], ${all.map(({ digest }) => digest)}::text[]) AS given (id, body, digest) WHERE outgoing.id = given.id`,
    inside
  )
  // One after the other where the later replaces the earlier.
  for (const one of all.filter(({ row }) => row.supersedes !== null)) await write([one], inside)
  await write(
    all.filter(({ row }) => row.supersedes === null),
    inside
  )
}

async function write(all: FannedOutActivity[], inside: Transaction): Promise<void> {
  const given = all.flatMap(({ row, inboxes }) => inboxes.map(({ url, host }) => ({ id: row.id, url, host })))
  if (given.length === 0) return
  const hosts = given.map(({ host }) => host)
  for (const { row } of all) {
    if (row.supersedes !== null)
      await runQuery(
        sql`DELETE FROM deliveries WHERE supersedes = ${row.supersedes} AND host = ANY(${hosts}) AND (leased_until IS NULL OR leased_until < now())`,
        inside
      )
  }
  await runQuery(
    sql`
    UPDATE peers SET missed_since = coalesce(missed_since, now()) WHERE suspended_at IS NOT NULL AND host = ANY(${hosts})`,
    inside
  )
  await runQuery(
    sql`
    INSERT INTO deliveries (outgoing_id, inbox_url, host, lane, rank, subject, supersedes, expires_at)
    SELECT outgoing.id, given.inbox_url, given.host, outgoing.lane, (coalesce(peers.failures, 0) > 0)::int, outgoing.subject, outgoing.supersedes, outgoing.expires_at
    FROM unnest(${given.map(({ id }) => id)}::bigint[], ${given.map(({ url }) => url)}::text[], ${hosts}::text[]) WITH ORDINALITY AS given (id, inbox_url, host, place) JOIN outgoing ON outgoing.id = given.id LEFT JOIN peers ON peers.host = given.host
    WHERE peers.suspended_at IS NULL
    ORDER BY place
    ON CONFLICT DO NOTHING`,
    inside
  )
}

/**
 * Takes deliveries in hand for the time of a lease, the urgent lanes first, and in them hosts that did not fail lately: none of a host
 * whose breaker is open or that is in `busy`, one
 * of a host that is being probed, and none that would overtake an earlier one about the same subject.
 */
export async function claimDeliveries(limit: number, busy: string[]): Promise<Delivery[]> {
  const { lease, breaker, per_host } = config.federation.outbox
  return await runQuery<Delivery>(sql`
    WITH due AS (
      SELECT d.id, d.host, d.lane, d.rank, coalesce(p.failures, 0) AS failures, p.signature
      FROM deliveries d LEFT JOIN peers p ON p.host = d.host
      WHERE d.not_before <= now() AND (d.expires_at IS NULL OR d.expires_at > now()) AND (d.leased_until IS NULL OR d.leased_until < now()) AND (p.open_until IS NULL OR p.open_until <= now())
        AND d.host <> ALL(${busy}::text[])
        AND (coalesce(p.failures, 0) < ${breaker.failures} OR NOT EXISTS (SELECT 1 FROM deliveries probe WHERE probe.host = d.host AND probe.leased_until > now()))
        AND NOT EXISTS (SELECT 1 FROM deliveries b WHERE b.host = d.host AND b.subject = d.subject AND b.inbox_url = d.inbox_url AND b.outgoing_id < d.outgoing_id AND (b.expires_at IS NULL OR b.expires_at > now()))
      ORDER BY d.lane, d.rank, d.id LIMIT ${limit} FOR UPDATE OF d SKIP LOCKED
    ), chosen AS (
      SELECT id, failures, signature FROM (SELECT due.*, row_number() OVER (PARTITION BY host ORDER BY lane, rank, id) AS place FROM due) ranked
      WHERE place = 1 OR failures < ${breaker.failures} AND place <= ${per_host * PER_CONNECTION}
    )
    UPDATE deliveries SET leased_until = now() + ${sqlInterval(lease)}
    FROM chosen, outgoing WHERE deliveries.id = chosen.id AND outgoing.id = deliveries.outgoing_id
    RETURNING deliveries.id::text, outgoing_id::text, inbox_url, deliveries.host, attempts, outgoing.actor, outgoing.body, outgoing.digest, chosen.failures, chosen.signature`)
}

/** Forgets deliveries that have arrived, and notes the good news of their hosts. */
export async function recordDeliverySuccesses(done: { id: string; host: string }[]): Promise<void> {
  await runQuery(sql`DELETE FROM deliveries WHERE id = ANY(${done.map(({ id }) => id)}::bigint[])`)
  await runQuery(sql`
    INSERT INTO peers (host, last_success_at) SELECT DISTINCT host, now() FROM unnest(${done.map(({ host }) => host)}::text[]) AS given (host) ORDER BY host
    ON CONFLICT (host) DO UPDATE SET last_success_at = now(), failures = 0, first_failure_at = NULL, open_until = NULL, suspended_at = NULL`)
}

/** Lets failed deliveries wait or go, and counts what their hosts did; a host that fails too often is left alone, each time for longer. */
export async function recordDeliveryFailures(all: FailedDelivery[]): Promise<void> {
  const { breaker } = config.federation.outbox
  const again = all.filter(one => one.delay !== null)
  const over = all.filter(one => one.delay === null)
  // First the host, so that nothing of it is taken in hand before its breaker is open.
  const hosts = new Map(all.map(one => [one.host, one]))
  await runQuery(sql`
    INSERT INTO peers (host, failures, first_failure_at, last_failure_at, last_error)
    SELECT host, counts, now(), now(), error FROM unnest(${[...hosts.keys()]}::text[], ${[...hosts.values()].map(one => (one.counts ? 1 : 0))}::int[], ${[...hosts.values()].map(one => one.error)}::text[]) AS given (host, counts, error) ORDER BY host
    ON CONFLICT (host) DO UPDATE SET
      failures = CASE WHEN peers.first_failure_at < now() - ${sqlInterval(breaker.window)} AND peers.failures < ${breaker.failures} THEN excluded.failures ELSE peers.failures + excluded.failures END,
      first_failure_at = CASE WHEN peers.first_failure_at IS NULL OR peers.first_failure_at < now() - ${sqlInterval(breaker.window)} AND peers.failures < ${breaker.failures} THEN now() ELSE peers.first_failure_at END,
      last_failure_at = now(), last_error = excluded.last_error,
      open_until = CASE WHEN excluded.failures > 0 AND peers.failures + 1 >= ${breaker.failures}
        THEN now() + least(${sqlInterval(breaker.max_pause)}, ${sqlInterval(breaker.pause)} * power(2, least(20, peers.failures + 1 - ${breaker.failures}))) ELSE peers.open_until END`)
  await runQuery(sql`
    UPDATE deliveries SET attempts = attempts + 1, rank = 1, leased_until = NULL, not_before = now() + make_interval(secs => given.delay)
    FROM unnest(${again.map(({ id }) => id)}::bigint[], ${again.map(({ delay }) => delay! / 1000)}::float8[]) AS given (id, delay) WHERE deliveries.id = given.id`)
  // What was said anew while it was in hand need not be said again.
  await runQuery(sql`
    DELETE FROM deliveries d WHERE id = ANY(${over.map(({ id }) => id)}::bigint[]) OR id = ANY(${again.map(({ id }) => id)}::bigint[]) AND supersedes IS NOT NULL
      AND EXISTS (SELECT 1 FROM deliveries newer WHERE newer.supersedes = d.supersedes AND newer.host = d.host AND newer.inbox_url = d.inbox_url AND newer.outgoing_id > d.outgoing_id)`)
}

/** Gives up what would say nothing any more. */
export async function deleteExpiredDeliveries(): Promise<void> {
  await runQuery(sql`DELETE FROM deliveries WHERE expires_at < now() AND (leased_until IS NULL OR leased_until < now())`)
}

/** Keeps what is in hand. */
export async function renewDeliveryLeases(ids: string[]): Promise<void> {
  await runQuery(
    sql`UPDATE deliveries SET leased_until = now() + ${sqlInterval(config.federation.outbox.lease)} WHERE id = ANY(${ids}::bigint[])`
  )
}

/** Puts back what was not begun. */
export async function releaseDeliveries(ids: string[]): Promise<void> {
  await runQuery(sql`UPDATE deliveries SET leased_until = NULL WHERE id = ANY(${ids}::bigint[])`)
}

/** A span of time as SQL. */
export const sqlInterval = (ms: number): Sql => sql`make_interval(secs => ${ms / 1000}::double precision)`
