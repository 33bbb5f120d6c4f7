/** A video as the player loads it. */
export type PlayerSource = {
  /** Identifies the video, also in the saved positions of this browser. */
  uuid: string
  title: string
  author: string
  /** The language of the video (BCP 47); null where unknown. */
  language: string | null
  /** Seconds, from the metadata of the video: a growing playlist does not contain its end yet. */
  duration: number
  /** Width divided by height; null where unknown. */
  aspectRatio: number | null
  poster: string | null
  /** The URL of the HLS master playlist, with the token of the viewer where the video is not public. */
  url: string
  /** Whether `url` is the URL of a media file instead of a playlist. */
  plain?: boolean
  /** The URL of the whole video as one file in a medium resolution, for browsers without HLS; null where there is none. */
  file: string | null
  /** The request headers that give access to the video besides a session: its password. */
  headers?: Record<string, string>
  /** Whether nothing of it may be loaded before play is pressed. */
  loadAfterPlay?: boolean
  /** Whether renditions may still be added. */
  unfinished: boolean
}

/** Why playback failed: connection lost, files missing or not accessible, or a format that the browser cannot play. */
export type PlaybackError = 'network' | 'missing' | 'unplayable'

/** A rendition to choose: its short side in pixels, 0 for audio only; `fast`: more than 50 frames per second. */
export type PlayerRendition = { size: number; fast: boolean }
