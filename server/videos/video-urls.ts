import { instanceOrigin } from '../core/config.ts'
import { isPublicOrUnlisted } from './video.policy.ts'

/** What decides where a video's files are. */
export type VideoFileLocation = { uuid: string; privacy: number }

/** The canonical address of a local video, its ActivityPub id. */
export const videoUrl = (uuid: string): string => `${instanceOrigin()}/videos/watch/${uuid}`

/** Where an HLS file of a video is served; private ones under /private/, as PeerTube's clients expect. */
export const hlsFileUrl = (video: VideoFileLocation, filename: string): string =>
  `${instanceOrigin()}/static/streaming-playlists/hls/${isPublicOrUnlisted(video.privacy) ? '' : 'private/'}${video.uuid}/${filename}`

/** Where a quality is served as one file. */
export const webVideoUrl = (video: VideoFileLocation, resolution: number): string => hlsFileUrl(video, `${resolution}.mp4`)

/** Where a rendition can be downloaded under the video's name. */
export const hlsDownloadUrl = (video: VideoFileLocation, resolution: number): string =>
  `${instanceOrigin()}/download/streaming-playlists/hls/videos/${video.uuid}-${resolution}-fragmented.mp4`

/** Where the kept original can be downloaded by its owner. */
export const sourceDownloadUrl = (filename: string): string => `${instanceOrigin()}/download/original-video-files/${filename}`

/** What ffprobe says of a rendition. */
export const videoFileMetadataUrl = (uuid: string, fileId: number): string => `${instanceOrigin()}/api/v1/videos/${uuid}/metadata/${fileId}`

/** The path of a picture. */
export const imagePath = (
  folder: 'thumbnails' | 'previews' | 'storyboards' | 'video-captions' | 'avatars' | 'banners',
  filename: string
): string => `/lazy-static/${folder}/${filename}`
