import { z } from 'zod'
import { isoTimestampSql } from '../actors/actor.shape.ts'
import { queryAs, sql, sqlAnd, type Sql } from '../core/sql.ts'

/** The states in which work of the federation is listed as a job. */
export const FEDERATION_JOB_STATES = ['active', 'waiting', 'delayed'] as const
type FederationJobState = (typeof FEDERATION_JOB_STATES)[number]

const KINDS = ['outgoing', 'delivery', 'incoming', 'follow', 'refresh'] as const
const FederationJobRef = z.object({
  kind: z.enum(KINDS),
  key: z.string(),
  type: z.string(),
  state: z.enum(FEDERATION_JOB_STATES),
  createdAt: z.date()
})
/** A row that waits in Postgres, named as a job of PeerTube; `key`: its id, or its URL for a refresh. */
export type FederationJobRef = z.output<typeof FederationJobRef>

const FederationJobDetails = z.object({
  data: z.record(z.string(), z.unknown()),
  error: z.string().nullable(),
  processedOn: z.iso.datetime().nullable()
})
/** What a job of the federation works on (the keys are PeerTube's), and why its last try failed. */
export type FederationJobDetails = z.output<typeof FederationJobDetails>

const stateSql = ({ leasedUntil, notBefore }: { leasedUntil: Sql; notBefore: Sql }) =>
  sql`CASE WHEN ${leasedUntil} > now() THEN 'active' WHEN ${notBefore} > now() THEN 'delayed' ELSE 'waiting' END`

/**
 * All work of the federation that is not done, of any table, as rows of `kind`, `key`, `type`, `state` and `createdAt`: activities without
 * deliveries yet (`activitypub-http-broadcast`), deliveries (`-unicast`), received activities (`-fetcher`), and follows and refreshes that
 * were never tried; those that failed are retried for days and are listed elsewhere.
 */
const PENDING_SQL = sql`
  SELECT 'outgoing' AS kind, id::text AS key, 'activitypub-http-broadcast' AS type,
    ${stateSql({ leasedUntil: sql`NULL::timestamptz`, notBefore: sql`not_before` })} AS state, created_at AS "createdAt"
    FROM outgoing WHERE fanned_out_at IS NULL AND set_aside_at IS NULL
  UNION ALL
  SELECT 'delivery', deliveries.id::text, 'activitypub-http-unicast',
    ${stateSql({ leasedUntil: sql`leased_until`, notBefore: sql`greatest(not_before, open_until)` })}, deliveries.created_at
    FROM deliveries LEFT JOIN peers USING (host) WHERE expires_at IS NULL OR expires_at > now()
  UNION ALL
  SELECT 'incoming', id::text, 'activitypub-http-fetcher',
    ${stateSql({ leasedUntil: sql`leased_until`, notBefore: sql`not_before` })}, created_at FROM incoming WHERE done_at IS NULL
  UNION ALL
  SELECT 'follow', id::text, 'activitypub-follow', 'waiting', created_at FROM wanted_follows WHERE attempts = 0
  UNION ALL
  SELECT 'refresh', url, 'activitypub-refresher', ${stateSql({ leasedUntil: sql`NULL::timestamptz`, notBefore: sql`not_before` })}, requested_at
    FROM object_refreshes WHERE attempts = 0 AND (fetched_at IS NULL OR requested_at > fetched_at)`

/** Counts the pending work of the federation and returns its first `limit` entries, by time of creation. */
export async function findFederationJobs(
  filters: { states: readonly FederationJobState[]; jobType?: string },
  { limit, ascending }: { limit: number; ascending: boolean }
): Promise<{ total: number; jobs: FederationJobRef[] }> {
  const { states, jobType } = filters
  if (states.length === 0) return { total: 0, jobs: [] }
  const conditions = [sql`state = ANY(${[...states]}::text[])`, ...(jobType === undefined ? [] : [sql`type = ${jobType}`])]
  const matching = sql`FROM (${PENDING_SQL}) pending WHERE ${sqlAnd(conditions)}`
  const [row] = await queryAs(z.object({ total: z.int() }), sql`SELECT count(*)::int AS total ${matching}`)
  const order = ascending ? sql`"createdAt", kind, length(key), key` : sql`"createdAt" DESC, kind, length(key) DESC, key DESC`
  const jobs = await queryAs(FederationJobRef, sql`SELECT kind, key, type, state, "createdAt" ${matching} ORDER BY ${order} LIMIT ${limit}`)
  return { total: row!.total, jobs }
}

/** Returns what a job works on; null if it is done by now. */
export async function findFederationJobDetails({ kind, key }: FederationJobRef): Promise<FederationJobDetails | null> {
  const [row] = await queryAs(FederationJobDetails.extend({ body: z.string().nullable().optional() }), detailsSql(kind, key))
  if (!row) return null
  const { body, data, ...rest } = row
  // Parsed here, as jsonb refuses texts that JSON allows.
  return { ...rest, data: body ? { ...data, body: parseJson(body) } : data }
}

function detailsSql(kind: FederationJobRef['kind'], key: string): Sql {
  switch (kind) {
    case 'outgoing':
      return sql`SELECT jsonb_build_object('signatureActorId', actors.id, 'contextType', outgoing.type, 'body', activity) AS data, body,
        sign_error AS error, NULL AS "processedOn" FROM outgoing LEFT JOIN actors ON actors.url = outgoing.actor WHERE outgoing.id = ${key}::bigint`
    case 'delivery':
      return sql`SELECT jsonb_build_object('uri', deliveries.inbox_url, 'signatureActorId', actors.id, 'contextType', outgoing.type,
          'body', activity) AS data, body, CASE WHEN deliveries.attempts > 0 THEN peers.last_error END AS error, NULL AS "processedOn"
        FROM deliveries JOIN outgoing ON outgoing.id = deliveries.outgoing_id LEFT JOIN peers ON peers.host = deliveries.host
          LEFT JOIN actors ON actors.url = outgoing.actor WHERE deliveries.id = ${key}::bigint`
    case 'incoming':
      return sql`SELECT jsonb_build_object('uri', activity_id, 'type', type, 'actor', actor) AS data, body, outcome AS error,
        NULL AS "processedOn" FROM incoming WHERE id = ${key}::bigint`
    case 'follow':
      return sql`SELECT jsonb_build_object('name', split_part(handle, '@', 1), 'host', split_part(handle, '@', 2), 'followerActorId', actor_id)
        AS data, error, NULL AS "processedOn" FROM wanted_follows WHERE id = ${key}::int`
    case 'refresh':
      return sql`SELECT jsonb_build_object('url', url) AS data, error, ${isoTimestampSql(sql`fetched_at`)} AS "processedOn"
        FROM object_refreshes WHERE url = ${key}`
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
