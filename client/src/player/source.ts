/** What a player plays. */
export type PlayerSource = {
  /** Names the video among the places remembered in this browser. */
  uuid: string
  title: string
  author: string
  /** Seconds, by the video's metadata: a growing playlist does not know its end yet. */
  duration: number
  /** Width by height; null where unknown. */
  aspectRatio: number | null
  poster: string | null
  /** The HLS master playlist, with the viewer's token where the video is not open. */
  url: string
  /** Whether `url` is a media file instead of a playlist. */
  plain?: boolean
  /** The whole video as one file in a middling quality, for browsers that know no playlists; null where there is none. */
  file: string | null
  /** What opens the video's data besides a login: its password. */
  headers?: Record<string, string>
  /** Whether further qualities may still come. */
  unfinished: boolean
}

/** What went wrong, as the viewer is told: the connection, the files (gone or closed), or the browser cannot. */
export type PlaybackError = 'network' | 'missing' | 'unplayable'

/** A quality to choose: the short side in pixels, 0 for sound alone; and whether it moves at more than 50 frames per second. */
export type PlayerRendition = { size: number; fast: boolean }
