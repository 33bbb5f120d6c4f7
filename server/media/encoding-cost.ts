import type { TranscodingPlan, PlannedRendition } from './ladder.ts'
import type { Probe } from './probe.ts'

/** Bytes an ffmpeg process uses before it has decoded a frame. */
const BASE_BYTES = 64 * 1024 * 1024
/** Bytes per pixel of a rendition: measured 100 to 112 with x264's veryfast; slower presets look further ahead. */
const BYTES_PER_PIXEL = 150

/** The cost of a plan: the number of pixels to encode, over all frames of all renditions. A copied stream costs nothing. */
export function encodingCost(plan: TranscodingPlan, probe: Probe): number {
  return plan.encode.reduce((sum, { width, height, fps }) => sum + width * height * fps, 0) * probe.duration
}

/** The memory that encoding by a plan uses at most, in bytes; all renditions are encoded at the same time. */
export function encodingMemory(plan: TranscodingPlan): number {
  return BASE_BYTES + plan.encode.reduce((sum: number, { width, height }: PlannedRendition) => sum + width * height, 0) * BYTES_PER_PIXEL
}
