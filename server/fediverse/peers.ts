import { z } from 'zod'
import { config } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { emitEvent } from '../core/events.ts'
import { defineJob } from '../core/job.ts'
import { queryAs, runQuery, sql } from '../core/sql.ts'
import { keyring } from './keyring.ts'
import { hostOf } from './origin.ts'
import type { DeliveryAudience } from './outbox.ts'
import { deleteExpiredDeliveries, sqlInterval } from './outgoing.query.ts'

/** How a host is doing: `open` is left alone for a while, `suspended` until it speaks again. */
export type PeerStatus = 'ok' | 'failing' | 'open' | 'suspended'

const Row = z.object({
  host: z.string(),
  state: z.enum(['ok', 'failing', 'open', 'suspended']),
  failures: z.int(),
  lastSuccessAt: z.string().nullable(),
  lastFailureAt: z.string().nullable(),
  lastError: z.string().nullable(),
  lastReceivedAt: z.string().nullable(),
  openUntil: z.string().nullable(),
  missedSince: z.string().nullable(),
  waiting: z.int(),
  oldestWaitingAt: z.string().nullable(),
  signature: z.string()
})
/** A host as the admin sees it. */
export type PeerRow = z.output<typeof Row>

const time = (column: ReturnType<typeof sql>) => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** Hosts with what waits for them, those in trouble first. */
export async function listPeers(start: number, count: number): Promise<{ total: number; data: PeerRow[] }> {
  const data = await queryAs(
    Row,
    sql`
    SELECT p.host, CASE WHEN p.suspended_at IS NOT NULL THEN 'suspended' WHEN p.open_until > now() THEN 'open' WHEN p.failures > 0 THEN 'failing' ELSE 'ok' END AS state,
      p.failures, ${time(sql`p.last_success_at`)} AS "lastSuccessAt", ${time(sql`p.last_failure_at`)} AS "lastFailureAt", p.last_error AS "lastError", ${time(sql`p.last_received_at`)} AS "lastReceivedAt",
      ${time(sql`p.open_until`)} AS "openUntil", ${time(sql`p.missed_since`)} AS "missedSince", coalesce(d.waiting, 0)::int AS waiting, ${time(sql`d.oldest`)} AS "oldestWaitingAt", coalesce(p.signature, 'cavage') AS signature
    FROM peers p LEFT JOIN (SELECT host, count(*) AS waiting, min(created_at) AS oldest FROM deliveries GROUP BY host) d ON d.host = p.host
    ORDER BY (p.suspended_at IS NOT NULL) DESC, p.failures DESC, coalesce(d.waiting, 0) DESC, p.host LIMIT ${count} OFFSET ${start}`
  )
  const [row] = await runQuery<{ total: number }>(sql`SELECT count(*)::int AS total FROM peers`)
  return { total: row!.total, data }
}

/** Remembers which kind of signature a host wants. */
export async function recordPeerSignatureScheme(host: string, scheme: 'cavage' | 'rfc9421'): Promise<void> {
  await runQuery(
    sql`INSERT INTO peers (host, signature, signature_at) VALUES (${host}, ${scheme}, now()) ON CONFLICT (host) DO UPDATE SET signature = ${scheme}, signature_at = now()`
  )
}

/** Tries a host again at once, whatever its breaker says. False: it is not known. */
export async function retryPeer(host: string): Promise<boolean> {
  const known = await transaction(async inside => {
    await runQuery(sql`UPDATE deliveries SET not_before = now() WHERE host = ${host}`, inside)
    return await runQuery(sql`UPDATE peers SET open_until = NULL, suspended_at = NULL WHERE host = ${host} RETURNING host`, inside)
  })
  emitEvent('outbox.filled', { lane: 0, delay: 0 })
  return known.length > 0
}

