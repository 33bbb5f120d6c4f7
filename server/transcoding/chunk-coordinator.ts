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

/** A video whose `plan.encode` is still to be encoded from the uploaded file `input`. */
export type EncodingTask = { id: number; uuid: string; input: string; plan: TranscodingPlan; probe: Probe }

/** Whether a video is encoded in chunks: it is long, can be split, and there is another worker, or it was split already. */
export async function shouldEncodeInChunks({ id, plan, probe }: Pick<EncodingTask, 'id' | 'plan' | 'probe'>): Promise<boolean> {
  const { enabled, min_duration } = config.transcoding.chunks
  if (!enabled || probe.duration * 1000 < min_duration || reasonNotToSplit(probe, plan) !== null) return false
  // Chunks of hardware and of software encoders cannot be joined.
  return (await hasEncodingSplit(id)) || ((await getCurrentEncoder()) === SOFTWARE_ENCODER && (await hasOtherWorkers()))
}

/** Redis lists the connections to the queue, one for each running worker process. Without Redis this worker encodes alone. */
async function hasOtherWorkers(): Promise<boolean> {
  return await readFromQueue('transcoding', async queue => (await queue.getWorkersCount()) > 1, false)
}

/**
 * Encodes every rendition of `task.plan.encode` in chunks, together with all idle workers, and the shared audio (`withAudio`) in this
 * process. The renditions grow by the chunks in order. Chunks encoded by an earlier attempt are reused. `done` rejects with a
 * ChunkJoinError if the video has to be encoded in one pass. The chunks are kept in any case: the caller deletes them
 * (`deleteEncodingSplit`).
 */
export function encodeInChunks(task: EncodingTask, options: HlsOptions & { signal: AbortSignal }): HlsRun {
  const stopController = new AbortController()
  const signal = AbortSignal.any([options.signal, stopController.signal])
  const videoOutputs = task.plan.encode.map<HlsOutput>(({ resolution }) => ({ kind: 'video', resolution, ...newHlsFilenames(resolution) }))
  const audioRun =
    options.withAudio && task.plan.audioRendition
      ? audioToHls(task.input, hlsFolder(task.uuid), task.plan, task.probe, {
          signal,
          nice: options.nice,
          stallMs: options.stallMs,
          pauseControl: options.pauseControl
        })
      : null
  const done = (async () => {
    const runs = [coordinateChunks(task, videoOutputs, { ...options, signal }), audioRun?.done]
    try {
      return (await Promise.all(runs))[0]!
    } catch (error) {
      stopController.abort()
      await Promise.allSettled(runs)
      throw error
    }
  })()
  done.catch(() => undefined)
  const outputs = [...videoOutputs, ...(audioRun?.outputs ?? [])]
  return { outputs, groups: [outputs], done, kill: () => stopController.abort() }
}

async function coordinateChunks(
  task: EncodingTask,
  outputs: HlsOutput[],
  options: HlsOptions & { signal: AbortSignal }
): Promise<HlsResult> {
  const { signal, pauseControl } = options
  const { duration, video } = task.probe
  const { segmentSeconds } = task.plan.settings
  const ranges = splitIntoChunks(duration, config.transcoding.chunks.length / 1000, segmentSeconds)
  const folder = await findOrCreateEncodingSplit(task, task.plan, ranges)
  const joiners = outputs.map(output => ({
    resolution: output.resolution,
    joiner: new ChunkJoiner(hlsFolder(task.uuid), output, { segmentSeconds, fps: video!.fps })
  }))
  const reportProgress = createProgressReporter(ranges, duration, options)
  const ownChunkAbort = new AbortController()
  const ownChunk: { run: Promise<void> | null; cannotSeeFiles: boolean } = { run: null, cannotSeeFiles: false }
  const startOwnChunk = async (): Promise<void> => {
    const leased = pauseControl?.paused ? undefined : await leaseNextChunk(task.id).catch(() => undefined)
    if (!leased) return
    ownChunk.run = encodeLeasedChunk(leased, { signal: AbortSignal.any([signal, ownChunkAbort.signal]), pauseControl })
      .then(
        encoded => {
          ownChunk.cannotSeeFiles = !encoded
        },
        error => {
          logger.warn('A chunk was left to others', { uuid: task.uuid, error })
        }
      )
      .finally(() => {
        ownChunk.run = null
      })
  }
  let joinedCount = 0
  emitEvent('chunks.waiting', {})
  try {
    for (;;) {
      if (signal.aborted) throw new MediaError('aborted', 'the encoding was stopped')
      if (ownChunk.cannotSeeFiles) throw new ChunkJoinError('this worker does not see the files of the chunks')
      // If the database cannot be reached, the lock is lost too, or the next round queries again.
      const chunks = await listChunks(task.id).catch(() => null)
      if (chunks) {
        if (chunks.length === 0) throw new MediaError('aborted', 'the chunks are gone')
        const lostChunk = chunks.find(chunk => chunk.lost)
        if (lostChunk) throw new ChunkJoinError(`chunk ${lostChunk.number} could not be encoded`)
        // Joining takes little time: the next chunk is encoded meanwhile.
        if (!ownChunk.run) await startOwnChunk()
        for (; chunks[joinedCount]?.state === 'done' && !signal.aborted; joinedCount++) {
          for (const { resolution, joiner } of joiners)
            await joiner.append(join(folder, leasedChunkFilename(chunks[joinedCount]!, resolution)))
        }
        reportProgress(chunks)
        if (joinedCount === chunks.length) break
      }
      await Promise.race([
        ...(ownChunk.run ? [ownChunk.run] : []),
        sleep(config.transcoding.progress_interval, undefined, { signal }).catch(() => undefined)
      ])
    }
    const seconds = Math.min(...joiners.map(({ joiner }) => joiner.seconds))
    if (new Set(joiners.map(({ joiner }) => joiner.frames)).size > 1) throw new ChunkJoinError('the rungs have different pictures')
    if (seconds < duration - Math.max(1, duration * 0.02))
      throw new ChunkJoinError(`only ${seconds} s of ${duration} s were found in chunks`)
    for (const { joiner } of joiners) await joiner.finish()
    // No single pass decoded all of it, so decode errors cannot be excluded.
    return { seconds, damaged: false, decodeErrors: true, log: '' }
  } finally {
    ownChunkAbort.abort()
    await ownChunk.run
  }
}

/** Returns a function that reports the progress by the chunks that are done. */
function createProgressReporter(
  ranges: TimeRange[],
  duration: number,
  { onProgress, pauseControl }: HlsOptions
): (chunks: ChunkStatus[]) => void {
  const startedAt = performance.now() - (pauseControl?.pausedMs ?? 0)
  let [secondsAtStart, lastSeconds] = [-1, -1]
  return chunks => {
    const seconds = chunks.reduce(
      (sum, { state, number }) =>
        sum + (state === 'done' && ranges[number] ? Math.max(0, (ranges[number].end ?? duration) - ranges[number].start) : 0),
      0
    )
    if (secondsAtStart === -1) secondsAtStart = seconds
    if (seconds === lastSeconds) return
    lastSeconds = seconds
    const elapsed = (performance.now() - (pauseControl?.pausedMs ?? 0) - startedAt) / 1000
    const speed = elapsed > 0 ? (seconds - secondsAtStart) / elapsed : 0
    onProgress?.({
      seconds,
      percent: Math.min(99, (seconds / duration) * 100),
      speed,
      secondsLeft: speed > 0 ? Math.max(0, (duration - seconds) / speed) : null
    })
  }
}
