import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { config, storageFolder } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import { fetchRemoteFile } from './remote-fetch.ts'

/** What kind of file a remote address may give, and how large it may be. */
export type RemoteFileConstraints = { types: string[]; maxSize: number }

/** So many failures are remembered at most (docs/federation.md#bounded-memory). */
const MAX_FAILURES = 10_000
/** The share of the cache that stays when it is full. */
const KEPT = 0.9

const running = new Map<string, Promise<boolean>>()
const failures = new Map<string, number>()
let total: number | null = null

/**
 * A small file of another server, fetched when somebody here wants it for the first time and kept in `storage.cache`. Gives its name
 * there, or null where it cannot be had now. `name` and `url` come from one row, never from a request
 * (docs/federation.md#files-of-other-servers).
 */
export async function getCachedRemoteFile(name: string, url: string, expected: RemoteFileConstraints): Promise<string | null> {
  const path = join(storageFolder('cache'), name)
  if (await exists(path)) {
    // The oldest go first when room is needed: what is looked at is young.
    await utimes(path, new Date(), new Date()).catch(() => undefined)
    return name
  }
  if ((failures.get(name) ?? 0) > Date.now()) return null
  let fetching = running.get(name)
  if (!fetching) running.set(name, (fetching = fetchInto(path, url, expected).finally(() => running.delete(name))))
  if (await fetching) return name
  failures.delete(name)
  failures.set(name, Date.now() + config.cache.remote_files.retry_after)
  if (failures.size > MAX_FAILURES) failures.delete(failures.keys().next().value!)
  return null
}

async function fetchInto(path: string, url: string, { types, maxSize }: RemoteFileConstraints): Promise<boolean> {
  const part = join(storageFolder('tmp'), `${randomUUID()}.part`)
  try {
    await mkdir(storageFolder('cache'), { recursive: true })
    await mkdir(storageFolder('tmp'), { recursive: true })
    await fetchRemoteFile(url, part, { types, maxSize })
    const { size } = await stat(part)
    await rename(part, path)
    await makeRoom(size)
    return true
  } catch (error) {
    await rm(part, { force: true })
    logger.debug('A file of another server could not be had', { url, reason: error instanceof Error ? error.message : error })
    return false
  }
}

async function makeRoom(added: number): Promise<void> {
  total = total === null ? (await listed()).reduce((sum, file) => sum + file.size, 0) : total + added
  const { max_size } = config.cache.remote_files
  if (total <= max_size) return
  const files = (await listed()).sort((a, b) => a.usedAt - b.usedAt)
  total = files.reduce((sum, file) => sum + file.size, 0)
  for (const { path, size } of files) {
    if (total <= max_size * KEPT) break
    await rm(path, { force: true })
    total -= size
  }
}

async function listed(): Promise<{ path: string; size: number; usedAt: number }[]> {
  const folder = storageFolder('cache')
  const files = await Promise.all(
    (await readdir(folder).catch(() => [])).map(async name => {
      const path = join(folder, name)
      const found = await stat(path).catch(() => null)
      return found?.isFile() ? { path, size: found.size, usedAt: found.mtimeMs } : null
    })
  )
  return files.filter(file => file !== null)
}

const exists = async (path: string) =>
  await stat(path).then(
    () => true,
    () => false
  )
