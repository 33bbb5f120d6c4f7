import { instanceOrigin } from '../core/config.ts'
import { isPublicOrUnlisted } from './video.policy.ts'

/** The fields that determine the URLs of a video's files. */
export type VideoFileLocation = { uuid: string; privacy: number }

/** The canonical URL of a local video, which is its ActivityPub id. */
export const videoUrl = (uuid: string): string => `${instanceOrigin()}/videos/watch/${uuid}`

/** URL of an HLS file of a video; under /private/ unless the video is public or unlisted, as PeerTube's clients expect. */
export const hlsFileUrl = (video: VideoFileLocation, filename: string): string =>
  `${instanceOrigin()}/static/streaming-playlists/hls/${isPublicOrUnlisted(video.privacy) ? '' : 'private/'}${video.uuid}/${filename}`

/**
 * URL of a rendition as one MP4. Its last part is unique for ever, as is that of its HLS file: PeerTube refuses a video with a file name
 * that it has from another one.
 */
export const webVideoUrl = (video: VideoFileLocation, hlsFilename: string): string => hlsFileUrl(video, webVideoFilename(hlsFilename))

/** Name of a rendition as one MP4. */
export const webVideoFilename = (hlsFilename: string): string => hlsFilename.replace(/-fragmented\.mp4$/, '.mp4')

/** URL that downloads a rendition as one MP4 under the name of the video. */
export const webVideoDownloadUrl = (video: VideoFileLocation, resolution: number): string =>
  `${instanceOrigin()}/download/web-videos/${video.uuid}-${resolution}.mp4`

/** URL that downloads a rendition under the name of the video; audio (resolution 0) as .m4a, as PeerTube does. */
export const hlsDownloadUrl = (video: VideoFileLocation, resolution: number): string =>
  `${instanceOrigin()}/download/streaming-playlists/hls/videos/${video.uuid}-${resolution}-fragmented.${resolution === 0 ? 'm4a' : 'mp4'}`

/** URL where the owner can download the uploaded file, if it is kept. */
export const sourceDownloadUrl = (filename: string): string => `${instanceOrigin()}/download/original-video-files/${filename}`

/** URL of the ffprobe output of a rendition. */
export const videoFileMetadataUrl = (uuid: string, fileId: number): string => `${instanceOrigin()}/api/v1/videos/${uuid}/metadata/${fileId}`

/** Path of an image or a caption file. */
export const imagePath = (
  folder: 'thumbnails' | 'previews' | 'storyboards' | 'video-captions' | 'avatars' | 'banners',
  filename: string
): string => `/lazy-static/${folder}/${filename}`
