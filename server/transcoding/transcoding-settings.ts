import { config } from '../core/config.ts'
import { planLadder, type LadderSettings, type TranscodingPlan } from '../media/ladder.ts'
import type { Probe, ProbeLimits } from '../media/probe.ts'

/** What may be uploaded, by `upload.*`. */
export function configuredProbeLimits(): ProbeLimits {
  const { max_duration, max_pixels, max_fps, max_streams, probe_timeout } = config.upload
  return {
    maxDuration: max_duration < 0 ? null : max_duration,
    maxPixels: max_pixels,
    maxFps: max_fps,
    maxStreams: max_streams,
    timeoutMs: probe_timeout
  }
}

/** How often the delay between tries doubles at most. */
const LONGEST_DOUBLED = 8

/** How long (ms) until an encoding is tried again that failed so many times, or that found the disk full. */
export function transcodingRetryDelay(attempts: number, full: boolean): number {
  const { retry_delay, full_disk_delay } = config.transcoding
  return full ? full_disk_delay : retry_delay * 2 ** Math.min(attempts - 1, LONGEST_DOUBLED)
}

/** The longest of them. */
export function maxTranscodingRetryDelay(): number {
  return Math.max(transcodingRetryDelay(Infinity, false), transcodingRetryDelay(0, true))
}

/** The renditions to make of a source by `transcoding.*`; `copy: false` encodes even what could be copied. */
export function planTranscoding(probe: Probe, options: { copy?: boolean } = {}): TranscodingPlan {
  const settings = ladderSettings()
  // No picture is below one bit per second, so nothing is copied.
  return planLadder(probe, options.copy === false ? { ...settings, maxCopyBitrate: 1 } : settings)
}

function ladderSettings(): LadderSettings {
  const {
    enabled,
    resolutions,
    always_transcode_original_resolution,
    fps,
    hls,
    crf,
    audio_bitrate,
    max_audio_tracks,
    max_keyframe_interval,
    preset,
    threads
  } = config.transcoding
  const wanted = Object.entries(resolutions)
    .filter(([, on]) => on)
    .map(([name]) => Number.parseInt(name))
  return {
    // Without transcoding a video is still made playable, in its own size alone.
    resolutions: enabled ? wanted : [],
    alwaysOriginal: !enabled || always_transcode_original_resolution,
    maxFps: fps.max,
    splitAudio: hls.split_audio_and_video,
    crf,
    audioBitrate: audio_bitrate,
    maxAudioTracks: max_audio_tracks,
    maxKeyframeInterval: max_keyframe_interval,
    segmentSeconds: hls.segment_duration,
    preset,
    threadsPerRung: threads
  }
}
