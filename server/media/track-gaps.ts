import type { AudioStream, Probe, VideoStream } from './probe.ts'

/** Seconds that the last frame of a copy, or of a rendition that keeps its frame times, is held at most. */
export const MAX_HELD_SECONDS = 1
/** A first frame is shown earlier by this many seconds at most, without frames being added before it. */
const MAX_EARLY_SECONDS = 0.1
/** Seconds by which the sound may end before the file: players do not notice. */
const MAX_AUDIO_END_GAP = 0.1
/** A frame that is shown longer than this (seconds) is repeated, so that segments do not become as long. */
const MAX_FRAME_SECONDS = 10
/** The lowest rate at which frames are added. */
const MIN_ADDED_FPS = 1
/** As many frames more than the source has are always made: an hour of 25 a second. */
const MAX_ADDED_FRAMES = 90_000

/** The rate of a rendition to which frames are added: not more than a few times as many as there are, or a second of them would cost hours. */
export function addedFramesRate(video: VideoStream, duration: number): number {
  const frames = video.frames ?? video.fps * ((video.lastFrame ?? duration) - video.start)
  const highest = (4 * frames + MAX_ADDED_FRAMES) / duration
  return Math.max(MIN_ADDED_FPS, Math.min(highest, Math.max(video.fps, video.peakFps ?? 0)))
}

/** Whether frames are repeated where the source has none, so that there is something to seek to; the frame rate is then constant. */
export function needsAddedFrames(probe: Probe): boolean {
  return pictureStartGap(probe) > 0 || pictureEndGap(probe) > 0 || (probe.video?.longestInterval ?? 0) > MAX_FRAME_SECONDS
}

/** Seconds before the first frame of the video stream that have to be filled with it; 0 if it just begins earlier. */
function pictureStartGap({ video }: Probe): number {
  return video && video.start > MAX_EARLY_SECONDS ? video.start : 0
}

/** Seconds after the last frame of the video stream and its usual duration that have to be filled with frames; 0 if it is just held. */
export function pictureEndGap(probe: Probe): number {
  const gap = heldSeconds(probe)
  return gap > MAX_HELD_SECONDS ? gap : 0
}

/** Seconds from the usual end of the last frame to the end of the file: so much longer it is shown. */
export function heldSeconds({ video, duration }: Probe): number {
  if (!video || video.attachedPic) return 0
  const usualEnd = video.lastFrame === undefined ? video.start + (video.duration ?? duration) : video.lastFrame + 1 / Math.max(1, video.fps)
  return Math.max(0, duration - usualEnd)
}

/** Seconds by which an audio stream ends before the file, if more than players tolerate; else 0. */
export function audioEndGap(probe: Probe, audio: AudioStream): number {
  if (audio.duration === null) return 0
  const gap = probe.duration - audio.start - audio.duration
  return gap > MAX_AUDIO_END_GAP ? gap : 0
}
