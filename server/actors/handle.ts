import { instanceHost } from '../core/config.ts'
import { sql, type Sql } from '../core/sql.ts'

/**
 * The condition that finds the actor `name`, `@name` or `name@host`; without a host, or with ours, it is a local one. Case does not matter.
 */
export function matchesHandleSql(actor: Sql, handle: string): Sql {
  const [name, itsHost] = handle.replace(/^@/, '').split('@')
  const local = itsHost === undefined || itsHost.toLowerCase() === instanceHost().toLowerCase()
  const place = local ? sql`${actor}.host IS NULL` : sql`${actor}.host IS NOT NULL AND lower(${actor}.host) = lower(${itsHost})`
  return sql`lower(${actor}.preferred_username) = lower(${name}) AND ${place}`
}
