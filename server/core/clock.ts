import { sql, type Sql } from './sql.ts'

/**
 * Whether a moment that was set at most `longest` ms ahead has come, by Postgres's clock. One that lies further ahead was set before the clock
 * was put back, and would never come, or late: it has come.
 */
export function hasCome(moment: Sql, longest: number): Sql {
  return sql`(${moment} <= now() OR ${moment} > now() + ${longest} * interval '1 millisecond')`
}
