import type { VideoDetails } from '../../../shared/videos.ts'
import { api } from '../api.ts'
import type { PlayerSource } from '../player/source.ts'

/** Privacies of videos, by PeerTube's numbers. */
export const VIDEO_PRIVACY_IDS = { public: 1, unlisted: 2, private: 3, internal: 4, password: 5 } as const
/** The state of a video that everybody may watch. */
export const PUBLISHED_STATE_ID = 1

const MIDDLING = 720
/** Encoding takes hours at the worst: an older video gains no qualities any more. */
const UNFINISHED_FOR = 24 * 3600 * 1000

/** The request header that carries a video's password. */
export function videoPasswordHeader(password: string | null): Record<string, string> | undefined {
  return password === null ? undefined : { 'x-peertube-video-password': password }
}

/** What a player plays for a video, with a token for its files where they are not open; null while there is nothing to play. */
export async function loadPlayerSource(video: VideoDetails, password: string | null = null): Promise<PlayerSource | null> {
  const played = playedOf(video)
  if (!played) return null
  const [url, file] = await openAddresses(video, [played.url, played.file], password)
  return { ...describe(video, password), ...played, url: url!, file: file! }
}

/** The same at once, for videos that are open to everybody. */
export function publicPlayerSource(video: VideoDetails): PlayerSource | null {
  const played = playedOf(video)
  return played && isWatchableByAnyone(video)
    ? { ...describe(video, null), ...played, url: addressOf(video, played.url), file: played.file && addressOf(video, played.file) }
    : null
}

/** The playlist of a video; a remote one may have nothing but files, of which the first is the best. */
function playedOf({
  isLocal,
  streamingPlaylists: [playlist],
  files
}: VideoDetails): { url: string; plain: boolean; file: string | null } | null {
  if (playlist) return { url: playlist.playlistUrl, plain: false, file: isLocal ? wholeFile(playlist) : null }
  const file = files.find(one => one.hasVideo) ?? files[0]
  return file ? { url: file.fileUrl, plain: true, file: null } : null
}

/** The best of the qualities that most lines bear, as one file (server/videos/send-progressive-mp4.ts). */
function wholeFile({ playlistUrl, files }: VideoDetails['streamingPlaylists'][number]): string | null {
  const sizes = files
    .filter(file => file.hasVideo && file.size > 0)
    .map(file => Number(file.resolution.id))
    .sort((a, b) => b - a)
  const size = sizes.find(one => one <= MIDDLING) ?? sizes.at(-1)
  return size === undefined ? null : playlistUrl.replace(/[^/]+$/, `${size}.mp4`)
}

/** The address of a file of a video that opens for this viewer. */
export async function authorizedFileUrl(video: VideoDetails, url: string, password: string | null): Promise<string> {
  return (await openAddresses(video, [url], password))[0]!
}

/** The same for several files, with one token. */
async function openAddresses(video: VideoDetails, urls: (string | null)[], password: string | null): Promise<(string | null)[]> {
  if (isWatchableByAnyone(video)) return urls.map(url => url && addressOf(video, url))
  const { files } = await api('POST /videos/:id/token', { params: { id: video.uuid }, headers: videoPasswordHeader(password) })
  const query = new URLSearchParams({ videoFileToken: files.token, reinjectVideoFileToken: 'true' })
  return urls.map(url => url && `${path(url)}?${query}`)
}

function describe(video: VideoDetails, password: string | null): Omit<PlayerSource, 'url' | 'plain' | 'file'> {
  const { uuid, name, channel, duration, aspectRatio, previewPath } = video
  return {
    uuid,
    title: name,
    author: channel.displayName,
    duration,
    aspectRatio,
    poster: previewPath,
    headers: videoPasswordHeader(password),
    // The hashes of all segments are written last.
    unfinished:
      video.isLocal &&
      !video.streamingPlaylists[0]?.segmentsSha256Url &&
      Date.now() - Math.max(Date.parse(video.createdAt), Date.parse(video.inputFileUpdatedAt ?? video.createdAt)) < UNFINISHED_FOR
  }
}

/** Whether everybody with its address may watch a video. */
export function isWatchableByAnyone({ privacy }: VideoDetails): boolean {
  return privacy.id === VIDEO_PRIVACY_IDS.public || privacy.id === VIDEO_PRIVACY_IDS.unlisted
}

/** What another server has is asked for there. */
function addressOf(video: VideoDetails, url: string): string {
  return video.isLocal ? path(url) : url
}

/** Files of this instance are asked below the page's own origin, whatever name it is reached by. */
function path(url: string): string {
  const { origin, pathname, search } = new URL(url, location.href)
  return origin === location.origin || pathname.startsWith('/static/') || pathname.startsWith('/download/') ? pathname + search : url
}
