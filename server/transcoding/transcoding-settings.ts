import { config } from '../core/config.ts'
import { planLadder, type LadderSettings, type TranscodingPlan } from '../media/ladder.ts'
import type { Probe, ProbeLimits } from '../media/probe.ts'

/** The probe limits configured by `upload.*`. */
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

/** How often the delay between attempts doubles at most. */
const MAX_DOUBLINGS = 8

/** The delay (ms) before the next attempt of an encoding that failed `attempts` times, or that found the disk full. */
export function transcodingRetryDelay(attempts: number, diskFull: boolean): number {
  const { retry_delay, full_disk_delay } = config.transcoding
  return diskFull ? full_disk_delay : retry_delay * 2 ** Math.min(attempts - 1, MAX_DOUBLINGS)
}

/** The longest possible retry delay in ms. */
export function maxTranscodingRetryDelay(): number {
  return Math.max(transcodingRetryDelay(Infinity, false), transcodingRetryDelay(0, true))
}

/** Plans the renditions of a source by `transcoding.*`; with `copy: false` streams that could be copied are encoded too. */
export function planTranscoding(probe: Probe, options: { copy?: boolean } = {}): TranscodingPlan {
  const settings = ladderSettings()
  // Every video stream exceeds one bit per second, so none is copied.
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
  const enabledResolutions = Object.entries(resolutions)
    .filter(([, isEnabled]) => isEnabled)
    .map(([name]) => Number.parseInt(name))
  return {
    // Without transcoding a video is still made playable, in its original resolution alone.
    resolutions: enabled ? enabledResolutions : [],
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
