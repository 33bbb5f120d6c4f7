import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SOFTWARE } from '../../shared/encoders.ts'
import { config } from '../core/config.ts'
import { emit } from '../core/events.ts'
import { askQueue } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { cutFilm, whyWhole } from '../media/chunk-encoder.ts'
import { MediaError } from '../media/ffmpeg.ts'
import type { Piece } from '../media/ffmpeg-filters.ts'
import { hlsNames, soundToHls, type HlsOptions, type HlsOutput, type HlsResult, type HlsRun } from '../media/hls.ts'
import { Joint, JoinError } from '../media/chunk-joiner.ts'
import type { Plan } from '../media/ladder.ts'
import type { Probe } from '../media/probe.ts'
import { hlsFolder } from '../storage/disk.ts'
import { chunkFile, encodeLeased } from './leased-chunk.ts'
import { chunksOf, isSplit, leaseChunk, openSplit, type ChunkState } from './chunks.query.ts'
import { encoderNow } from './encoder-registry.ts'

/** A film whose `plan.encode` is still to be made of the uploaded file `input`. */
export type Film = { id: number; uuid: string; input: string; plan: Plan; probe: Probe }

/** Whether a film is encoded in chunks: it is long, can be cut, and another worker is there, or it was cut already. */
export async function goesInChunks({ id, plan, probe }: Pick<Film, 'id' | 'plan' | 'probe'>): Promise<boolean> {
  const { enabled, min_duration } = config.transcoding.chunks
  if (!enabled || probe.duration * 1000 < min_duration || whyWhole(probe, plan) !== null) return false
  // What hardware encodes cannot be joined to what software encodes.
  return (await isSplit(id)) || ((await encoderNow()) === SOFTWARE && (await otherWorkers()))
}

/** Redis lists those that listen to the queue: one connection of each living worker process. Without it this one works alone. */
async function otherWorkers(): Promise<boolean> {
  return await askQueue('transcoding', async opened => (await opened.getWorkersCount()) > 1, false)
}

/**
 * Encodes every rung of `film.plan.encode` in chunks, with all workers that have time, and the shared sound (`withAudio`) here. The
 * renditions
 * grow by each chunk whose turn it is. What was encoded before this process had the film is used. `done` rejects with a JoinError where the
 * film has to be encoded in one pass. The chunks stay in any case: whoever has no use for them any more drops them.
 */
export function encodeInChunks(film: Film, options: HlsOptions & { signal: AbortSignal }): HlsRun {
  const ending = new AbortController()
  const signal = AbortSignal.any([options.signal, ending.signal])
  const videos = film.plan.encode.map<HlsOutput>(({ resolution }) => ({ kind: 'video', resolution, ...hlsNames(resolution) }))
  const sound =
    options.withAudio && film.plan.audioRendition
      ? soundToHls(film.input, hlsFolder(film.uuid), film.plan, film.probe, {
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

async function conduct(film: Film, outputs: HlsOutput[], options: HlsOptions & { signal: AbortSignal }): Promise<HlsResult> {
  const { signal, brake } = options
  const { duration, video } = film.probe
  const { segmentSeconds } = film.plan.settings
  const pieces = cutFilm(duration, config.transcoding.chunks.length / 1000, segmentSeconds)
  const folder = await openSplit(film, film.plan, pieces)
  const joints = outputs.map(output => ({
    resolution: output.resolution,
    joint: new Joint(hlsFolder(film.uuid), output, { segmentSeconds, fps: video!.fps })
  }))
  const tell = teller(pieces, duration, options)
  const leaving = new AbortController()
  const mine: { run: Promise<void> | null; blind: boolean } = { run: null, blind: false }
  const begin = async (): Promise<void> => {
    const leased = brake?.held ? undefined : await leaseChunk(film.id).catch(() => undefined)
    if (!leased) return
    mine.run = encodeLeased(leased, { signal: AbortSignal.any([signal, leaving.signal]), brake })
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
  emit('chunks.waiting', {})
  try {
    for (;;) {
      if (signal.aborted) throw new MediaError('aborted', 'the encoding was stopped')
      if (mine.blind) throw new JoinError('this worker does not see the files of the chunks')
      // Where the database cannot be asked, the lock is lost too, or is asked again.
      const chunks = await chunksOf(film.id).catch(() => null)
      if (chunks) {
        if (chunks.length === 0) throw new MediaError('aborted', 'the chunks are gone')
        const lost = chunks.find(chunk => chunk.lost)
        if (lost) throw new JoinError(`chunk ${lost.number} could not be encoded`)
        // The joining needs no core for long: the next chunk is encoded meanwhile.
        if (!mine.run) await begin()
        for (; chunks[joined]?.state === 'done' && !signal.aborted; joined++) {
          for (const { resolution, joint } of joints) await joint.append(join(folder, chunkFile(chunks[joined]!, resolution)))
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
    if (new Set(joints.map(({ joint }) => joint.pictures)).size > 1) throw new JoinError('the rungs have different pictures')
    if (seconds < duration - Math.max(1, duration * 0.02)) throw new JoinError(`only ${seconds} s of ${duration} s were found in chunks`)
    for (const { joint } of joints) await joint.finish()
    // Nobody has decoded it as a whole.
    return { seconds, damaged: false, broken: true, log: '' }
  } finally {
    leaving.abort()
    await mine.run
  }
}

/** Says how far the film is by the chunks that are done. */
function teller(pieces: Piece[], duration: number, { onProgress, brake }: HlsOptions): (chunks: ChunkState[]) => void {
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
