import { BaseError, EmptyResultError } from 'sequelize'

/** Foreign key and unique violations, serialization failures and deadlocks (PostgreSQL, "PostgreSQL Error Codes"). */
const CONFLICT_CODES = ['23503', '23505', '40001', '40P01']

/**
 * Whether a statement failed because of what another request did in the same moment: it removed a row that was there (`rejectOnEmpty`) or
 * that a new one refers to, stored the same, or waited for what this one held. What can be known before is checked before.
 */
export function isConflict(error: unknown): boolean {
  if (error instanceof EmptyResultError) return true
  const code = error instanceof BaseError ? (error as { parent?: { code?: string } }).parent?.code : undefined
  return code !== undefined && CONFLICT_CODES.includes(code)
}
