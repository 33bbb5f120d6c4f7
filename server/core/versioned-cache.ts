import { config } from './config.ts'
import { runQuery, sql } from './sql.ts'

/**
 * Answers kept in memory for as long as nobody can notice.
 *
 * Every request asks Postgres how often it was changed (the table `changes`, written by triggers). While that number is the same as
 * when an answer was made, no transaction has committed since that changed anything to be seen, in any process: the answer is what the
 * database would say again. Requests that wait together share one question, so the check costs next to nothing under load.
 */
type Sized = { readonly length: number }
type Entry = { version: string; until: number; size: number; value: Promise<Sized> }
const entries = new Map<string, Entry>()
let size = 0

/**
 * What `make` gives (`length` in bytes), from memory if the database has provably not changed and `cache.answers.max_age` has not passed.
 */
export async function getCachedOrCompute<T extends Sized>(key: string, make: () => Promise<T>): Promise<T> {
  const { enabled, max_size, max_age } = config.cache.answers
  if (!enabled) return await make()
  const version = await currentVersion()
  const known = entries.get(key)
  if (known?.version === version && known.until > Date.now()) return (await known.value) as T
  forget(key)
  const value = make()
  const entry: Entry = { version, until: Date.now() + max_age, size: 0, value }
  entries.set(key, entry)
  try {
    const made = await value
    if (entries.get(key) === entry) {
      entry.size = made.length + key.length
      size += entry.size
      for (const oldest of entries.keys()) {
        if (size <= max_size) break
        forget(oldest)
      }
    }
    return made
  } catch (error) {
    if (entries.get(key) === entry) forget(key)
    throw error
  }
}

/** Whether something is remembered under the key, still true or not. */
export function hasCacheEntry(key: string): boolean {
  return entries.has(key)
}

/** What is remembered under the key if it is still true, else null. */
export async function getCached<T extends Sized>(key: string): Promise<T | null> {
  const version = await currentVersion()
  const known = entries.get(key)
  return known?.version === version && known.until > Date.now() ? ((await known.value) as T) : null
}

let running: Promise<string> | null = null
let waiting: Promise<string> | null = null

/** The number after this call: one already being asked for may be too old, so callers share the next one. */
async function currentVersion(): Promise<string> {
  if (!running) return await ask()
  waiting ??= running
    .catch(() => '')
    .then(async () => {
      waiting = null
      return await ask()
    })
  return await waiting
}

async function ask(): Promise<string> {
  const question = runQuery<{ version: string }>(sql`SELECT sum(count)::text AS version FROM changes`).then(rows => rows[0]!.version)
  running = question
  try {
    return await question
  } finally {
    if (running === question) running = null
  }
}

function forget(key: string): void {
  size -= entries.get(key)?.size ?? 0
  entries.delete(key)
}

/** Adds what backends that are gone have counted to row 0; the sum stays what it is. Called at a start. */
export async function foldChangeCounts(): Promise<void> {
  await runQuery(sql`
    WITH gone AS (DELETE FROM changes WHERE backend > 0 AND backend NOT IN (SELECT pid FROM pg_stat_activity) RETURNING count)
    UPDATE changes SET count = count + (SELECT sum(count) FROM gone) WHERE backend = 0 AND EXISTS (SELECT FROM gone)`)
}
