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

/** What the encoding of a video tells while it runs. */
export type EncodingCallbacks = {
  /** The renditions to come, known at the beginning. */
  planned(resolutions: number[]): Promise<void>
  /** Somebody could watch; told again and again. */
  playable(): void
  progress(progress: FfmpegProgress): void
  signal: AbortSignal
  brake: PauseControl
}

type Options = HlsOptions & { signal: AbortSignal }
/** What is done with a run until it is over. */
type Step = (run: HlsRun) => Promise<HlsResult>

/**
 * Makes all renditions of a source: the one that can be copied first, the rest in one decode. Each is listed as soon as it has
 * a segment, and grows while it is watched. What an earlier attempt finished is kept. Throws MediaError.
 */
export async function encodeRenditions(
  input: string,
  uuid: string,
  videoId: number,
  probe: Probe,
  reports: EncodingCallbacks
): Promise<void> {
  await mkdir(hlsFolder(uuid), { recursive: true })
  const plan = planTranscoding(probe)
  const files = await findFinishedRenditions(videoId)
  const finished = new Set(files.map(file => file.resolution))
  await reports.planned(plannedResolutions(plan))
  const source: RenditionSource = {
    videoId,
    uuid,
    probe,
    muxedAudio: !plan.splitAudio && plan.audios.length > 0,
    maxFps: config.transcoding.fps.max
  }
  const options = { signal: reports.signal, brake: reports.brake, nice: config.transcoding.nice, stallMs: config.transcoding.stall_timeout }
  const step: Step = async run => await follow(source, run, reports)

  const copied = plan.copyVideo !== null && finished.has(plan.copyVideo.resolution)
  if (copied) reports.playable()
  if (plan.copyVideo && !copied) {
    try {
      await step(copyToHls(input, hlsFolder(uuid), plan, probe, options))
    } catch (error) {
      if (reports.signal.aborted || !(error instanceof MediaError)) throw error
      logger.warn('A stream that looked playable could not be copied; it is encoded instead', { uuid, reason: error.message })
      const encoded = planTranscoding(probe, { copy: false })
      await inOnePass(
        { id: videoId, uuid, input, plan: encoded, probe },
        { ...options, onProgress: reports.progress, spareMemory: spareMemoryAfterEncoding(encoded) },
        step
      )
      return
    }
  }
  const rest: TranscodingPlan = { ...plan, encode: plan.encode.filter(rung => !finished.has(rung.resolution)) }
  const withAudio = plan.copyVideo === null && files.filter(file => !file.hasVideo).length < plan.audios.length
  const film: EncodingTask = { id: videoId, uuid, input, plan: rest, probe }
  // What can be watched already needs no hurry.
  const audible = {
    ...options,
    withAudio,
    onProgress: reports.progress,
    spareMemory: finished.size > 0 ? 0 : spareMemoryAfterEncoding(rest)
  }
  const result = rest.encode.length === 0 ? null : ((await inChunks(film, audible, step)) ?? (await inOnePass(film, audible, step)))
  if (rest.encode.length === 0 && finished.size > 0) reports.playable()
  await deleteEncodingSplit(film)
  await replaceCopies(film, source, result?.broken ?? true, options)
}

/** Encodes what should not stay a copy, and lists it when it is complete: until then the copy is watched. */
async function replaceCopies(film: EncodingTask, source: RenditionSource, suspect: boolean, options: Options): Promise<void> {
  const due = await planStreamCopyReplacement(film, suspect, options)
  if (!due) return
  logger.info('What was copied of a film is replaced', { uuid: film.uuid, picture: due.plan.encode.length > 0, sound: due.withAudio })
  const step: Step = async run => {
    try {
      const result = await run.done
      await publishRenditions(source, run.outputs, false, { watched: true })
      return result
    } catch (error) {
      await removeRenditionFiles(film.uuid, run.outputs)
      throw error
    }
  }
  if (due.plan.encode.length > 0) await inOnePass({ ...film, plan: due.plan }, { ...options, withAudio: due.withAudio }, step)
  else await step(audioToHls(film.input, hlsFolder(film.uuid), due.plan, film.probe, options))
}

/** Encodes a film in chunks where that is worth it; null where it has to be encoded in one pass. */
async function inChunks(film: EncodingTask, options: Options, step: Step): Promise<HlsResult | null> {
  if (!(await shouldEncodeInChunks(film))) return null
  try {
    return await step(encodeInChunks(film, options))
  } catch (error) {
    if (options.signal.aborted || !(error instanceof ChunkJoinError)) throw error
    logger.warn('A film could not be encoded in chunks; it is encoded in one pass instead', { uuid: film.uuid, reason: error.message })
    await deleteEncodingSplit(film)
    return null
  }
}

/** Encodes a film in one pass, with hardware where that is asked for and works; where hardware gives up, in software. */
async function inOnePass({ uuid, input, plan, probe }: EncodingTask, options: Options, step: Step): Promise<HlsResult> {
  const encoder = await getCurrentEncoder()
  const encodeWith = async (one: typeof encoder): Promise<HlsResult> =>
    await step(encodeToHls(input, hlsFolder(uuid), plan, probe, { ...options, encoder: one }))
  try {
    return await encodeWith(encoder)
  } catch (error) {
    if (encoder === SOFTWARE_ENCODER || options.signal.aborted || !(error instanceof MediaError) || error.code === 'disk_full') throw error
    logger.warn('An encoder gave up; the film is encoded in software instead', { uuid, encoder, reason: error.message })
    await recheckEncoder(encoder)
    return await encodeWith(SOFTWARE_ENCODER)
  }
}

/** The renditions of a plan, highest first; 0 is audio. */
export function plannedResolutions(plan: TranscodingPlan): number[] {
  return [
    ...(plan.copyVideo ? [plan.copyVideo.resolution] : []),
    ...plan.encode.map(rung => rung.resolution),
    ...(plan.audioRendition ? [0] : [])
  ]
}

/** Lists the outputs of a run as they become playable, and once more, complete, when it is done. */
async function follow(source: RenditionSource, run: HlsRun, reports: EncodingCallbacks): Promise<HlsResult> {
  const folder = hlsFolder(source.uuid)
  let over = false
  const ended = run.done.finally(() => {
    over = true
  })
  ended.catch(() => undefined)
  const grow = async (): Promise<void> => {
    // Those that begin together are listed together: sound is never missing.
    for (const group of run.groups) {
      while (!over && !(await Promise.all(group.map(async output => await hasFirstSegment(folder, output)))).every(Boolean)) {
        await Promise.race([ended.catch(() => undefined), new Promise(resolve => setTimeout(resolve, config.transcoding.watch_interval))])
      }
      if (over) return
      await publishRenditions(source, group, true)
      reports.playable()
    }
  }
  const growing = grow()
  // Looked at when the run has ended; until then nobody waits for it.
  growing.catch(() => undefined)
  try {
    const result = await ended
    await growing
    await publishRenditions(source, run.outputs, false)
    reports.playable()
    return result
  } catch (error) {
    run.kill()
    await ended.catch(() => undefined)
    await growing.catch(() => undefined)
    await removeRenditionFiles(source.uuid, await unlisted(run))
    throw error
  }
}

/** Those of a run's outputs that nobody can be watching; the others stay until the next attempt replaces them. */
async function unlisted({ outputs }: HlsRun): Promise<HlsOutput[]> {
  const listed = await VideoFileModel.findAll({ where: { filename: outputs.map(({ file }) => file) } })
  return outputs.filter(({ file }) => !listed.some(({ filename }) => filename === file))
}
