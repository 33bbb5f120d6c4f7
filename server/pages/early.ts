import type { VideoDetails } from '../../shared/videos.ts'
import type { Page } from './page.ts'

/** The short side of the picture a player begins with that does not know the viewer's line yet (client/src/player/engine.ts). */
const FIRST_SIZE = 240

/** What the player will ask for before it can show a picture: its library, and the playlists of the quality it begins with. */
export function earlyOf(video: VideoDetails): Page['early'] {
  const [playlist] = video.streamingPlaylists
  if (!playlist) return undefined
  const sources = ['src/player/hls.ts']
  // Elsewhere the answer may depend on who asks, and how.
  if (!video.isLocal) return { sources, files: [] }
  const pictures = playlist.files.filter(file => file.hasVideo).sort((a, b) => a.resolution.id - b.resolution.id)
  const first = pictures.find(file => file.resolution.id >= FIRST_SIZE) ?? pictures.at(-1)
  const sound = playlist.files.find(file => !file.hasVideo)
  const urls = [playlist.playlistUrl, first?.playlistUrl, sound?.playlistUrl].filter(url => typeof url === 'string')
  return { sources, files: urls.map(url => new URL(url).pathname) }
}
