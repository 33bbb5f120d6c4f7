import { config } from '../core/config.ts'

/**
 * Those of a video's renditions that are offered as one file each (`transcoding.web_videos`): finished ones with a picture. The files are
 * stored nowhere (send-progressive-mp4.ts).
 */
export function webVideoFiles<T extends { has_video: boolean; whole_size: number | null }>(files: T[]): T[] {
  return config.transcoding.web_videos.enabled ? files.filter(file => file.has_video && file.whole_size !== null) : []
}
