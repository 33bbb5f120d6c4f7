import type { TranscodingPlan } from './ladder.ts'
import type { Probe, VideoStream } from './probe.ts'

/** How many of the highest rungs of a plan are encoded later than the others, and by how many seconds of the film. */
export type Stagger = { rungs: number; seconds: number }

/** The rungs that do not wait have at most this share of the ladder's pixels. */
const LIGHT = 0.25
/** Pictures that an encoder keeps to itself before it gives the first one: x264's veryfast looks 10 ahead, and works on several at once. */
const DELAY = 24
/** What waits takes at most so many bytes. */
const MOST = 256 * 1024 * 1024
/** A shorter wait (seconds of the film) is not worth it. */
const SHORTEST = 0.5

/**
 * Which rungs are encoded later, so that the others have each segment sooner: whoever begins with those does not run dry because the first
 * came early. The decoded pictures in between are kept, in `memory` bytes at most. Null where there is nothing to win, or where nobody can
 * say
 * how many pictures that will be.
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
  const pixels = (rungs: TranscodingPlan['encode']): number => rungs.reduce((sum, { width, height }) => sum + width * height, 0)
  const rungs = plan.encode.findIndex((_, i) => i > 0 && pixels(plan.encode.slice(i)) <= pixels(plan.encode) * LIGHT)
  // What becomes of a high dynamic range has the size of the largest rung.
  const picture = probe.video.hdr ? top.width * top.height * 1.5 : probe.video.width * probe.video.height * bytesPerPixel(probe.video)
  const seconds = Math.min(plan.settings.segmentSeconds + DELAY / top.fps, Math.min(MOST, memory) / picture / top.fps)
  return seconds < SHORTEST ? null : { rungs: rungs < 0 ? plan.encode.length - 1 : rungs, seconds }
}

function bytesPerPixel({ pixFmt }: VideoStream): number {
  const samples = /444|gbr|rgb|bgr/.test(pixFmt) ? 3 : /422|yuyv|uyvy/.test(pixFmt) ? 2 : 1.5
  return samples * (/(9|1[0246])(le|be)|p010|p016/.test(pixFmt) ? 2 : 1)
}
