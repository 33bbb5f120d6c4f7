import { runQuery, sql, sqlInterval, type Sql } from '../core/sql.ts'
import { logger } from '../core/logger.ts'
import { defineInternals } from '../core/internals.ts'

/** Internals of noticing outages. Times in ms. */
export const OUTAGES = defineInternals('outages', {
  /** How often it is noted that this instance accepts activities. */
  noteInterval: 30_000,
  /** A longer time without a note was an outage. */
  longestSilence: 90_000
})

/**
 * The end of the last outage of this instance, in SQL; -infinity without one. What was read from other servers before may have changed
 * unnoticed, as PeerTube does not send an activity again (docs/federation.md#repair).
 */
export const lastOutageEndSql: Sql = sql`coalesce((SELECT missed_until FROM uptime), '-infinity')`

/** The same as a value of a statement, by which Postgres sees how many rows are older: nearly always none. */
export async function findLastOutageEnd(): Promise<string> {
  const [row] = await runQuery<{ end: string }>(sql`SELECT ${lastOutageEndSql}::text AS end`)
  return row!.end
}

/** Notes that this instance accepts activities, and how long it did not. */
export async function noteUptime(): Promise<void> {
  const silent = sql`uptime.seen_at < now() - ${sqlInterval(OUTAGES.longestSilence)}`
  await runQuery(sql`
    INSERT INTO uptime (seen_at) VALUES (now()) ON CONFLICT (only_row) DO UPDATE SET seen_at = excluded.seen_at,
      missed_from = CASE WHEN ${silent} THEN uptime.seen_at ELSE uptime.missed_from END,
      missed_until = CASE WHEN ${silent} THEN now() ELSE uptime.missed_until END`)
}

/** Notes it now and from time to time; called once by a process that accepts activities. */
export async function startNotingUptime(): Promise<{ stop(): void }> {
  await noteUptime()
  const timer = setInterval(
    () => void noteUptime().catch(error => logger.debug('The uptime could not be noted', { reason: (error as Error).message })),
    OUTAGES.noteInterval
  )
  return { stop: () => clearInterval(timer) }
}
