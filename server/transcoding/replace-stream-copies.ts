import { join } from 'node:path'
import { config } from '../core/config.ts'
import { hasDecodeErrors } from '../media/ffmpeg.ts'
import type { HlsOptions } from '../media/hls.ts'
import type { TranscodingPlan } from '../media/ladder.ts'
import type { Probe } from '../media/probe.ts'
import { hlsFolder } from '../storage/disk.ts'
import { findFinishedRenditions } from './renditions.ts'
import { planTranscoding } from './transcoding-settings.ts'

/**
 * As many times the bit rate an encoding would have at most is too much for a copy that stays; what is below so many bits a second is heavy
 * for nobody.
 */
const FAR = 2
const LIGHT = 2_000_000

/**
 * What is to be encoded after all of what was copied, when the ladder is complete: a picture far above the bit rate of an encoding, and
 * what
 * nobody could decode as it should (browsers give up where it is). The sound goes with it where it stands in `plan.audios` and
 * `withAudio` is said. Null where everything may stay. `suspect`: the picture may be broken.
 */
export async function planStreamCopyReplacement(
  { id, uuid, probe, plan }: { id: number; uuid: string; probe: Probe; plan: TranscodingPlan },
  suspect: boolean,
  options: HlsOptions
): Promise<{ plan: TranscodingPlan; withAudio: boolean } | null> {
  const files = await findFinishedRenditions(id)
  const broken = async (filename: string): Promise<boolean> => await hasDecodeErrors(join(hlsFolder(uuid), filename), options)
  const full = planTranscoding(probe, { copy: false })
  const [top] = full.encode
  const copy = files.find(file => file.hasVideo && file.resolution === plan.copyVideo?.resolution)
  const heavy = config.transcoding.replace_heavy_copies && Number(copy?.averageBandwidth ?? 0) > Math.max(LIGHT, FAR * (top?.maxrate ?? 0))
  const picture = copy !== undefined && top !== undefined && (heavy || (suspect && (await broken(copy.filename))))
  let sound = false
  for (const file of plan.audios.some(audio => audio.copy) ? files.filter(one => !one.hasVideo) : []) sound ||= await broken(file.filename)
  if (!picture && !sound) return null
  const audios = full.audios.map(audio => ({ ...audio, copy: audio.copy && !sound && !suspect }))
  return { plan: { ...full, audios, encode: picture ? [top] : [] }, withAudio: sound }
}
