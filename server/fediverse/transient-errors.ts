import { FetchError } from './fetch-budget.ts'
import { RetryLaterError } from './activity-handlers.ts'

/** Whether an error may go away by itself: a server that does not answer, a database that restarts or reports a deadlock. */
export function isTransientError(error: unknown): error is Error {
  if (error instanceof RetryLaterError || (error instanceof FetchError && error.kind === 'unreachable')) return true
  return isDatabaseUnavailable(error)
}

/** The messages of pg for a lost connection; these errors have no code. */
const CONNECTION_LOST = /^Connection terminated|^Client .* is not queryable$|^timeout expired$/

/** Whether the database could not be reached, closed the connection, or rolled the work back because of other transactions. */
export function isDatabaseUnavailable(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  const { code = '', message = '' } =
    (error as { original?: { code?: string; message?: string } }).original ?? (error as { code?: string; message?: string })
  return (
    /^Sequelize(Connection|HostNotFound|HostNotReachable|AccessDenied|Timeout)/.test(error.name) ||
    /^(08|40|53|57)/.test(code) ||
    /^E[A-Z]{4,}$/.test(code) ||
    CONNECTION_LOST.test(message)
  )
}
