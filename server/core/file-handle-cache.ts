import { open, type FileHandle } from 'node:fs/promises'
import type { Stats } from 'node:fs'

/** A file that is open for reading, with its stat(2) at the time of opening. */
export type OpenFile = { handle: FileHandle; stats: Stats }

/** How long (ms) an open file is reused before its path is opened again. */
const MAX_AGE = 1000
/** The largest number of cached file handles. */
const MAX_CACHED = 256

type CachedFile = OpenFile & { users: number; evicted: boolean }
const cache = new Map<string, CachedFile>()

/** Calls `act` with the open file; concurrent calls for one path share one handle. Rejects as open(2) does. */
export async function withFileHandle<T>(file: string, act: (opened: OpenFile) => Promise<T>): Promise<T> {
  const opened = cache.get(file) ?? (await openAndCache(file))
  opened.users++
  try {
    return await act(opened)
  } finally {
    opened.users--
    if (opened.evicted && opened.users === 0) await opened.handle.close()
  }
}

async function openAndCache(file: string): Promise<CachedFile> {
  const handle = await open(file, 'r')
  try {
    const opened: CachedFile = { handle, stats: await handle.stat(), users: 0, evicted: true }
    if (cache.size < MAX_CACHED && !cache.has(file)) {
      opened.evicted = false
      cache.set(file, opened)
      setTimeout(() => evict(file, opened), MAX_AGE).unref()
    }
    return opened
  } catch (error) {
    await handle.close()
    throw error
  }
}

function evict(file: string, opened: CachedFile): void {
  cache.delete(file)
  opened.evicted = true
  if (opened.users === 0)
    opened.handle.close().catch(() => {
      /* no reader is affected */
    })
}
