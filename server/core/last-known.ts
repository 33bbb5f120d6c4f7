import { databaseProblem } from './database-errors.ts'

/** How long (ms) a result may stand in for a database that is away. */
const MAX_AGE = 10 * 60_000
/** The largest number of kept results per function; those found the longest ago go first. */
const MAX_ENTRIES = 10_000

/**
 * Returns `find` with a memory: while the database is away it returns what it returned last for the key, if that was less than ten minutes
 * ago. It is for what decides about public files, so that what is being watched goes on. `isKept`: whether a result may be kept.
 */
export function keepLastKnown<A extends unknown[], T>(
  find: (...given: A) => Promise<T>,
  keyOf: (...given: A) => string,
  isKept: (result: T) => boolean = () => true
): ((...given: A) => Promise<T>) & { forget(key: string): void } {
  const results = new Map<string, { result: T; foundAt: number }>()
  const findOrRemember = async (...given: A): Promise<T> => {
    const key = keyOf(...given)
    try {
      const result = await find(...given)
      results.delete(key)
      if (isKept(result)) {
        results.set(key, { result, foundAt: performance.now() })
        if (results.size > MAX_ENTRIES) results.delete(results.keys().next().value!)
      }
      return result
    } catch (error) {
      const known = results.get(key)
      if (known && databaseProblem(error) && performance.now() - known.foundAt < MAX_AGE) return known.result
      if (!databaseProblem(error)) results.delete(key)
      throw error
    }
  }
  return Object.assign(findOrRemember, { forget: (key: string) => void results.delete(key) })
}
