import { config } from './config.ts'
import { run, sql } from './sql.ts'

/**
 * Answers kept in memory for as long as nobody can notice.
 *
 * Every request asks Postgres for its current snapshot (xmin, xmax, transactions in progress). While that text is the same as
 * when an answer was made, no transaction has committed since, in any process: the answer is what the database would say again.
 * Requests that wait together share one question, so the check costs next to nothing under load.
 */
type Entry = { snapshot: string, until: number, size: number, value: Promise<Buffer> }
const entries = new Map<string, Entry>()
let size = 0

/** The bytes `make` gives, from memory if the database has provably not changed and `cache.answers.max_age` has not passed. */
export async function fresh(key: string, make: () => Promise<Buffer>): Promise<Buffer> {
  const { enabled, max_size, max_age } = config.cache.answers
  if (!enabled) return await make()
  const snapshot = await currentSnapshot()
  const known = entries.get(key)
  if (known?.snapshot === snapshot && known.until > Date.now()) return await known.value
  forget(key)
  const entry: Entry = { snapshot, until: Date.now() + max_age, size: 0, value: make() }
  entries.set(key, entry)
  try {
    const value = await entry.value
    if (entries.get(key) === entry) {
      entry.size = value.length + key.length
      size += entry.size
      for (const oldest of entries.keys()) {
        if (size <= max_size) break
        forget(oldest)
      }
    }
    return value
  } catch (error) {
    if (entries.get(key) === entry) forget(key)
    throw error
  }
}

let running: Promise<string> | null = null
let waiting: Promise<string> | null = null

/** A snapshot taken after this call: one already being asked for may be too old, so callers share the next one. */
async function currentSnapshot(): Promise<string> {
  if (!running) return await ask()
  waiting ??= running.catch(() => '').then(async () => {
    waiting = null
    return await ask()
  })
  return await waiting
}

async function ask(): Promise<string> {
  const question = run<{ snapshot: string }>(sql`SELECT pg_current_snapshot()::text AS snapshot`).then(rows => rows[0]!.snapshot)
  running = question
  try { return await question } finally { if (running === question) running = null }
}

function forget(key: string): void {
  size -= entries.get(key)?.size ?? 0
  entries.delete(key)
}
