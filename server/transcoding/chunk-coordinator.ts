import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SOFTWARE_ENCODER } from '../../shared/encoders.ts'
import { config } from '../core/config.ts'
import { emitEvent } from '../core/events.ts'
import { readFromQueue } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { splitIntoChunks, reasonNotToSplit } from '../media/chunk-encoder.ts'
import { MediaError } from '../media/ffmpeg.ts'
import type { TimeRange } from '../media/ffmpeg-filters.ts'
import { newHlsFilenames, audioToHls, type HlsOptions, type HlsOutput, type HlsResult, type HlsRun } from '../media/hls.ts'
import { ChunkJoiner, ChunkJoinError } from '../media/chunk-joiner.ts'
import type { TranscodingPlan } from '../media/ladder.ts'
import type { Probe } from '../media/probe.ts'
import { hlsFolder } from '../storage/disk.ts'
import { leasedChunkFilename, encodeLeasedChunk } from './leased-chunk.ts'
import { listChunks, hasEncodingSplit, leaseNextChunk, findOrCreateEncodingSplit, type ChunkStatus } from './chunks.query.ts'
import { getCurrentEncoder } from './encoder-registry.ts'

/** A film whose `plan.encode` is still to be made of the uploaded file `input`. */
export type EncodingTask = { id: number; uuid: string; input: string; plan: TranscodingPlan; probe: Probe }

/** Whether a film is encoded in chunks: it is long, can be cut, and another worker is there, or it was cut already. */
export async function shouldEncodeInChunks({ id, plan, probe }: Pick<EncodingTask, 'id' | 'plan' | 'probe'>): Promise<boolean> {
  const { enabled, min_duration } = config.transcoding.chunks
  if (!enabled || probe.duration * 1000 < min_duration || reasonNotToSplit(probe, plan) !== null) return false
  // What hardware encodes cannot be joined to what software encodes.
  return (await hasEncodingSplit(id)) || ((await getCurrentEncoder()) === SOFTWARE_ENCODER && (await otherWorkers()))
}

/** Redis lists those that listen to the queue: one connection of each living worker process. Without it this one works alone. */
async function otherWorkers(): Promise<boolean> {
  return await readFromQueue('transcoding', async opened => (await opened.getWorkersCount()) > 1, false)
}

/**
 * Encodes every rung of `film.plan.encode` in chunks, with all workers that have time, and the shared sound (`withAudio`) here. The
 * renditions
 * grow by each chunk whose turn it is. What was encoded before this process had the film is used. `done` rejects with a JoinError where the
 * film has to be encoded in one pass. The chunks stay in any case: whoever has no use for them any more drops them.
 */
export function encodeInChunks(film: EncodingTask, options: HlsOptions & { signal: AbortSignal }): HlsRun {
  const ending = new AbortController()
  const signal = AbortSignal.any([options.signal, ending.signal])
  const videos = film.plan.encode.map<HlsOutput>(({ resolution }) => ({ kind: 'video', resolution, ...newHlsFilenames(resolution) }))
  const sound =
    options.withAudio && film.plan.audioRendition
      ? audioToHls(film.input, hlsFolder(film.uuid), film.plan, film.probe, {
          signal,
          nice: options.nice,
          stallMs: options.stallMs,
          brake: options.brake
        })
      : null
  const done = (async () => {
    const both = [conduct(film, videos, { ...options, signal }), sound?.done]
    try {
      return (await Promise.all(both))[0]!
    } catch (error) {
      ending.abort()
      await Promise.allSettled(both)
      throw error
    }
  })()
  done.catch(() => undefined)
  const outputs = [...videos, ...(sound?.outputs ?? [])]
  return { outputs, groups: [outputs], done, kill: () => ending.abort() }
}