/** Tells a host again everything it may have missed since a time (since it was given up, if none is named). False: it is not known. */
export async function resyncPeer(host: string, since?: Date): Promise<boolean> {
  const [peer] = await runQuery<{ missed_since: Date | null }>(sql`SELECT missed_since FROM peers WHERE host = ${host}`)
  if (!peer) return false
  const from = since ?? peer.missed_since ?? new Date(Date.now() - config.federation.outbox.keep)
  await transaction(async inside => {
    const missed = await runQuery<{ id: string; audience: DeliveryAudience }>(
      sql`
      SELECT id::text, audience FROM outgoing WHERE created_at >= ${from} AND fanned_out_at IS NOT NULL AND type IN ('Create', 'Update', 'Announce', 'Delete', 'Undo') ORDER BY id`,
      inside
    )
    for (const { id, audience } of missed) {
      const inboxes = (await keyring.inboxesOf(audience.followersOf ?? []))
        .concat(audience.inboxes ?? [])
        .filter(url => hostOf(url) === host)
      await runQuery(
        sql`
        INSERT INTO deliveries (outgoing_id, inbox_url, host, lane, subject, supersedes)
        SELECT o.id, given.url, ${host}, o.lane, o.subject, o.supersedes FROM outgoing o, unnest(${[...new Set(inboxes)]}::text[]) AS given (url) WHERE o.id = ${id}::bigint ON CONFLICT DO NOTHING`,
        inside
      )
    }
    await runQuery(sql`UPDATE peers SET missed_since = NULL WHERE host = ${host}`, inside)
  })
  return await retryPeer(host)
}

const heard = new Map<string, number>()
const HEARD_AGAIN = 60_000
const MAX_HEARD = 10_000

/** A host has spoken (a signed request was good): what is held for it goes out, and what it missed is told. */
export async function recordPeerContact(host: string): Promise<void> {
  const now = Date.now()
  if ((heard.get(host) ?? 0) > now - HEARD_AGAIN) return
  heard.delete(host)
  heard.set(host, now)
  if (heard.size > MAX_HEARD) heard.delete(heard.keys().next().value!)
  const [before] = await runQuery<{ troubled: boolean; missed: boolean }>(sql`
    WITH before AS (SELECT open_until, suspended_at, missed_since FROM peers WHERE host = ${host})
    INSERT INTO peers (host, last_received_at) VALUES (${host}, now()) ON CONFLICT (host) DO UPDATE SET last_received_at = now()
    RETURNING (SELECT open_until > now() OR suspended_at IS NOT NULL FROM before) AS troubled, (SELECT missed_since IS NOT NULL FROM before) AS missed`)
  if (before?.missed) await resyncPeer(host)
  else if (before?.troubled) await retryPeer(host)
}

/** Gives up what could not be delivered in time, and forgets what everybody has. */
export const sweepOutbox = defineJob({
  name: 'sweep-outbox',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.federation.outbox.sweep_interval,
  run: async () => {
    const { keep, max_held, signature_memory } = config.federation.outbox
    await deleteExpiredDeliveries()
    await runQuery(sql`
      WITH late AS (DELETE FROM deliveries WHERE created_at < now() - ${sqlInterval(keep)} RETURNING host, created_at)
      UPDATE peers SET suspended_at = coalesce(suspended_at, now()), missed_since = least(missed_since, late.since)
      FROM (SELECT host, min(created_at) AS since FROM late GROUP BY host) AS late WHERE peers.host = late.host AND peers.failures > 0`)
    await runQuery(sql`
      WITH ranked AS (SELECT d.id, d.host, d.created_at, row_number() OVER (PARTITION BY d.host ORDER BY d.id DESC) AS place FROM deliveries d JOIN peers p ON p.host = d.host WHERE p.open_until > now() AND d.lane > 0),
        over AS (DELETE FROM deliveries USING ranked WHERE ranked.id = deliveries.id AND ranked.place > ${max_held} RETURNING deliveries.host, deliveries.created_at)
      UPDATE peers SET missed_since = least(missed_since, over.since) FROM (SELECT host, min(created_at) AS since FROM over GROUP BY host) AS over WHERE peers.host = over.host`)
    await runQuery(sql`UPDATE peers SET signature = NULL WHERE signature_at < now() - ${sqlInterval(signature_memory)}`)
    await runQuery(
      sql`DELETE FROM outgoing WHERE fanned_out_at < now() - ${sqlInterval(keep)} AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.outgoing_id = outgoing.id)`
    )
  }
})
