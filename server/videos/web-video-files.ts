import { config } from '../core/config.ts'

/**
 * Returns the renditions that are offered as one MP4 each (`transcoding.web_videos`): finished ones with a video stream, unless an
 * administrator removed them as such. The MP4s are not stored but composed on request (send-progressive-mp4.ts).
 */
export function webVideoFiles<T extends { has_video: boolean; web_video: boolean; whole_size: number | null }>(files: T[]): T[] {
  return config.transcoding.web_videos.enabled ? files.filter(file => file.has_video && file.web_video && file.whole_size !== null) : []
}

/** Returns the renditions that are offered as HLS files: all but those that an administrator removed as such. */
export function hlsFiles<T extends { hls: boolean }>(files: T[]): T[] {
  return files.filter(file => file.hls)
}
