import { join } from 'node:path'
import { config } from '../core/config.ts'
import { hasDecodeErrors } from '../media/ffmpeg.ts'
import { hasOtherParameterSets } from '../media/h264-parameter-sets.ts'
import type { HlsOptions } from '../media/hls.ts'
import type { TranscodingPlan } from '../media/ladder.ts'
import type { Probe } from '../media/probe.ts'
import { hlsFolder } from '../storage/disk.ts'
import { findFinishedRenditions } from './renditions.ts'
import { planTranscoding } from './transcoding-settings.ts'

/**
 * A copy is replaced if its bit rate exceeds that of an encoding by this factor, unless it is below MIN_HEAVY_BITRATE (bits per second).
 */
const HEAVY_COPY_FACTOR = 2
const MIN_HEAVY_BITRATE = 2_000_000

/**
 * Plans which stream copies are encoded after all when the ladder is complete: a video stream far above the bit rate of an encoding, and
 * streams that do not decode without errors (browsers stop playing there) or whose parameter sets change in mid-stream. `withAudio` says whether the audio of the plan is encoded too.
 * Null if all copies may stay. `mayHaveDecodeErrors`: the video stream may be damaged.
 */
export async function planStreamCopyReplacement(
  { id, uuid, probe, plan }: { id: number; uuid: string; probe: Probe; plan: TranscodingPlan },
  mayHaveDecodeErrors: boolean,
  options: HlsOptions
): Promise<{ plan: TranscodingPlan; withAudio: boolean } | null> {
  const files = await findFinishedRenditions(id)
  const isBroken = async (filename: string): Promise<boolean> => await hasDecodeErrors(join(hlsFolder(uuid), filename), options)
  const encodePlan = planTranscoding(probe, { copy: false })
  const [top] = encodePlan.encode
  const copy = files.find(file => file.hasVideo && file.resolution === plan.copyVideo?.resolution)
  const isHeavy =
    config.transcoding.replace_heavy_copies &&
    Number(copy?.averageBandwidth ?? 0) > Math.max(MIN_HEAVY_BITRATE, HEAVY_COPY_FACTOR * (top?.maxrate ?? 0))
  const replaceVideo =
    copy !== undefined &&
    top !== undefined &&
    (isHeavy ||
      (await hasOtherParameterSets(join(hlsFolder(uuid), copy.filename))) ||
      (mayHaveDecodeErrors && (await isBroken(copy.filename))))
  let replaceAudio = false
  for (const file of plan.audios.some(audio => audio.copy) ? files.filter(file => !file.hasVideo) : [])
    replaceAudio ||= await isBroken(file.filename)
  if (!replaceVideo && !replaceAudio) return null
  const audios = encodePlan.audios.map(audio => ({ ...audio, copy: audio.copy && !replaceAudio && !mayHaveDecodeErrors }))
  return { plan: { ...encodePlan, audios, encode: replaceVideo ? [top] : [] }, withAudio: replaceAudio }
}
