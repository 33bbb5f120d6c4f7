import { origin } from '../core/config.ts'
import { isOpen } from './video.policy.ts'

/** What decides where a video's files are. */
export type Placed = { uuid: string; privacy: number }

/** The canonical address of a local video, its ActivityPub id. */
export const videoUrl = (uuid: string): string => `${origin()}/videos/watch/${uuid}`

/** Where an HLS file of a video is served; private ones under /private/, as PeerTube's clients expect. */
export const hlsUrl = (video: Placed, filename: string): string =>
  `${origin()}/static/streaming-playlists/hls/${isOpen(video.privacy) ? '' : 'private/'}${video.uuid}/${filename}`

/** Where a quality is served as one file. */
export const wholeUrl = (video: Placed, resolution: number): string => hlsUrl(video, `${resolution}.mp4`)

/** Where a rendition can be downloaded under the video's name. */
export const hlsDownloadUrl = (video: Placed, resolution: number): string =>
  `${origin()}/download/streaming-playlists/hls/videos/${video.uuid}-${resolution}-fragmented.mp4`

/** Where the kept original can be downloaded by its owner. */
export const sourceDownloadUrl = (filename: string): string => `${origin()}/download/original-video-files/${filename}`

/** What ffprobe says of a rendition. */
export const metadataUrl = (uuid: string, fileId: number): string => `${origin()}/api/v1/videos/${uuid}/metadata/${fileId}`

/** The path of a picture. */
export const imagePath = (
  folder: 'thumbnails' | 'previews' | 'storyboards' | 'video-captions' | 'avatars' | 'banners',
  filename: string
): string => `/lazy-static/${folder}/${filename}`
