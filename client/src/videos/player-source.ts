import type { VideoDetails } from '../../../shared/videos.ts'
import { api } from '../api.ts'
import { isLoadedAfterPlay } from './media-policy.ts'
import type { PlayerSource } from '../player/source.ts'

/** The privacies of videos, by PeerTube's ids. */
export const VIDEO_PRIVACY_IDS = { public: 1, unlisted: 2, private: 3, internal: 4, password: 5 } as const
/** The id of the state of a published video. */
export const PUBLISHED_STATE_ID = 1

/** The largest rendition that is offered as one file, in pixels of the short side. */
const MAX_FILE_RESOLUTION = 720
/** Milliseconds; an older video is not expected to gain renditions any more. */
const MAX_TRANSCODING_TIME = 24 * 3600 * 1000

/** Returns the request header with the password of a video; undefined without one. */
export function videoPasswordHeader(password: string | null): Record<string, string> | undefined {
  return password === null ? undefined : { 'x-peertube-video-password': password }
}

/**
 * Returns the player source of a video, with a token in the URLs if its files are not public; null while there is nothing to play. Throws
 * `ApiError`.
 */
export async function loadPlayerSource(video: VideoDetails, password: string | null = null): Promise<PlayerSource | null> {
  const media = selectMedia(video)
  if (!media) return null
  const [url, file] = await authorizedFileUrls(video, [media.url, media.file], password)
  return { ...playerSourceMetadata(video, password), ...media, url: url!, file: file! }
}

/** Returns the player source of a public or unlisted video without a request; null for other videos or while there is nothing to play. */
export function publicPlayerSource(video: VideoDetails): PlayerSource | null {
  const media = selectMedia(video)
  return media && isWatchableByAnyone(video)
    ? {
        ...playerSourceMetadata(video, null),
        ...media,
        url: publicFileUrl(video, media.url),
        file: media.file && publicFileUrl(video, media.file)
      }
    : null
}

/** The playlist of a video, or the first (best) file with video of a remote video without a playlist. */
function selectMedia({
  isLocal,
  streamingPlaylists: [playlist],
  files
}: VideoDetails): { url: string; plain: boolean; file: string | null } | null {
  if (playlist) return { url: playlist.playlistUrl, plain: false, file: isLocal ? progressiveFileUrl(playlist) : null }
  const file = files.find(candidate => candidate.hasVideo) ?? files[0]
  return file ? { url: file.fileUrl, plain: true, file: null } : null
}

/** The URL of the largest rendition up to `MAX_FILE_RESOLUTION` as one file (server/videos/send-progressive-mp4.ts). */
function progressiveFileUrl({ playlistUrl, files }: VideoDetails['streamingPlaylists'][number]): string | null {
  const resolutions = files
    .filter(file => file.hasVideo && file.size > 0)
    .map(file => Number(file.resolution.id))
    .sort((a, b) => b - a)
  const resolution = resolutions.find(candidate => candidate <= MAX_FILE_RESOLUTION) ?? resolutions.at(-1)
  return resolution === undefined ? null : playlistUrl.replace(/[^/]+$/, `${resolution}.mp4`)
}

/** Returns the URL of a file of a video that works for this viewer, with a token if needed. Throws `ApiError`. */
export async function authorizedFileUrl(video: VideoDetails, url: string, password: string | null): Promise<string> {
  return (await authorizedFileUrls(video, [url], password))[0]!
}

/** The same for several files, with one token for all. */
async function authorizedFileUrls(video: VideoDetails, urls: (string | null)[], password: string | null): Promise<(string | null)[]> {
  if (isWatchableByAnyone(video)) return urls.map(url => url && publicFileUrl(video, url))
  const { files } = await api('POST /videos/:id/token', { params: { id: video.uuid }, headers: videoPasswordHeader(password) })
  const query = new URLSearchParams({ videoFileToken: files.token, reinjectVideoFileToken: 'true' })
  return urls.map(url => url && `${toSameOriginPath(url)}?${query}`)
}

function playerSourceMetadata(video: VideoDetails, password: string | null): Omit<PlayerSource, 'url' | 'plain' | 'file'> {
  const { uuid, name, channel, language, duration, aspectRatio, previewPath } = video
  return {
    uuid,
    title: name,
    author: channel.displayName,
    language: typeof language.id === 'string' ? language.id : null,
    duration,
    aspectRatio,
    poster: previewPath,
    headers: videoPasswordHeader(password),
    loadAfterPlay: isLoadedAfterPlay(video),
    // `segmentsSha256Url` is set last, when all renditions are complete.
    unfinished:
      video.isLocal &&
      !isPlayedByFiles(video) &&
      !video.streamingPlaylists[0]?.segmentsSha256Url &&
      Date.now() - Math.max(Date.parse(video.createdAt), Date.parse(video.inputFileUpdatedAt ?? video.createdAt)) < MAX_TRANSCODING_TIME
  }
}

/** Whether a video has files but no HLS playlist. */
function isPlayedByFiles({ streamingPlaylists, files }: VideoDetails): boolean {
  return streamingPlaylists.length === 0 && files.length > 0
}

/** Whether anyone with the URL of a video may watch it (public or unlisted). */
export function isWatchableByAnyone({ privacy }: VideoDetails): boolean {
  return privacy.id === VIDEO_PRIVACY_IDS.public || privacy.id === VIDEO_PRIVACY_IDS.unlisted
}

/** Files of a remote video are loaded from its server. */
function publicFileUrl(video: VideoDetails, url: string): string {
  return video.isLocal ? toSameOriginPath(url) : url
}

/** Files of this instance are loaded from the origin of the page, which may differ from the configured one. */
function toSameOriginPath(url: string): string {
  const { origin, pathname, search } = new URL(url, location.href)
  return origin === location.origin || pathname.startsWith('/static/') || pathname.startsWith('/download/') ? pathname + search : url
}
