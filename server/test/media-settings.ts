import type { LadderSettings } from '../media/ladder.ts'
import type { ProbeLimits } from '../media/probe.ts'

/** For tests: probe limits that no test file exceeds. */
export const unlimitedProbeLimits: ProbeLimits = {
  maxDuration: null,
  maxPixels: 50_000_000,
  maxFps: 480,
  maxStreams: 16,
  timeoutMs: 30_000
}

/** For tests: the settings of a typical ladder. */
export const testLadderSettings: LadderSettings = {
  resolutions: [144, 240, 360, 480, 720, 1080],
  alwaysOriginal: true,
  maxFps: 60,
  splitAudio: true,
  crf: 23,
  maxAudioTracks: 8,
  audioBitrate: 128_000,
  maxKeyframeInterval: 4,
  segmentSeconds: 2,
  preset: 'ultrafast',
  threadsPerRung: 1
}
