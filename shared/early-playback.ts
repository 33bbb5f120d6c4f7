/**
 * What early playback starts with, as inlined into pages: the path of the master playlist, the duration in seconds, and the first video and
 * audio files.
 */
export type EarlyPlaybackManifest = { master: string; duration: number; files: EarlyPlaybackFile[] }

/**
 * One file: the path of its playlist, its own path, the byte offsets at which its header and its first segment end, and its track; null
 * where the master playlist does not describe it.
 */
export type EarlyPlaybackFile = {
  playlist: string
  file: string
  ends: [header: number, segment: number]
  track: EarlyPlaybackTrack | null
}

/** A track as hls.js defines it: a separate audio rendition is `audio`; container and codecs as in media types (RFC 6381). */
export type EarlyPlaybackTrack = { type: 'audio' | 'video' | 'audiovideo'; id: 'main' | 'audio'; container: string; codec: string }
