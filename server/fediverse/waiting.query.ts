import { run, sql } from '../core/sql.ts'

/** How many activities are under way in either direction; `held` are those for servers that are left alone for now. */
export async function countWaiting(): Promise<{ incoming: { waiting: number }, outgoing: { waiting: number, held: number } }> {
  const [row] = await run<{ incoming: number, unspread: number, deliveries: number, held: number }>(sql`
    SELECT (SELECT count(*)::int FROM incoming WHERE done_at IS NULL) AS incoming, (SELECT count(*)::int FROM outgoing WHERE fanned_out_at IS NULL) AS unspread,
      (SELECT count(*)::int FROM deliveries WHERE expires_at IS NULL OR expires_at > now()) AS deliveries, (SELECT count(*)::int FROM deliveries JOIN peers USING (host) WHERE open_until > now()) AS held`)
  return { incoming: { waiting: row!.incoming }, outgoing: { waiting: row!.unspread + row!.deliveries, held: row!.held } }
}
