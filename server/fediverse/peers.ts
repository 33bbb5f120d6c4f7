import { z } from 'zod'
import { config } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { emitEvent } from '../core/events.ts'
import { queryAs, runQuery, sql } from '../core/sql.ts'
import { listRecipientInboxes } from './fan-out.ts'
import { keyring } from './keyring.ts'
import { hostOf, httpUrl } from './origin.ts'
import type { DeliveryAudience } from './outbox.ts'
import { idOf } from './vocabulary.ts'

/**
 * The delivery state of a host: `open` (circuit breaker) gets nothing for a while, `suspended` gets nothing until it makes contact again.
 */
export type PeerStatus = 'ok' | 'failing' | 'open' | 'suspended'

const PeerSchema = z.object({
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
/** A host as administrators see it. */
export type PeerRow = z.output<typeof PeerSchema>

const isoTimestamp = (column: ReturnType<typeof sql>) => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** Lists hosts with their waiting deliveries, hosts in trouble first. */
export async function listPeers(start: number, count: number): Promise<{ total: number; data: PeerRow[] }> {
  const data = await queryAs(
    PeerSchema,
    sql`
    SELECT p.host,
      CASE WHEN p.suspended_at IS NOT NULL THEN 'suspended' WHEN p.open_until > now() THEN 'open'
        WHEN p.failures > 0 THEN 'failing' ELSE 'ok' END AS state,
      p.failures, ${isoTimestamp(sql`p.last_success_at`)} AS "lastSuccessAt", ${isoTimestamp(sql`p.last_failure_at`)} AS "lastFailureAt",
      p.last_error AS "lastError", ${isoTimestamp(sql`p.last_received_at`)} AS "lastReceivedAt",
      ${isoTimestamp(sql`p.open_until`)} AS "openUntil", ${isoTimestamp(sql`p.missed_since`)} AS "missedSince",
      coalesce(d.waiting, 0)::int AS waiting, ${isoTimestamp(sql`d.oldest`)} AS "oldestWaitingAt",
      coalesce(p.signature, 'cavage') AS signature
    FROM peers p LEFT JOIN (SELECT host, count(*) AS waiting, min(created_at) AS oldest FROM deliveries GROUP BY host) d ON d.host = p.host
    ORDER BY (p.suspended_at IS NOT NULL) DESC, p.failures DESC, coalesce(d.waiting, 0) DESC, p.host LIMIT ${count} OFFSET ${start}`
  )
  const [row] = await runQuery<{ total: number }>(sql`SELECT count(*)::int AS total FROM peers`)
  return { total: row!.total, data }
}

/** Records which signature scheme a host accepts. */
export async function recordPeerSignatureScheme(host: string, scheme: 'cavage' | 'rfc9421'): Promise<void> {
  await runQuery(
    sql`INSERT INTO peers (host, signature, signature_at) VALUES (${host}, ${scheme}, now())
      ON CONFLICT (host) DO UPDATE SET signature = ${scheme}, signature_at = now()`
  )
}

/** Retries a host at once, whatever its circuit breaker says. Returns false if the host is unknown. */
export async function retryPeer(host: string): Promise<boolean> {
  const updated = await transaction(async tx => {
    await runQuery(sql`UPDATE deliveries SET not_before = now() WHERE host = ${host}`, tx)
    return await runQuery(sql`UPDATE peers SET open_until = NULL, suspended_at = NULL WHERE host = ${host} RETURNING host`, tx)
  })
  emitEvent('outbox.filled', { lane: 0, delay: 0 })
  return updated.length > 0
}

type MissedActivity = { id: string; actor: string; type: string; audience: DeliveryAudience; forwarded_body: string | null }

/** Whether the author of a forwarded activity is on a host. */
function isByHost(forwardedBody: string | null, host: string): boolean {
  if (forwardedBody === null) return false
  const { actor } = JSON.parse(forwardedBody) as { actor?: unknown }
  return hostOf(httpUrl(idOf(actor)) ?? '') === host
}

/**
 * Sends a host again everything it may have missed since a time (by default since it was suspended, else all that is kept). Returns false
 * if the host is unknown.
 */
export async function resyncPeer(host: string, since?: Date): Promise<boolean> {
  const [peer] = await runQuery<{ missed_since: Date | null }>(sql`SELECT missed_since FROM peers WHERE host = ${host}`)
  if (!peer) return false
  const from = since ?? peer.missed_since ?? new Date(Date.now() - config.federation.outbox.keep)
  await transaction(async tx => {
    const missedActivities = await runQuery<MissedActivity>(
      sql`
      SELECT id::text, actor, type, audience, CASE WHEN forwarded THEN body END AS forwarded_body FROM outgoing
      WHERE created_at >= ${from} AND fanned_out_at IS NOT NULL AND type IN ('Create', 'Update', 'Announce', 'Delete', 'Undo') ORDER BY id`,
      tx
    )
    for (const { id, actor, type, audience, forwarded_body: forwardedBody } of missedActivities) {
      if (isByHost(forwardedBody, host)) continue
      // Of an actor that was deleted meanwhile only its Delete is left to say.
      if (type !== 'Delete' && !(await keyring.isKnown(actor))) continue
      const inboxes = (await listRecipientInboxes(audience)).filter(url => hostOf(url) === host)
      await runQuery(
        sql`
        INSERT INTO deliveries (outgoing_id, inbox_url, host, lane, subject, supersedes)
        SELECT o.id, given.url, ${host}, o.lane, o.subject, o.supersedes
        FROM outgoing o, unnest(${inboxes}::text[]) AS given (url) WHERE o.id = ${id}::bigint ON CONFLICT DO NOTHING`,
        tx
      )
    }
    await runQuery(sql`UPDATE peers SET missed_since = NULL WHERE host = ${host}`, tx)
  })
  return await retryPeer(host)
}

const recordedContacts = new Map<string, number>()
const CONTACT_INTERVAL = 60_000
const MAX_RECORDED_CONTACTS = 10_000

/**
 * Records that a host sent a correctly signed request; releases the deliveries held for it and resends what it missed. Does nothing if
 * called again for the host within `CONTACT_INTERVAL` ms.
 */
export async function recordPeerContact(host: string): Promise<void> {
  const now = Date.now()
  if ((recordedContacts.get(host) ?? 0) > now - CONTACT_INTERVAL) return
  recordedContacts.delete(host)
  recordedContacts.set(host, now)
  if (recordedContacts.size > MAX_RECORDED_CONTACTS) recordedContacts.delete(recordedContacts.keys().next().value!)
  const [previous] = await runQuery<{ troubled: boolean; missed: boolean }>(sql`
    WITH before AS (SELECT open_until, suspended_at, missed_since FROM peers WHERE host = ${host})
    INSERT INTO peers (host, last_received_at) VALUES (${host}, now()) ON CONFLICT (host) DO UPDATE SET last_received_at = now()
    RETURNING (SELECT open_until > now() OR suspended_at IS NOT NULL FROM before) AS troubled,
      (SELECT missed_since IS NOT NULL FROM before) AS missed`)
  if (previous?.missed) await resyncPeer(host)
  else if (previous?.troubled) await retryPeer(host)
}
