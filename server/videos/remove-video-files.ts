import { onEvent } from '../core/events.ts'
import { runQuery, sql } from '../core/sql.ts'
import { removeHlsFolder, removeStoredFiles } from '../storage/disk.ts'

/** The names of a video's files outside its HLS folder. */
export type VideoFileNames = {
  sources: string[] | null
  thumbnails: string[] | null
  previews: string[] | null
  storyboards: string[] | null
  captions: string[] | null
}

/** Reads the names of a video's files; before its rows go. */
export async function listVideoFileNames(videoId: number): Promise<VideoFileNames> {
  const [names] = await runQuery<VideoFileNames>(sql`SELECT
    (SELECT array_agg(filename) FROM video_sources WHERE video_id = ${videoId} AND filename IS NOT NULL) AS sources,
    (SELECT array_agg(filename) FROM thumbnails WHERE video_id = ${videoId} AND kind = 'thumbnail') AS thumbnails,
    (SELECT array_agg(filename) FROM thumbnails WHERE video_id = ${videoId} AND kind = 'preview') AS previews,
    (SELECT array_agg(filename) FROM storyboards WHERE video_id = ${videoId}) AS storyboards,
    (SELECT array_agg(filename) FROM video_captions WHERE video_id = ${videoId}) AS captions`)
  return names!
}

/** Removes the named files; after commit. */
export async function removeVideoFiles(names: VideoFileNames): Promise<void> {
  await removeStoredFiles('original_video_files', names.sources ?? [])
  await removeStoredFiles('thumbnails', names.thumbnails ?? [])
  await removeStoredFiles('previews', names.previews ?? [])
  await removeStoredFiles('storyboards', names.storyboards ?? [])
  await removeStoredFiles('captions', names.captions ?? [])
}

/** Whenever a video is deleted, alone or with its channel or account, its folder goes; what else it leaves, the sweep finds. */
export function listenForVideoDeletions(): void {
  onEvent('video.deleted', async ({ uuid }) => await removeHlsFolder(uuid))
}
