import { config } from '../core/config.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'

/** Removes the keys of deleted local actors once their Delete was delivered or given up: after twice `federation.outbox.keep`. */
export async function removeExpiredRetiredKeys(): Promise<void> {
  const { keep } = config.federation.outbox
  await runQuery(sql`DELETE FROM retired_keys WHERE created_at < now() - 2 * ${sqlInterval(keep)}`)
}
