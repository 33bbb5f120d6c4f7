import type { TranscodingPlan, PlannedRendition } from './ladder.ts'
import type { Probe } from './probe.ts'

/** Bytes an ffmpeg takes before it has a picture. */
const BASE = 64 * 1024 * 1024
/** Bytes per pixel of a rung: measured 100 to 112 with x264's veryfast; slower presets look further ahead. */
const PER_PIXEL = 150

/** The work of a plan: pixels to encode in all pictures of all rungs. A stream that is copied costs nothing. */
export function encodingCost(plan: TranscodingPlan, probe: Probe): number {
  return plan.encode.reduce((sum, { width, height, fps }) => sum + width * height * fps, 0) * probe.duration
}

/** The memory that encoding by a plan takes at most, in bytes; all rungs are encoded at the same time. */
export function encodingMemory(plan: TranscodingPlan): number {
  return BASE + plan.encode.reduce((sum: number, { width, height }: PlannedRendition) => sum + width * height, 0) * PER_PIXEL
}
