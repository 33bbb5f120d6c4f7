/** Longer texts are no dates. */
const MAX_LENGTH = 60

/** Returns a date that another server has written, of the years 1 to 9999 as Postgres and RFC 3339 know them; null for anything else. */
export function parseRemoteDate(value: unknown): Date | null {
  const date = typeof value === 'string' && value.length <= MAX_LENGTH ? new Date(value) : null
  const year = date?.getUTCFullYear() ?? NaN
  return date && year >= 1 && year <= 9999 ? date : null
}
