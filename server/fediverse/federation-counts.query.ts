import { runQuery, sql } from '../core/sql.ts'

/** How many servers there are that something was sent to or heard from, and how many of them are in which trouble. */
export async function countPeers(): Promise<{ total: number; failing: number; open: number; suspended: number }> {
  const [row] = await runQuery<{ total: number; failing: number; open: number; suspended: number }>(sql`
    SELECT count(*)::int AS total, count(*) FILTER (WHERE suspended_at IS NOT NULL)::int AS suspended, count(*) FILTER (WHERE suspended_at IS NULL AND open_until > now())::int AS open,
      count(*) FILTER (WHERE suspended_at IS NULL AND failures > 0 AND (open_until IS NULL OR open_until <= now()))::int AS failing FROM peers`)
  return row!
}

/** How many activities are under way in either direction; `held` are those for servers that are left alone for now. */
export async function countPendingActivities(): Promise<{ incoming: { waiting: number }; outgoing: { waiting: number; held: number } }> {
  const [row] = await runQuery<{ incoming: number; unspread: number; deliveries: number; held: number }>(sql`
    SELECT (SELECT count(*)::int FROM incoming WHERE done_at IS NULL) AS incoming, (SELECT count(*)::int FROM outgoing WHERE fanned_out_at IS NULL) AS unspread,
      (SELECT count(*)::int FROM deliveries WHERE expires_at IS NULL OR expires_at > now()) AS deliveries, (SELECT count(*)::int FROM deliveries JOIN peers USING (host) WHERE open_until > now()) AS held`)
  return { incoming: { waiting: row!.incoming }, outgoing: { waiting: row!.unspread + row!.deliveries, held: row!.held } }
}
