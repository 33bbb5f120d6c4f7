import { mkdir } from 'node:fs/promises'
import { SOFTWARE_ENCODER } from '../../shared/encoders.ts'
import { config } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import type { PauseControl } from '../media/pause-control.ts'
import { copyToHls, encodeToHls, audioToHls, type HlsOptions, type HlsOutput, type HlsResult, type HlsRun } from '../media/hls.ts'
import { MediaError, type FfmpegProgress } from '../media/ffmpeg.ts'
import { ChunkJoinError } from '../media/chunk-joiner.ts'
import type { TranscodingPlan } from '../media/ladder.ts'
import type { Probe } from '../media/probe.ts'
import { hlsFolder } from '../storage/disk.ts'
import { VideoFileModel } from '../videos/video-file.model.ts'
import { deleteEncodingSplit } from './chunks.query.ts'
import { encodeInChunks, shouldEncodeInChunks, type EncodingTask } from './chunk-coordinator.ts'
import { planStreamCopyReplacement } from './replace-stream-copies.ts'
import { recheckEncoder, getCurrentEncoder } from './encoder-registry.ts'
import { removeRenditionFiles, findFinishedRenditions, hasFirstSegment, publishRenditions, type RenditionSource } from './renditions.ts'
import { planTranscoding } from './transcoding-settings.ts'
import { spareMemoryAfterEncoding } from './scheduler.ts'

/** Callbacks and controls of the encoding of a video. */
export type EncodingCallbacks = {
  /** Called at the beginning with the planned renditions. */
  onPlanned(resolutions: number[]): Promise<void>
  /** Called whenever something is playable, repeatedly. */
  onPlayable(): void
  onProgress(progress: FfmpegProgress): void
  signal: AbortSignal
  pauseControl: PauseControl
}

type RunOptions = HlsOptions & { signal: AbortSignal }
/** Accompanies a run until it has ended. */
type RunHandler = (run: HlsRun) => Promise<HlsResult>

/**
 * Makes all renditions of a source: first the one that can be copied, then the rest in one decode. Each is listed as soon as it has
 * a segment, and grows while it is watched. Renditions that an earlier attempt finished are kept. Throws a MediaError.
 */
export async function encodeRenditions(
  input: string,
  uuid: string,
  videoId: number,
  probe: Probe,
  callbacks: EncodingCallbacks
): Promise<void> {
  await mkdir(hlsFolder(uuid), { recursive: true })
  const plan = planTranscoding(probe)
  // One that is left as a single MP4 alone, or as the sound of one, has no playlist any more.
  const finishedFiles = (await findFinishedRenditions(videoId)).filter(file => file.hls)
  const finishedResolutions = new Set(finishedFiles.map(file => file.resolution))
  await callbacks.onPlanned(plannedResolutions(plan))
  const source: RenditionSource = {
    videoId,
    uuid,
    probe,
    muxedAudio: !plan.splitAudio && plan.audios.length > 0,
    maxFps: config.transcoding.fps.max
  }
  const options = {
    signal: callbacks.signal,
    pauseControl: callbacks.pauseControl,
    nice: config.transcoding.nice,
    stallMs: config.transcoding.stall_timeout
  }
  const handleRun: RunHandler = async run => await publishWhileEncoding(source, run, callbacks)

  const isCopyFinished = plan.copyVideo !== null && finishedResolutions.has(plan.copyVideo.resolution)
  if (isCopyFinished) callbacks.onPlayable()
  if (plan.copyVideo && !isCopyFinished) {
    try {
      await handleRun(copyToHls(input, hlsFolder(uuid), plan, probe, options))
    } catch (error) {
      if (callbacks.signal.aborted || !(error instanceof MediaError)) throw error
      logger.warn('A stream that looked playable could not be copied; it is encoded instead', { uuid, reason: error.message })
      const reencodePlan = planTranscoding(probe, { copy: false })
      await encodeInOnePass(
        { id: videoId, uuid, input, plan: reencodePlan, probe },
        { ...options, onProgress: callbacks.onProgress, spareMemory: spareMemoryAfterEncoding(reencodePlan) },
        handleRun
      )
      return
    }
  }
  const remainingPlan: TranscodingPlan = {
    ...plan,
    encode: plan.encode.filter(rendition => !finishedResolutions.has(rendition.resolution))
  }
  const withAudio = plan.copyVideo === null && finishedFiles.filter(file => !file.hasVideo).length < plan.audios.length
  const task: EncodingTask = { id: videoId, uuid, input, plan: remainingPlan, probe }
  // No stagger is needed if the video is playable already.
  const encodeOptions = {
    ...options,
    withAudio,
    onProgress: callbacks.onProgress,
    spareMemory: finishedResolutions.size > 0 ? 0 : spareMemoryAfterEncoding(remainingPlan)
  }
  const result =
    remainingPlan.encode.length === 0
      ? null
      : ((await tryEncodeInChunks(task, encodeOptions, handleRun)) ?? (await encodeInOnePass(task, encodeOptions, handleRun)))
  if (remainingPlan.encode.length === 0 && finishedResolutions.size > 0) callbacks.onPlayable()
  await deleteEncodingSplit(task)
  await replaceStreamCopies(task, source, result?.decodeErrors ?? true, options)
}

