import { sql, type Sql } from './sql.ts'

/**
 * How many times `longest` a moment may lie ahead before the clock must have been put back: clocks of several machines differ, and now()
 * stands still during a transaction.
 */
const SKEW_TOLERANCE = 2

/**
 * SQL condition: whether a moment that was set at most `longest` ms ahead has passed by Postgres's clock. A moment far further ahead was
 * set before the clock was put back and counts as passed, as it would otherwise pass too late or never.
 */
export function isDueSql(moment: Sql, longest: number): Sql {
  return sql`(${moment} <= now() OR ${moment} > now() + ${SKEW_TOLERANCE * longest} * interval '1 millisecond')`
}
