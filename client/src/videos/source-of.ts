import type { VideoDetails } from '../../../shared/videos.ts'
import { api } from '../api.ts'
import type { Source } from '../player/source.ts'

/** Privacies of videos, by PeerTube's numbers. */
export const PRIVACY = { public: 1, unlisted: 2, private: 3, internal: 4, password: 5 } as const
/** The state of a video that everybody may watch. */
export const PUBLISHED = 1

/** Encoding takes hours at the worst: an older video gains no qualities any more. */
const UNFINISHED_FOR = 24 * 3600 * 1000

/** The request header that carries a video's password. */
export function passwordHeader(password: string | null): Record<string, string> | undefined {
  return password === null ? undefined : { 'x-peertube-video-password': password }
}

/** What a player plays for a video, with a token for its files where they are not open; null while there is nothing to play. */
export async function sourceOf(video: VideoDetails, password: string | null = null): Promise<Source | null> {
  const playlist = video.streamingPlaylists[0]
  if (!playlist) return null
  return { ...describe(video, password), url: await openAddress(video, playlist.playlistUrl, password) }
}

/** The same at once, for videos that are open to everybody. */
export function openSourceOf(video: VideoDetails): Source | null {
  const playlist = video.streamingPlaylists[0]
  return playlist && isOpen(video) ? { ...describe(video, null), url: path(playlist.playlistUrl) } : null
}

/** The address of a file of a video that opens for this viewer. */
export async function openAddress(video: VideoDetails, url: string, password: string | null): Promise<string> {
  if (isOpen(video)) return path(url)
  const { files } = await api('POST /videos/:id/token', { params: { id: video.uuid }, headers: passwordHeader(password) })
  return `${path(url)}?${new URLSearchParams({ videoFileToken: files.token, reinjectVideoFileToken: 'true' })}`
}

function describe(video: VideoDetails, password: string | null): Omit<Source, 'url'> {
  const { uuid, name, channel, duration, aspectRatio, previewPath } = video
  return {
    uuid, title: name, author: channel.displayName, duration, aspectRatio, poster: previewPath, headers: passwordHeader(password),
    unfinished: video.isLocal && Date.now() - Math.max(Date.parse(video.createdAt), Date.parse(video.inputFileUpdatedAt ?? video.createdAt)) < UNFINISHED_FOR
  }
}

function isOpen({ privacy }: VideoDetails): boolean {
  return privacy.id === PRIVACY.public || privacy.id === PRIVACY.unlisted
}

/** Files of this instance are asked below the page's own origin, whatever name it is reached by. */
function path(url: string): string {
  const { origin, pathname, search } = new URL(url, location.href)
  return origin === location.origin || pathname.startsWith('/static/') || pathname.startsWith('/download/') ? pathname + search : url
}
