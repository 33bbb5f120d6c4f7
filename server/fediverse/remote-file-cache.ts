import { randomUUID } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { config, storageFolder } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import { reencodeImage } from '../media/images.ts'
import { isWebVtt } from '../media/webvtt.ts'
import { FETCH } from './fetch-internals.ts'
import { fetchRemoteFile } from './remote-fetch.ts'

/** What a remote file is shown as. */
export type RemoteFileKind = 'picture' | 'captions'

const TYPES: Record<RemoteFileKind, string[]> = {
  picture: ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif', 'application/octet-stream'],
  captions: ['text/vtt', 'text/plain', 'application/octet-stream']
}
const maxSizeOf = (kind: RemoteFileKind): number => (kind === 'picture' ? FETCH.maxImageSize : config.cache.remote_files.max_caption_size)

/** Of all frames of a picture together. */
const MAX_PICTURE_PIXELS = 50_000_000
/** The maximum number of remembered failures (docs/federation.md#bounded-memory). */
const MAX_REMEMBERED_FAILURES = 10_000
/** The share of the maximum size that stays when a full cache is cleaned. */
const SHARE_AFTER_EVICTION = 0.9

const downloads = new Map<string, Promise<boolean>>()
const retryAfterByName = new Map<string, number>()
let totalSize: number | null = null

/**
 * Returns the name in `storage.cache` of a small file of another server, fetched on first use; null if it cannot be fetched now or is not
 * what it should be. `name` and `url` come from one stored row, never from a request (docs/federation.md#files-of-other-servers).
 */
export async function getCachedRemoteFile(name: string, url: string, kind: RemoteFileKind): Promise<string | null> {
  // Files under their own names are from before their bytes were looked at.
  const cachedName = `checked-${name}`
  const path = join(storageFolder('cache'), cachedName)
  if (await exists(path)) {
    // Eviction is by last use.
    await utimes(path, new Date(), new Date()).catch(() => undefined)
    return cachedName
  }
  if ((retryAfterByName.get(name) ?? 0) > Date.now()) return null
  let running = downloads.get(name)
  if (!running) downloads.set(name, (running = download(path, url, kind).finally(() => downloads.delete(name))))
  if (await running) return cachedName
  retryAfterByName.delete(name)
  retryAfterByName.set(name, Date.now() + config.cache.remote_files.retry_after)
  if (retryAfterByName.size > MAX_REMEMBERED_FAILURES) retryAfterByName.delete(retryAfterByName.keys().next().value!)
  return null
}

async function download(path: string, url: string, kind: RemoteFileKind): Promise<boolean> {
  const temporaryPath = join(storageFolder('tmp'), `${randomUUID()}.part`)
  try {
    await mkdir(storageFolder('cache'), { recursive: true })
    await mkdir(storageFolder('tmp'), { recursive: true })
    await fetchRemoteFile(url, temporaryPath, { types: TYPES[kind], maxSize: maxSizeOf(kind) })
    if (kind === 'picture') await reencodeImage(temporaryPath, path, { maxPixels: MAX_PICTURE_PIXELS })
    else if (isWebVtt(await readFile(temporaryPath))) await rename(temporaryPath, path)
    else throw new Error('These are no captions')
    await evictOldest((await stat(path)).size)
    return true
  } catch (error) {
    logger.debug('A file of another server could not be had', { url, reason: error instanceof Error ? error.message : error })
    return false
  } finally {
    await rm(temporaryPath, { force: true })
  }
}

async function evictOldest(addedSize: number): Promise<void> {
  totalSize = totalSize === null ? (await listCachedFiles()).reduce((sum, file) => sum + file.size, 0) : totalSize + addedSize
  const { max_size } = config.cache.remote_files
  if (totalSize <= max_size) return
  const files = (await listCachedFiles()).sort((a, b) => a.usedAt - b.usedAt)
  totalSize = files.reduce((sum, file) => sum + file.size, 0)
  for (const { path, size } of files) {
    if (totalSize <= max_size * SHARE_AFTER_EVICTION) break
    await rm(path, { force: true })
    totalSize -= size
  }
}

async function listCachedFiles(): Promise<{ path: string; size: number; usedAt: number }[]> {
  const folder = storageFolder('cache')
  const files = await Promise.all(
    (await readdir(folder).catch(() => [])).map(async name => {
      const path = join(folder, name)
      const stats = await stat(path).catch(() => null)
      return stats?.isFile() ? { path, size: stats.size, usedAt: stats.mtimeMs } : null
    })
  )
  return files.filter(file => file !== null)
}

const exists = async (path: string) =>
  await stat(path).then(
    () => true,
    () => false
  )
