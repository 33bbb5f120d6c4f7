import { setTimeout as sleep } from 'node:timers/promises'
import { isDatabaseAvailable } from './database-availability.ts'
import { databaseProblem } from './database-errors.ts'
import { runAsBackgroundWork } from './request-context.ts'

/** How long (ms) a result may stand in for a database that is away. */
const MAX_AGE = 10 * 60_000
/** How long (ms) a database that does not answer is waited for where there is a result. */
const PATIENCE = 500
/** The largest number of kept results per function; those found the longest ago go first. */
const MAX_ENTRIES = 10_000
/** How often (ms) it is looked whether kept results may stay. */
const REVIEW_INTERVAL = 1000

/**
 * Returns `find` with a memory: while the database is away, or does not answer for half a second, it returns what it returned last for the
 * key, if that was less than ten minutes ago. It is for what decides about public files, so that what is being watched goes on. `isKept`:
 * whether a result may be kept. `listKept` returns which of many keys still have such a result: it is asked every second, so that what another
 * process, or a job, has closed to the public is forgotten here, too.
 */
export function keepLastKnown<A extends unknown[], T>(
  find: (...given: A) => Promise<T>,
  keyOf: (...given: A) => string,
  isKept: (result: T) => boolean = () => true,
  listKept?: (keys: string[]) => Promise<string[]>
): ((...given: A) => Promise<T>) & { forget(key: string): void } {
  const results = new Map<string, { result: T; foundAt: number }>()
  const review = async (): Promise<void> => {
    const reviewed = new Map(results)
    const kept = new Set(await listKept!([...reviewed.keys()]))
    for (const [key, known] of reviewed) {
      const isOver = !kept.has(key) || performance.now() - known.foundAt > MAX_AGE
      if (isOver && results.get(key) === known) results.delete(key)
    }
  }
  let isReviewing = false
  const reviewUntilEmpty = async (): Promise<void> => {
    while (results.size > 0) {
      await sleep(REVIEW_INTERVAL, undefined, { ref: false })
      // Without an answer nothing can have been closed that this process could have heard of.
      if (isDatabaseAvailable()) await review().catch(() => undefined)
    }
    isReviewing = false
  }
  const beginReviews = (): void => {
    if (isReviewing || !listKept) return
    isReviewing = true
    void runAsBackgroundWork(reviewUntilEmpty)
  }
  const findAndKeep = async (key: string, given: A): Promise<T> => {
    const known = results.get(key)
    try {
      const result = await find(...given)
      // Whoever forgot the key meanwhile knows better.
      const isForgotten = known !== results.get(key)
      if (!isForgotten) results.delete(key)
      if (!isForgotten && isKept(result)) {
        results.set(key, { result, foundAt: performance.now() })
        if (results.size > MAX_ENTRIES) results.delete(results.keys().next().value!)
        beginReviews()
      }
      return result
    } catch (error) {
      if (!databaseProblem(error)) results.delete(key)
      throw error
    }
  }
  const findOrRemember = async (...given: A): Promise<T> => {
    const key = keyOf(...given)
    const known = results.get(key)
    const finding = findAndKeep(key, given)
    if (!known || performance.now() - known.foundAt > MAX_AGE) return await finding
    const patience = new AbortController()
    const impatient = sleep(PATIENCE, known.result, { signal: patience.signal })
    impatient.catch(() => undefined)
    try {
      return await Promise.race([finding, impatient])
    } catch (error) {
      if (databaseProblem(error)) return known.result
      throw error
    } finally {
      finding.catch(() => undefined)
      patience.abort()
    }
  }
  return Object.assign(findOrRemember, { forget: (key: string) => void results.delete(key) })
}
