import { sql, type Sql } from './sql.ts'

/**
 * Clocks of several machines differ, and a transaction's stands still: so much further ahead than anybody sets a moment says nothing yet.
 */
const LEEWAY = 2

/**
 * Whether a moment that was set at most `longest` ms ahead has come, by Postgres's clock. One that lies far further ahead was set before
 * the
 * clock was put back, and would never come, or late: it has come.
 */
export function isDueSql(moment: Sql, longest: number): Sql {
  return sql`(${moment} <= now() OR ${moment} > now() + ${LEEWAY * longest} * interval '1 millisecond')`
}
