import { runQuery, sql } from '../core/sql.ts'
import { EFFECTIVE_OUTCOMES } from './incoming.query.ts'

/** Counts known servers, and those that fail, have an open circuit breaker or are suspended. */
export async function countPeers(): Promise<{ total: number; failing: number; open: number; suspended: number }> {
  const [row] = await runQuery<{ total: number; failing: number; open: number; suspended: number }>(sql`
    SELECT count(*)::int AS total, count(*) FILTER (WHERE suspended_at IS NOT NULL)::int AS suspended,
      count(*) FILTER (WHERE suspended_at IS NULL AND open_until > now())::int AS open,
      count(*) FILTER (WHERE suspended_at IS NULL AND failures > 0 AND (open_until IS NULL OR open_until <= now()))::int AS failing
    FROM peers`)
  return row!
}

/** Counts unprocessed received activities and undelivered ones; `held`: deliveries to hosts whose circuit breaker is open; `unsendable`: activities that cannot
 * be signed and were set aside. */
export async function countPendingActivities(): Promise<{
  incoming: { waiting: number }
  outgoing: { waiting: number; held: number; unsendable: number }
}> {
  const [row] = await runQuery<{ incoming: number; queued: number; deliveries: number; held: number; unsendable: number }>(sql`
    SELECT (SELECT count(*)::int FROM incoming WHERE done_at IS NULL) AS incoming,
      (SELECT count(*)::int FROM outgoing WHERE fanned_out_at IS NULL AND set_aside_at IS NULL) AS queued,
      (SELECT count(*)::int FROM outgoing WHERE set_aside_at IS NOT NULL) AS unsendable,
      (SELECT count(*)::int FROM deliveries WHERE expires_at IS NULL OR expires_at > now()) AS deliveries,
      (SELECT count(*)::int FROM deliveries JOIN peers USING (host) WHERE open_until > now()) AS held`)
  return {
    incoming: { waiting: row!.incoming },
    outgoing: { waiting: row!.queued + row!.deliveries, held: row!.held, unsendable: row!.unsendable }
  }
}

/** Received activities of one type since the installation: those that had an effect, and the others. */
export type ProcessedActivities = { type: string; effective: number; ineffective: number }

/** Counts the received activities that were processed, by type. */
export async function countProcessedActivities(): Promise<ProcessedActivities[]> {
  return await runQuery<ProcessedActivities>(sql`
    SELECT type, sum(effective)::float8 AS effective, sum(ineffective)::float8 AS ineffective FROM (
      SELECT type, effective, ineffective FROM processed_activities
      UNION ALL SELECT type, count(*) FILTER (WHERE outcome = ANY(${EFFECTIVE_OUTCOMES})),
        count(*) FILTER (WHERE outcome <> ALL(${EFFECTIVE_OUTCOMES})) FROM incoming WHERE done_at IS NOT NULL GROUP BY type) counted
    GROUP BY type`)
}

/** Returns how many received activities were processed a second, in the last `seconds`. */
export async function processedActivitiesPerSecond(seconds: number): Promise<number> {
  const [row] = await runQuery<{ count: number }>(
    sql`SELECT count(*)::int AS count FROM incoming WHERE done_at > now() - ${seconds} * interval '1 second'`
  )
  return row!.count / seconds
}
