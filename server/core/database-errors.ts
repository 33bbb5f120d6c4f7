import { DatabaseBusyError, DatabaseUnavailableError } from './database-availability.ts'
import { Problem } from './problem.ts'

/** The messages of pg for a lost connection; these errors have no code. */
const CONNECTION_LOST = /^Connection terminated|^Client .* is not queryable$|^timeout expired$/
/**
 * The database was reached and cannot do this now: it starts, stops, has no connection, memory or other resource to spare, cannot use its disk,
 * or only reads, as a standby does (PostgreSQL, "Error Codes").
 */
const UNAVAILABLE = /^(08|57P|53[0234]00|58030|25006)/
const DISK_FULL = '53100'
const QUERY_CANCELED = '57014'

/** Whether the database could not be reached, or closed the connection. */
export function isDatabaseUnavailable(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  const { code, message } = cause(error)
  return (
    error instanceof DatabaseUnavailableError ||
    /^Sequelize(Connection|HostNotFound|HostNotReachable|AccessDenied)/.test(error.name) ||
    UNAVAILABLE.test(code) ||
    // A lost connection; the codes of errors that are not the database's mean something else.
    (error.name.startsWith('Sequelize') && /^E[A-Z]{4,}$/.test(code)) ||
    CONNECTION_LOST.test(message)
  )
}

/** Whether a statement was ended by its time limit (`database.statement_timeout`), or got no connection within it. */
export function isStatementTimeout(error: unknown): error is Error {
  return error instanceof DatabaseBusyError || (error instanceof Error && cause(error).code === QUERY_CANCELED)
}

/** Converts an error of the database that is not the request's fault to a Problem: 503, or 507 for a full disk; null for any other error. */
export function databaseProblem(error: unknown): Problem | null {
  if (isDatabaseUnavailable(error))
    return new Problem(503, 'database_unavailable', 'This site is briefly unavailable. Try again shortly.', { headers: retryAfter(5) })
  if (isStatementTimeout(error))
    return new Problem(503, 'database_timeout', 'This took too long. Try again later, or ask for less.', { headers: retryAfter(30) })
  if (error instanceof Error && cause(error).code === DISK_FULL)
    return new Problem(507, 'insufficient_storage', 'The server has no room left: nothing can be stored now.')
  return null
}

const retryAfter = (seconds: number): Record<string, string> => ({ 'Retry-After': String(seconds) })

function cause(error: Error): { code: string; message: string } {
  const { code, message } = (error as { original?: { code?: string; message?: string } }).original ?? (error as { code?: string } & Error)
  return { code: code ?? '', message: message ?? '' }
}
