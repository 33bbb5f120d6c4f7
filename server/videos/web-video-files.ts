import { config } from '../core/config.ts'

/**
 * Returns the renditions that are offered as one MP4 each (`transcoding.web_videos`): finished ones with a video stream. The MP4s are not
 * stored but composed on request (send-progressive-mp4.ts).
 */
export function webVideoFiles<T extends { has_video: boolean; whole_size: number | null }>(files: T[]): T[] {
  return config.transcoding.web_videos.enabled ? files.filter(file => file.has_video && file.whole_size !== null) : []
}
