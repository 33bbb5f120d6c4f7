import { defineInternals } from '../core/internals.ts'

/**
 * Bounds of subtitles, far above those of honest ones: tracks of a video, bytes that are read of a track and written of it, its cues, how
 * many of them are shown at one time, characters and lines of a cue, characters of a cue with its markup. A cue without an end is shown
 * until the next one, at most `openSeconds`.
 */
export const SUBTITLES = defineInternals('subtitles', {
  maxTracks: 64,
  maxSourceBytes: 8 * 1024 * 1024,
  maxBytes: 4 * 1024 * 1024,
  maxCues: 20_000,
  maxSimultaneousCues: 16,
  cue: { maxCharacters: 2000, maxLines: 24 },
  maxMarkedUpCharacters: 20_000,
  openSeconds: 10
})
