import { defineInternals } from '../core/internals.ts'

/** Internals of sending playlists. Times in ms. */
export const PLAYLIST_FEDERATION = defineInternals('playlists', {
  /** Edits of a playlist are sent at most this often. */
  editsInterval: 10_000
})