/** Encodes the streams that should not stay copies, and lists them when they are complete: until then the copy is played. */
async function replaceStreamCopies(
  task: EncodingTask,
  source: RenditionSource,
  mayHaveDecodeErrors: boolean,
  options: RunOptions
): Promise<void> {
  const replacement = await planStreamCopyReplacement(task, mayHaveDecodeErrors, options)
  if (!replacement) return
  logger.info('What was copied of a film is replaced', {
    uuid: task.uuid,
    picture: replacement.plan.encode.length > 0,
    sound: replacement.withAudio
  })
  const handleRun: RunHandler = async run => {
    try {
      const result = await run.done
      await publishRenditions(source, run.outputs, false, { keepReplacedFiles: true })
      return result
    } catch (error) {
      await removeRenditionFiles(task.uuid, run.outputs)
      throw error
    }
  }
  if (replacement.plan.encode.length > 0)
    await encodeInOnePass({ ...task, plan: replacement.plan }, { ...options, withAudio: replacement.withAudio }, handleRun)
  else await handleRun(audioToHls(task.input, hlsFolder(task.uuid), replacement.plan, task.probe, options))
}

/** Encodes a video in chunks if that is worthwhile; null if it has to be encoded in one pass. */
async function tryEncodeInChunks(task: EncodingTask, options: RunOptions, handleRun: RunHandler): Promise<HlsResult | null> {
  if (!(await shouldEncodeInChunks(task))) return null
  try {
    return await handleRun(encodeInChunks(task, options))
  } catch (error) {
    if (options.signal.aborted || !(error instanceof ChunkJoinError)) throw error
    logger.warn('A film could not be encoded in chunks; it is encoded in one pass instead', { uuid: task.uuid, reason: error.message })
    await deleteEncodingSplit(task)
    return null
  }
}

/** Encodes a video in one pass with the configured encoder; in software if a hardware encoder fails. */
async function encodeInOnePass({ uuid, input, plan, probe }: EncodingTask, options: RunOptions, handleRun: RunHandler): Promise<HlsResult> {
  const preferred = await getCurrentEncoder()
  const encodeWith = async (encoder: typeof preferred): Promise<HlsResult> =>
    await handleRun(encodeToHls(input, hlsFolder(uuid), plan, probe, { ...options, encoder }))
  try {
    return await encodeWith(preferred)
  } catch (error) {
    if (preferred === SOFTWARE_ENCODER || options.signal.aborted || !(error instanceof MediaError) || error.code === 'disk_full')
      throw error
    logger.warn('An encoder gave up; the film is encoded in software instead', { uuid, encoder: preferred, reason: error.message })
    await recheckEncoder(preferred)
    return await encodeWith(SOFTWARE_ENCODER)
  }
}

/** The renditions of a plan, highest first; 0 is audio. */
export function plannedResolutions(plan: TranscodingPlan): number[] {
  return [
    ...(plan.copyVideo ? [plan.copyVideo.resolution] : []),
    ...plan.encode.map(rendition => rendition.resolution),
    ...(plan.audioRendition ? [0] : [])
  ]
}

/** Lists the outputs of a run as they become playable, and once more, complete, when it is done. */
async function publishWhileEncoding(source: RenditionSource, run: HlsRun, callbacks: EncodingCallbacks): Promise<HlsResult> {
  const folder = hlsFolder(source.uuid)
  let ended = false
  const done = run.done.finally(() => {
    ended = true
  })
  done.catch(() => undefined)
  const publishGrowing = async (): Promise<void> => {
    // Outputs that start together are listed together: a video rendition is never listed without its audio.
    for (const group of run.groups) {
      while (!ended && !(await Promise.all(group.map(async output => await hasFirstSegment(folder, output)))).every(Boolean)) {
        await Promise.race([done.catch(() => undefined), new Promise(resolve => setTimeout(resolve, config.transcoding.watch_interval))])
      }
      if (ended) return
      await publishRenditions(source, group, true)
      callbacks.onPlayable()
    }
  }
  const publishing = publishGrowing()
  // Awaited when the run has ended; until then a rejection must not count as unhandled.
  publishing.catch(() => undefined)
  try {
    const result = await done
    await publishing
    await publishRenditions(source, run.outputs, false)
    callbacks.onPlayable()
    return result
  } catch (error) {
    run.kill()
    await done.catch(() => undefined)
    await publishing.catch(() => undefined)
    await removeRenditionFiles(source.uuid, await unlistedOutputs(run))
    throw error
  }
}

/** The outputs of a run that are not listed and so not watched; the others stay until the next attempt replaces them. */
async function unlistedOutputs({ outputs }: HlsRun): Promise<HlsOutput[]> {
  const listed = await VideoFileModel.findAll({ where: { filename: outputs.map(({ file }) => file) } })
  return outputs.filter(({ file }) => !listed.some(({ filename }) => filename === file))
}
