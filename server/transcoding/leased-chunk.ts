import { access } from 'node:fs/promises'
import { config } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import type { Brake } from '../media/pause-control.ts'
import { chunkName, encodeChunk, removeChunk } from '../media/chunk-encoder.ts'
import type { Plan } from '../media/ladder.ts'
import { removeHls, storedPath } from '../storage/disk.ts'
import { Video } from '../videos/video.model.ts'
import { hasRoomFor } from './scheduler.ts'
import { endLease, renewLease, splitOf, type Leased, type Split } from './chunks.query.ts'

type Options = { signal: AbortSignal; brake?: Brake | undefined; helping?: boolean }

/** The stem of a chunk's files: every run has its own, so that nobody writes what somebody reads. */
export function chunkStem({ number, lease }: Pick<Leased, 'number' | 'lease'>): string {
  return `${number}-${lease}`
}

/**
 * Encodes a chunk that was leased, and renews the lease meanwhile: done, or open again, or lost to somebody else. False where this process
 * cannot have it: it ends, does not see the film's files, or is only `helping` and has no memory to spare.
 */
export async function encodeLeased(leased: Leased, { signal, brake, helping = false }: Options): Promise<boolean> {
  const split = await splitOf(leased.videoId)
  // Deleted since.
  if (!split) return true
  if (!split.filename || !(await sees(split)) || (helping && !hasRoomFor(split.plan))) {
    await endLease(leased, 'released')
    return false
  }
  const { plan, folder, probe } = split
  const stem = chunkStem(leased)
  const lost = new AbortController()
  const keeping = keepLease(leased, lost)
  try {
    const { nice, stall_timeout } = config.transcoding
    const run = encodeChunk(
      storedPath('original_video_files', split.filename),
      folder,
      { start: leased.start, end: leased.end, stem },
      plan,
      probe,
      { brake, nice, stallMs: stall_timeout, signal: AbortSignal.any([signal, lost.signal]) }
    )
    await run.done
    if (!(await endLease(leased, 'done'))) lost.abort()
  } catch (error) {
    if (!signal.aborted && !lost.signal.aborted) {
      logger.warn('A chunk of a film could not be encoded', { uuid: split.uuid, chunk: leased.number, error })
      await endLease(leased, 'failed')
    }
    await clear(leased, split, plan)
    if (signal.aborted) await endLease(leased, 'released')
    return !signal.aborted
  } finally {
    clearInterval(keeping)
  }
  if (lost.signal.aborted) await clear(leased, split, plan)
  return true
}

/** Says now and then that the chunk is being worked on; aborts where it is not this run's any more, or nobody could be told in time. */
function keepLease(leased: Leased, lost: AbortController): NodeJS.Timeout {
  let until = Date.now() + config.transcoding.chunks.lease
  return setInterval(() => {
    const asked = Date.now()
    renewLease(leased).then(
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

async function sees({ filename, folder, uuid }: Split): Promise<boolean> {
  try {
    await Promise.all([access(storedPath('original_video_files', filename!)), access(folder)])
    return true
  } catch {
    logger.warn('A film is encoded by several workers, but this one does not see its files: they need the same storage', { uuid })
    return false
  }
}

async function clear(leased: Leased, { folder, uuid }: Split, plan: Plan): Promise<void> {
  await removeChunk(folder, chunkStem(leased), plan)
  // Its film may have been deleted while the files were made.
  if ((await Video.count({ where: { uuid } })) === 0) await removeHls(uuid)
}

/** The name of a chunk's file in one rung. */
export function chunkFile(chunk: Pick<Leased, 'number' | 'lease'>, resolution: number): string {
  return chunkName(chunkStem(chunk), resolution)
}
