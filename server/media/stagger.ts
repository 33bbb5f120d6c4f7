import type { TranscodingPlan } from './ladder.ts'
import type { Probe, VideoStream } from './probe.ts'

/** How many of the highest renditions of a plan are encoded later than the others, and by how many seconds of the source. */
export type Stagger = { delayedRenditions: number; seconds: number }

/** The renditions that are not delayed have at most this share of the ladder's pixels. */
const UNDELAYED_PIXEL_SHARE = 0.25
/** Frames that an encoder buffers before it outputs the first one: x264's veryfast looks 10 ahead, and works on several at once. */
const ENCODER_DELAY_FRAMES = 24
/** Upper limit for the buffered frames. */
const MAX_BUFFER_BYTES = 256 * 1024 * 1024
/** A shorter delay (seconds of the source) is not worth it. */
const MIN_SECONDS = 0.5

/**
 * Which renditions are encoded later, so that the others get each of their segments sooner: a player that starts with those does not stall
 * after an early first segment. The decoded frames in between are buffered, in `memory` bytes at most. Null where nothing is gained, or
 * where the number of frames to buffer cannot be predicted.
 */
export function planStagger(plan: TranscodingPlan, probe: Probe, memory: number): Stagger | null {
  const [top] = plan.encode
  if (
    plan.copyVideo ||
    plan.audioOnly ||
    !top ||
    !probe.video ||
    plan.encode.length < 2 ||
    (plan.keepsFrameTimes && probe.video.variableFps)
  )
    return null
  const pixelCount = (renditions: TranscodingPlan['encode']): number =>
    renditions.reduce((sum, { width, height }) => sum + width * height, 0)
  const delayedCount = plan.encode.findIndex(
    (_, i) => i > 0 && pixelCount(plan.encode.slice(i)) <= pixelCount(plan.encode) * UNDELAYED_PIXEL_SHARE
  )
  // HDR frames are tone-mapped at the size of the largest rendition.
  const frameBytes = probe.video.hdr ? top.width * top.height * 1.5 : probe.video.width * probe.video.height * bytesPerPixel(probe.video)
  const seconds = Math.min(
    plan.settings.segmentSeconds + ENCODER_DELAY_FRAMES / top.fps,
    Math.min(MAX_BUFFER_BYTES, memory) / frameBytes / top.fps
  )
  return seconds < MIN_SECONDS ? null : { delayedRenditions: delayedCount < 0 ? plan.encode.length - 1 : delayedCount, seconds }
}

function bytesPerPixel({ pixFmt }: VideoStream): number {
  const samples = /444|gbr|rgb|bgr/.test(pixFmt) ? 3 : /422|yuyv|uyvy/.test(pixFmt) ? 2 : 1.5
  return samples * (/(9|1[0246])(le|be)|p010|p016/.test(pixFmt) ? 2 : 1)
}
