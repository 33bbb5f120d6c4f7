import { mkdir } from 'node:fs/promises'
import { config } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import type { Brake } from '../media/brake.ts'
import { copyToHls, encodeToHls, type HlsOptions, type HlsRun } from '../media/hls.ts'
import { MediaError, type Progress } from '../media/ffmpeg.ts'
import { JoinError } from '../media/join.ts'
import type { Plan } from '../media/ladder.ts'
import type { Probe } from '../media/probe.ts'
import { hlsFolder } from '../storage/disk.ts'
import { VideoFile } from '../videos/video-file.model.ts'
import { dropSplit } from './chunks.query.ts'
import { encodeInChunks, goesInChunks, type Film } from './conduct.ts'
import { discard, finishedRenditions, isPlayable, listRenditions, type Source } from './renditions.ts'
import { planFor } from './settings.ts'

/** What the encoding of a video tells while it runs. */
export type Reports = {
  /** The renditions to come, known at the beginning. */
  planned(resolutions: number[]): Promise<void>
  /** The first moment somebody could watch; called once. */
  playable(): Promise<void>
  progress(progress: Progress): void
  signal: AbortSignal
  brake: Brake
}

/**
 * Makes all renditions of a source: the one that can be copied first, the rest in one decode. Each is listed as soon as it has
 * a segment, and grows while it is watched. What an earlier attempt finished is kept. Throws MediaError.
 */
export async function encode(input: string, uuid: string, videoId: number, probe: Probe, reports: Reports): Promise<void> {
  await mkdir(hlsFolder(uuid), { recursive: true })
  const plan = planFor(probe)
  const files = await finishedRenditions(videoId)
  const finished = new Set(files.map(file => file.resolution))
  await reports.planned(resolutionsOf(plan))
  const source: Source = { videoId, uuid, probe, muxedAudio: !plan.splitAudio && plan.audios.length > 0, maxFps: config.transcoding.fps.max }
  const options = { signal: reports.signal, brake: reports.brake, nice: config.transcoding.nice, stallMs: config.transcoding.stall_timeout }
  const step = async (run: HlsRun): Promise<void> => await follow(source, run, reports)

  const copied = plan.copyVideo !== null && finished.has(plan.copyVideo.resolution)
  if (copied) await reports.playable()
  if (plan.copyVideo && !copied) {
    try {
      await step(copyToHls(input, hlsFolder(uuid), plan, probe, options))
    } catch (error) {
      if (reports.signal.aborted || !(error instanceof MediaError)) throw error
      logger.warn('A stream that looked playable could not be copied; it is encoded instead', { uuid, reason: error.message })
      return await step(encodeToHls(input, hlsFolder(uuid), planFor(probe, { copy: false }), probe, { ...options, onProgress: reports.progress }))
    }
  }
  const rest: Plan = { ...plan, encode: plan.encode.filter(rung => !finished.has(rung.resolution)) }
  const withAudio = plan.copyVideo === null && files.filter(file => !file.hasVideo).length < plan.audios.length
  const film: Film = { id: videoId, uuid, input, plan: rest, probe }
  const audible = { ...options, withAudio, onProgress: reports.progress }
  if (rest.encode.length > 0 && !await inChunks(film, audible, step)) await step(encodeToHls(input, hlsFolder(uuid), rest, probe, audible))
  if (rest.encode.length === 0 && finished.size > 0) await reports.playable()
  await dropSplit(film)
}

/** Encodes a film in chunks where that is worth it; false where it has to be encoded in one pass. */
async function inChunks(film: Film, options: HlsOptions & { signal: AbortSignal }, step: (run: HlsRun) => Promise<void>): Promise<boolean> {
  if (!await goesInChunks(film)) return false
  try {
    await step(encodeInChunks(film, options))
    return true
  } catch (error) {
    if (options.signal.aborted || !(error instanceof JoinError)) throw error
    logger.warn('A film could not be encoded in chunks; it is encoded in one pass instead', { uuid: film.uuid, reason: error.message })
    await dropSplit(film)
    return false
  }
}

/** The renditions of a plan, highest first; 0 is audio. */
export function resolutionsOf(plan: Plan): number[] {
  return [...(plan.copyVideo ? [plan.copyVideo.resolution] : []), ...plan.encode.map(rung => rung.resolution), ...(plan.audioRendition ? [0] : [])]
}

/** Lists the outputs of a run as they become playable, and once more, complete, when it is done. */
async function follow(source: Source, run: HlsRun, reports: Reports): Promise<void> {
  const folder = hlsFolder(source.uuid)
  let over = false
  const ended = run.done.finally(() => { over = true })
  ended.catch(() => undefined)
  const grow = async (): Promise<void> => {
    while (!over) {
      const ready = await Promise.all(run.outputs.map(async output => await isPlayable(folder, output)))
      // All of a run's outputs begin within the same second, so they are listed together: sound is never missing.
      if (ready.every(Boolean)) {
        await listRenditions(source, run.outputs, true)
        return await reports.playable()
      }
      await Promise.race([ended.catch(() => undefined), new Promise(resolve => setTimeout(resolve, config.transcoding.watch_interval))])
    }
  }
  const growing = grow()
  // Looked at when the run has ended; until then nobody waits for it.
  growing.catch(() => undefined)
  try {
    await ended
    await growing
    await listRenditions(source, run.outputs, false)
    await reports.playable()
  } catch (error) {
    run.kill()
    await ended.catch(() => undefined)
    await growing.catch(() => undefined)
    if (!await isListed(run)) await discard(source.uuid, run.outputs)
    throw error
  }
}

/** Whether somebody may be watching a run's outputs: then they stay until the next attempt replaces them. */
async function isListed(run: HlsRun): Promise<boolean> {
  return await VideoFile.count({ where: { filename: run.outputs.map(output => output.file) } }) > 0
}
