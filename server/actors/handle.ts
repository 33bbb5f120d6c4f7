import { instanceHost } from '../core/config.ts'
import { sql, type Sql } from '../core/sql.ts'

/**
 * SQL condition that matches an actor by `name`, `@name` or `name@host`, case-insensitively; without a host or with the instance's own only
 * local actors.
 */
export function matchesHandleSql(actor: Sql, handle: string): Sql {
  const [name, host] = handle.normalize('NFC').replace(/^@/, '').split('@')
  const local = host === undefined || host.toLowerCase() === instanceHost().toLowerCase()
  const hostCondition = local ? sql`${actor}.host IS NULL` : sql`${actor}.host IS NOT NULL AND lower(${actor}.host) = lower(${host})`
  return sql`lower(${actor}.preferred_username) = lower(${name}) AND ${hostCondition}`
}

/**
 * Returns the `name@host` of what names an actor: with a leading @, as `acct:` (RFC 7565), or with ! as Lemmy writes its communities; null
 * for anything else.
 */
export function parseHandle(text: string): string | null {
  return /^(?:acct:@?|[@!])?([\p{L}\p{M}\p{N}_.:-]{1,120}@[\w.:[\]-]{1,255})$/iu.exec(text)?.[1] ?? null
}
