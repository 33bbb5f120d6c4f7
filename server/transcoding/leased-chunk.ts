import { access } from 'node:fs/promises'
import { config } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import type { PauseControl } from '../media/pause-control.ts'
import { chunkFilename, encodeChunk, removeChunkFiles } from '../media/chunk-encoder.ts'
import type { TranscodingPlan } from '../media/ladder.ts'
import { removeHlsFolder, storedFilePath } from '../storage/disk.ts'
import { VideoModel } from '../videos/video.model.ts'
import { hasMemoryForEncoding } from './scheduler.ts'
import { endChunkLease, renewChunkLease, findEncodingSplit, type LeasedChunk, type EncodingSplit } from './chunks.query.ts'

type LeasedChunkOptions = { signal: AbortSignal; pauseControl?: PauseControl | undefined; helping?: boolean }

/** The stem of a chunk's file names: every attempt has its own, so that no attempt overwrites a file that is being read. */
export function chunkFileStem({ number, lease }: Pick<LeasedChunk, 'number' | 'lease'>): string {
  return `${number}-${lease}`
}

/**
 * Encodes a leased chunk and renews the lease meanwhile; the chunk is then done, available again, or lost to another worker. False if this
 * process cannot encode it: it is shutting down, has no access to the files, or is only `helping` and has no spare memory.
 */
export async function encodeLeasedChunk(
  leased: LeasedChunk,
  { signal, pauseControl, helping = false }: LeasedChunkOptions
): Promise<boolean> {
  const split = await findEncodingSplit(leased.videoId)
  // Deleted meanwhile.
  if (!split) return true
  if (!split.filename || !(await canAccessFiles(split)) || (helping && !hasMemoryForEncoding(split.plan))) {
    await endChunkLease(leased, 'released')
    return false
  }
  const { plan, folder, probe } = split
  const stem = chunkFileStem(leased)
  const leaseLost = new AbortController()
  const renewalTimer = startLeaseRenewal(leased, leaseLost)
  try {
    const { nice, stall_timeout } = config.transcoding
    const run = encodeChunk(
      storedFilePath('original_video_files', split.filename),
      folder,
      { start: leased.start, end: leased.end, stem },
      plan,
      probe,
      { pauseControl, nice, stallMs: stall_timeout, signal: AbortSignal.any([signal, leaseLost.signal]) }
    )
    await run.done
    if (!(await endChunkLease(leased, 'done'))) leaseLost.abort()
  } catch (error) {
    if (!signal.aborted && !leaseLost.signal.aborted) {
      logger.warn('A chunk of a film could not be encoded', { uuid: split.uuid, chunk: leased.number, error })
      await endChunkLease(leased, 'failed')
    }
    await removeFiles(leased, split, plan)
    if (signal.aborted) await endChunkLease(leased, 'released')
    return !signal.aborted
  } finally {
    clearInterval(renewalTimer)
  }
  if (leaseLost.signal.aborted) await removeFiles(leased, split, plan)
  return true
}

/** Renews the lease regularly; aborts `leaseLost` if another worker has the chunk, or if the lease expired without a renewal. */
function startLeaseRenewal(leased: LeasedChunk, leaseLost: AbortController): NodeJS.Timeout {
  let leasedUntil = Date.now() + config.transcoding.chunks.lease
  return setInterval(() => {
    const requestedAt = Date.now()
    renewChunkLease(leased).then(
      renewed => {
        if (renewed) leasedUntil = requestedAt + config.transcoding.chunks.lease
        else leaseLost.abort()
      },
      () => {
        if (Date.now() > leasedUntil) leaseLost.abort()
      }
    )
  }, config.transcoding.progress_interval)
}

async function canAccessFiles({ filename, folder, uuid }: EncodingSplit): Promise<boolean> {
  try {
    await Promise.all([access(storedFilePath('original_video_files', filename!)), access(folder)])
    return true
  } catch {
    logger.warn('A film is encoded by several workers, but this one does not see its files: they need the same storage', { uuid })
    return false
  }
}

async function removeFiles(leased: LeasedChunk, { folder, uuid }: EncodingSplit, plan: TranscodingPlan): Promise<void> {
  await removeChunkFiles(folder, chunkFileStem(leased), plan)
  // The video may have been deleted while the files were written.
  if ((await VideoModel.count({ where: { uuid } })) === 0) await removeHlsFolder(uuid)
}

/** The file name of one rendition of a chunk. */
export function leasedChunkFilename(chunk: Pick<LeasedChunk, 'number' | 'lease'>, resolution: number): string {
  return chunkFilename(chunkFileStem(chunk), resolution)
}
