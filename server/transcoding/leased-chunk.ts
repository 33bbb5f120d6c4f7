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

type Options = { signal: AbortSignal; brake?: PauseControl | undefined; helping?: boolean }

/** The stem of a chunk's files: every run has its own, so that nobody writes what somebody reads. */
export function chunkFileStem({ number, lease }: Pick<LeasedChunk, 'number' | 'lease'>): string {
  return `${number}-${lease}`
}

/**
 * Encodes a chunk that was leased, and renews the lease meanwhile: done, or open again, or lost to somebody else. False where this process
 * cannot have it: it ends, does not see the film's files, or is only `helping` and has no memory to spare.
 */
export async function encodeLeasedChunk(leased: LeasedChunk, { signal, brake, helping = false }: Options): Promise<boolean> {
  const split = await findEncodingSplit(leased.videoId)
  // Deleted since.
  if (!split) return true
  if (!split.filename || !(await sees(split)) || (helping && !hasMemoryForEncoding(split.plan))) {
    await endChunkLease(leased, 'released')
    return false
  }
  const { plan, folder, probe } = split
  const stem = chunkFileStem(leased)
  const lost = new AbortController()
  const keeping = keepLease(leased, lost)
  try {
    const { nice, stall_timeout } = config.transcoding
    const run = encodeChunk(
      storedFilePath('original_video_files', split.filename),
      folder,
      { start: leased.start, end: leased.end, stem },
      plan,
      probe,
      { brake, nice, stallMs: stall_timeout, signal: AbortSignal.any([signal, lost.signal]) }
    )
    await run.done
    if (!(await endChunkLease(leased, 'done'))) lost.abort()
  } catch (error) {
    if (!signal.aborted && !lost.signal.aborted) {
      logger.warn('A chunk of a film could not be encoded', { uuid: split.uuid, chunk: leased.number, error })
      await endChunkLease(leased, 'failed')
    }
    await clear(leased, split, plan)
    if (signal.aborted) await endChunkLease(leased, 'released')
    return !signal.aborted
  } finally {
    clearInterval(keeping)
  }
  if (lost.signal.aborted) await clear(leased, split, plan)
  return true
}

/** Says now and then that the chunk is being worked on; aborts where it is not this run's any more, or nobody could be told in time. */
function keepLease(leased: LeasedChunk, lost: AbortController): NodeJS.Timeout {
  let until = Date.now() + config.transcoding.chunks.lease
  return setInterval(() => {
    const asked = Date.now()
    renewChunkLease(leased).then(
      mine => {
        if (mine) until = asked + config.transcoding.chunks.lease
        else lost.abort()
      },
      () => {
        if (Date.now() > until) lost.abort()
      }
    )
  }, config.transcoding.progress_interval)
}

async function sees({ filename, folder, uuid }: EncodingSplit): Promise<boolean> {
  try {
    await Promise.all([access(storedFilePath('original_video_files', filename!)), access(folder)])
    return true
  } catch {
    logger.warn('A film is encoded by several workers, but this one does not see its files: they need the same storage', { uuid })
    return false
  }
}

async function clear(leased: LeasedChunk, { folder, uuid }: EncodingSplit, plan: TranscodingPlan): Promise<void> {
  await removeChunkFiles(folder, chunkFileStem(leased), plan)
  // Its film may have been deleted while the files were made.
  if ((await VideoModel.count({ where: { uuid } })) === 0) await removeHlsFolder(uuid)
}

/** The name of a chunk's file in one rung. */
export function leasedChunkFilename(chunk: Pick<LeasedChunk, 'number' | 'lease'>, resolution: number): string {
  return chunkFilename(chunkFileStem(chunk), resolution)
}
