import { needsMatrixTag } from './color.ts'
import { VIDEO_TIMESCALE } from './ffmpeg-filters.ts'
import type { TranscodingPlan } from './ladder.ts'
import type { Probe, VideoStream } from './probe.ts'
import { heldSeconds, needsAddedFrames } from './track-gaps.ts'

/** Bitstream filters for a copied video stream: the durations of its frames, and tags of its colors where browsers would assume others. */
export function copiedStreamArgs(probe: Probe, video: VideoStream): string[] {
  return bitstreamFilterArgs([
    ...frameDurationFilter(probe, video.variableFps ? 'NEXT_DTS-DTS' : 'DURATION', copiedUntilEnd(probe)),
    ...(needsMatrixTag(video) ? [`h264_metadata=${BT709_TAGS}`] : [])
  ])
}

/** The bitstream filter for the frame durations of encoded renditions; `delayed` ones have lost their frame rate in the filter graph. */
export function encodedDurationArgs(probe: Probe, plan: TranscodingPlan, delayed = false): string[] {
  const { video } = probe
  const [rendition] = plan.encode
  // Decode times start at the time of the first frame in the output.
  const untilEnd = `${Math.round(probe.duration * VIDEO_TIMESCALE)}-(DTS-STARTDTS+STARTPTS)`
  if (!rendition) return []
  // A still picture has few frames: the last one ends with the sound.
  if (plan.audioOnly) return bitstreamFilterArgs([`setts=pts=PTS:dts=DTS:duration=if(gt(NEXT_DTS\\,DTS)\\,DURATION\\,${untilEnd})`])
  if (!video) return []
  const constant = Math.round(VIDEO_TIMESCALE / rendition.fps)
  if (needsAddedFrames(probe)) return delayed ? bitstreamFilterArgs([`setts=pts=PTS:dts=DTS:duration=${constant}`]) : []
  const usual = delayed ? constant : plan.keepsFrameTimes && video.variableFps ? 'NEXT_DTS-DTS' : 'DURATION'
  return bitstreamFilterArgs(frameDurationFilter(probe, usual, untilEnd))
}

/** H.264's numbers for BT.709 (ITU-T H.273). */
const BT709_TAGS = 'colour_primaries=1:transfer_characteristics=1:matrix_coefficients=1'

function bitstreamFilterArgs(filters: string[]): string[] {
  return filters.length > 0 ? ['-bsf:v', filters.join(',')] : []
}

/** The duration of a frame as an expression: what the packet says, the time to the next frame, or a number of ticks. */
type UsualDuration = 'DURATION' | 'NEXT_DTS-DTS' | number

/**
 * Bitstream filter that sets the duration of every frame, and of the last one to `untilEnd` (an expression) where it is shown longer than
 * usual: otherwise segments would end after the nominal frame duration. None if the muxer knows all that.
 */
function frameDurationFilter(probe: Probe, usual: UsualDuration, untilEnd: string | null): string[] {
  const isHeld = heldSeconds(probe) >= MIN_HELD_SECONDS && untilEnd !== null
  if (usual === 'DURATION' && !isHeld) return []
  const unheld = usual === 'NEXT_DTS-DTS' ? 'DURATION' : String(usual)
  const last = isHeld ? `max(${unheld}\\,${untilEnd})` : unheld
  return [`setts=pts=PTS:dts=DTS:duration=${last === String(usual) ? last : `if(gt(NEXT_DTS\\,DTS)\\,${usual}\\,${last})`}`]
}

/** How long the last frame of a copied stream is shown, in the unit of its times, which setts does not know; null if that is not known. */
function copiedUntilEnd({ video, duration }: Probe): string | null {
  if (video?.lastFrame === undefined || video.lastFrame <= video.start) return null
  return `(DTS-STARTDTS)*${((duration - video.lastFrame) / (video.lastFrame - video.start)).toFixed(9)}`
}

/** A shorter time is not worth it. */
const MIN_HELD_SECONDS = 0.01
