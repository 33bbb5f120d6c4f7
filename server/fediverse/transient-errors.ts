import { isDatabaseUnavailable, isStatementTimeout } from '../core/database-errors.ts'
import { FetchError } from './fetch-budget.ts'
import { RetryLaterError } from './activity-handlers.ts'

/** Whether an error may go away by itself: a server that does not answer, a database that restarts or reports a deadlock. */
export function isTransientError(error: unknown): error is Error {
  if (error instanceof RetryLaterError || (error instanceof FetchError && error.kind === 'unreachable')) return true
  return isDatabaseUnavailable(error) || isStatementTimeout(error) || (error instanceof Error && TRANSIENT_CODE.test(codeOf(error)))
}

/** Rolled back because of other transactions, out of resources (PostgreSQL, "Error Codes"), or an error of a connection. */
const TRANSIENT_CODE = /^(40|53|E[A-Z]{4,}$)/

function codeOf(error: Error): string {
  return (error as { original?: { code?: string } }).original?.code ?? (error as { code?: string }).code ?? ''
}
