import { FetchError } from './fetch-budget.ts'
import { RetryLaterError } from './activity-handlers.ts'

/** Whether a fault may be over soon: a server that does not answer, a database that restarts or met a deadlock. */
export function isTransientError(error: unknown): error is Error {
  if (error instanceof RetryLaterError || (error instanceof FetchError && error.kind === 'unreachable')) return true
  return isDatabaseUnavailable(error)
}

/** How pg words that a connection is no more; these errors have no code. */
const GONE = /^Connection terminated|^Client .* is not queryable$|^timeout expired$/

/** Whether the database could not be reached, hung up, or undid the work because of others'. */
export function isDatabaseUnavailable(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  const { code = '', message = '' } =
    (error as { original?: { code?: string; message?: string } }).original ?? (error as { code?: string; message?: string })
  return (
    /^Sequelize(Connection|HostNotFound|HostNotReachable|AccessDenied|Timeout)/.test(error.name) ||
    /^(08|40|53|57)/.test(code) ||
    /^E[A-Z]{4,}$/.test(code) ||
    GONE.test(message)
  )
}