async function conduct(film: EncodingTask, outputs: HlsOutput[], options: HlsOptions & { signal: AbortSignal }): Promise<HlsResult> {
  const { signal, brake } = options
  const { duration, video } = film.probe
  const { segmentSeconds } = film.plan.settings
  const pieces = splitIntoChunks(duration, config.transcoding.chunks.length / 1000, segmentSeconds)
  const folder = await findOrCreateEncodingSplit(film, film.plan, pieces)
  const joints = outputs.map(output => ({
    resolution: output.resolution,
    joint: new ChunkJoiner(hlsFolder(film.uuid), output, { segmentSeconds, fps: video!.fps })
  }))
  const tell = teller(pieces, duration, options)
  const leaving = new AbortController()
  const mine: { run: Promise<void> | null; blind: boolean } = { run: null, blind: false }
  const begin = async (): Promise<void> => {
    const leased = brake?.held ? undefined : await leaseNextChunk(film.id).catch(() => undefined)
    if (!leased) return
    mine.run = encodeLeasedChunk(leased, { signal: AbortSignal.any([signal, leaving.signal]), brake })
      .then(
        seen => {
          mine.blind = !seen
        },
        error => {
          logger.warn('A chunk was left to others', { uuid: film.uuid, error })
        }
      )
      .finally(() => {
        mine.run = null
      })
  }
  let joined = 0
  emitEvent('chunks.waiting', {})
  try {
    for (;;) {
      if (signal.aborted) throw new MediaError('aborted', 'the encoding was stopped')
      if (mine.blind) throw new ChunkJoinError('this worker does not see the files of the chunks')
      // Where the database cannot be asked, the lock is lost too, or is asked again.
      const chunks = await listChunks(film.id).catch(() => null)
      if (chunks) {
        if (chunks.length === 0) throw new MediaError('aborted', 'the chunks are gone')
        const lost = chunks.find(chunk => chunk.lost)
        if (lost) throw new ChunkJoinError(`chunk ${lost.number} could not be encoded`)
        // The joining needs no core for long: the next chunk is encoded meanwhile.
        if (!mine.run) await begin()
        for (; chunks[joined]?.state === 'done' && !signal.aborted; joined++) {
          for (const { resolution, joint } of joints) await joint.append(join(folder, leasedChunkFilename(chunks[joined]!, resolution)))
        }
        tell(chunks)
        if (joined === chunks.length) break
      }
      await Promise.race([
        ...(mine.run ? [mine.run] : []),
        sleep(config.transcoding.progress_interval, undefined, { signal }).catch(() => undefined)
      ])
    }
    const seconds = Math.min(...joints.map(({ joint }) => joint.seconds))
    if (new Set(joints.map(({ joint }) => joint.pictures)).size > 1) throw new ChunkJoinError('the rungs have different pictures')
    if (seconds < duration - Math.max(1, duration * 0.02))
      throw new ChunkJoinError(`only ${seconds} s of ${duration} s were found in chunks`)
    for (const { joint } of joints) await joint.finish()
    // Nobody has decoded it as a whole.
    return { seconds, damaged: false, broken: true, log: '' }
  } finally {
    leaving.abort()
    await mine.run
  }
}

/** Says how far the film is by the chunks that are done. */
function teller(pieces: TimeRange[], duration: number, { onProgress, brake }: HlsOptions): (chunks: ChunkStatus[]) => void {
  const began = performance.now() - (brake?.heldFor ?? 0)
  let [before, last] = [-1, -1]
  return chunks => {
    const seconds = chunks.reduce(
      (sum, { state, number }) =>
        sum + (state === 'done' && pieces[number] ? Math.max(0, (pieces[number].end ?? duration) - pieces[number].start) : 0),
      0
    )
    if (before === -1) before = seconds
    if (seconds === last) return
    last = seconds
    const elapsed = (performance.now() - (brake?.heldFor ?? 0) - began) / 1000
    const speed = elapsed > 0 ? (seconds - before) / elapsed : 0
    onProgress?.({
      seconds,
      percent: Math.min(99, (seconds / duration) * 100),
      speed,
      secondsLeft: speed > 0 ? Math.max(0, (duration - seconds) / speed) : null
    })
  }
}
