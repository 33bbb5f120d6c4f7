import { open, type FileHandle } from 'node:fs/promises'
import type { Stats } from 'node:fs'

/** A file that is open for reading, and what was known of it when it was opened. */
export type OpenFile = { handle: FileHandle; facts: Stats }

/** How long (ms) a file is taken to be the one under its name. */
const AGE = 1000
/** So many files that nobody reads right now stay open. */
const MOST = 256

type Kept = OpenFile & { users: number; dropped: boolean }
const kept = new Map<string, Kept>()

/** Lends a file to `act`: one that many ask for at once is opened once. Rejects as open(2) does. */
export async function withFileHandle<T>(file: string, act: (opened: OpenFile) => Promise<T>): Promise<T> {
  const opened = kept.get(file) ?? (await keep(file))
  opened.users++
  try {
    return await act(opened)
  } finally {
    opened.users--
    if (opened.dropped && opened.users === 0) await opened.handle.close()
  }
}

async function keep(file: string): Promise<Kept> {
  const handle = await open(file, 'r')
  try {
    const opened: Kept = { handle, facts: await handle.stat(), users: 0, dropped: true }
    if (kept.size < MOST && !kept.has(file)) {
      opened.dropped = false
      kept.set(file, opened)
      setTimeout(() => drop(file, opened), AGE).unref()
    }
    return opened
  } catch (error) {
    await handle.close()
    throw error
  }
}

function drop(file: string, opened: Kept): void {
  kept.delete(file)
  opened.dropped = true
  if (opened.users === 0)
    opened.handle.close().catch(() => {
      /* nobody reads it any more */
    })
}
