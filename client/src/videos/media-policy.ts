import type { VideoDetails } from '../../../shared/videos.ts'
import { initialPath, mediaOrigins } from '../initial-data.ts'

type MediaVideo = Pick<VideoDetails, 'isLocal' | 'shortUUID' | 'streamingPlaylists' | 'files'>

/** Whether files of a video lie where its viewers did not choose to go: they are loaded when play is pressed. */
export function isLoadedAfterPlay(video: MediaVideo): boolean {
  return originsOf(video).some(origin => !mediaOrigins.atOnce.includes(origin))
}

/**
 * Returns the address of the same page whose Content-Security-Policy lets it load a video: that of this document only names the origins of the
 * videos that it was loaded for. Null where this document has it, or is all that the server has for it.
 */
export function pageThatPlays(video: MediaVideo): string | null {
  const allowed = [...mediaOrigins.atOnce, ...mediaOrigins.afterPlay]
  if (originsOf(video).every(origin => allowed.includes(origin))) return null
  const url = new URL(location.href)
  // The other pages that play a video have its id in their path.
  const isPlaylist = /^\/(w\/p|video-playlists)\//.test(url.pathname)
  if (isPlaylist ? url.searchParams.get('video') === video.shortUUID : url.pathname === initialPath) return null
  if (isPlaylist) url.searchParams.set('video', video.shortUUID)
  return url.href
}

/** The origins of the files of a remote video; those of a local one come from the origin of the page. */
function originsOf({ isLocal, streamingPlaylists: [playlist], files }: MediaVideo): string[] {
  if (isLocal) return []
  const urls = [playlist?.playlistUrl, ...(playlist?.files ?? files).map(({ fileUrl }) => fileUrl)]
  return urls.flatMap(url => (url ? [new URL(url, location.href).origin] : []))
}
