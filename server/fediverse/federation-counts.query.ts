import { runQuery, sql } from '../core/sql.ts'

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
