/**
 * What playing a film begins with, as pages carry it: its master playlist (a path), its length in seconds, and its files of picture and
 * sound.
 */
export type EarlyPlaybackManifest = { master: string; duration: number; files: EarlyPlaybackFile[] }

/**
 * Of one file: its playlist's path, its own, where its header and its first segment end in bytes, and what is in it; null where the master
 * playlist does not say that.
 */
export type EarlyPlaybackFile = {
  playlist: string
  file: string
  ends: [header: number, segment: number]
  track: EarlyPlaybackTrack | null
}

/** What hls.js calls a track: one of sound apart from the pictures is `audio`; container and codecs as media types name them (RFC 6381). */
export type EarlyPlaybackTrack = { type: 'audio' | 'video' | 'audiovideo'; id: 'main' | 'audio'; container: string; codec: string }
