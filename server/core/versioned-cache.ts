import { config } from './config.ts'
import { runAsRequest } from './request-context.ts'
import { acquireLock } from './locks.ts'
import { shareNextRun } from './share-next-run.ts'
import { runQuery, sql } from './sql.ts'
import { transaction } from './transaction.ts'

/*
 * An in-memory cache whose entries are valid as long as the database has not changed.
 *
 * Every request reads the number of changes from Postgres (the table `changes`, written by triggers). While that number equals the one at
 * the time an entry was computed, no process has committed a visible change since, and computing it again would give the same result.
 * Concurrent requests share one such query, so the check costs little under load.
 */
type Sized = { readonly length: number }
type CacheEntry = { version: string; until: number; size: number; value: Promise<Sized> }
const entries = new Map<string, CacheEntry>()
let totalSize = 0
/** What an entry takes besides its key and its value's bytes: headers, promises, places in tables. */
const ENTRY_OVERHEAD = 2000

/**
 * Returns the result of `compute` (`length` in bytes), from memory if the database has not changed since and the entry is younger than
 * `cache.answers.max_age`. Errors are not cached.
 */
export async function getCachedOrCompute<T extends Sized>(key: string, compute: () => Promise<T>): Promise<T> {
  const { enabled, max_size, max_age } = config.cache.answers
  if (!enabled) return await compute()
  const version = await currentVersion()
  const known = entries.get(key)
  if (known?.version === version && known.until > Date.now()) return (await known.value) as T
  deleteEntry(key)
  const value = compute()
  const entry: CacheEntry = { version, until: Date.now() + max_age, size: ENTRY_OVERHEAD + key.length, value }
  entries.set(key, entry)
  totalSize += entry.size
  try {
    const computed = await value
    if (entries.get(key) === entry) {
      entry.size += computed.length
      totalSize += computed.length
      for (const oldest of entries.keys()) {
        if (totalSize <= max_size) break
        deleteEntry(oldest)
      }
    }
    return computed
  } catch (error) {
    if (entries.get(key) === entry) deleteEntry(key)
    throw error
  }
}

/** Whether there is an entry under the key, valid or not. */
export function hasCacheEntry(key: string): boolean {
  return entries.has(key)
}

/** Returns the entry under the key if it is valid, else null. */
export async function getCached<T extends Sized>(key: string): Promise<T | null> {
  const version = await currentVersion()
  const known = entries.get(key)
  return known?.version === version && known.until > Date.now() ? ((await known.value) as T) : null
}

/** Returns the number of changes at or after this call. */
const currentVersion = shareNextRun(
  async () =>
    await runAsRequest(async () => {
      const [row] = await runQuery<{ version: string }>(sql`SELECT sum(count)::text AS version FROM changes`)
      return row!.version
    })
)

/** Returns how many entries there are, valid or not, and what they take (bytes, estimated). */
export function cacheUse(): { entries: number; size: number } {
  return { entries: entries.size, size: totalSize }
}

function deleteEntry(key: string): void {
  totalSize -= entries.get(key)?.size ?? 0
  entries.delete(key)
}

/**
 * Moves the counts of ended backends to row 0 in one statement, so that nobody ever sees another sum. Called at start and on a timer, also while
 * others write: the number of an ended backend may belong to a new one by now. Its row is left alone while it is being written, as waiting for it
 * could make both wait for each other; where it has just been written that count is moved with the others, and where it is written next it is a
 * new row.
 */
export async function foldChangeCounts(): Promise<void> {
  await transaction(async tx => {
    await acquireLock('FOLD_CHANGES', tx)
    await runQuery(
      sql`
      WITH ended AS MATERIALIZED (
        SELECT backend FROM changes WHERE backend > 0 AND backend NOT IN (SELECT pid FROM pg_stat_activity) FOR UPDATE SKIP LOCKED
      ), gone AS (
        DELETE FROM changes USING ended WHERE changes.backend = ended.backend RETURNING changes.count
      )
      UPDATE changes SET count = count + (SELECT sum(count) FROM gone) WHERE backend = 0 AND EXISTS (SELECT FROM gone)`,
      tx
    )
  })
}
