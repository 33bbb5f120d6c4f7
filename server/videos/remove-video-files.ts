import { on } from '../core/events.ts'
import { run, sql } from '../core/sql.ts'
import { removeHls, removeStored } from '../storage/disk.ts'

/** The names of a video's files outside its HLS folder. */
export type FileNames = {
  sources: string[] | null
  thumbnails: string[] | null
  previews: string[] | null
  storyboards: string[] | null
  captions: string[] | null
}

/** Reads the names of a video's files; before its rows go. */
export async function fileNames(videoId: number): Promise<FileNames> {
  const [names] = await run<FileNames>(sql`SELECT
    (SELECT array_agg(filename) FROM video_sources WHERE video_id = ${videoId} AND filename IS NOT NULL) AS sources,
    (SELECT array_agg(filename) FROM thumbnails WHERE video_id = ${videoId} AND kind = 'thumbnail') AS thumbnails,
    (SELECT array_agg(filename) FROM thumbnails WHERE video_id = ${videoId} AND kind = 'preview') AS previews,
    (SELECT array_agg(filename) FROM storyboards WHERE video_id = ${videoId}) AS storyboards,
    (SELECT array_agg(filename) FROM video_captions WHERE video_id = ${videoId}) AS captions`)
  return names!
}

/** Removes the named files; after commit. */
export async function removeFiles(names: FileNames): Promise<void> {
  await removeStored('original_video_files', names.sources ?? [])
  await removeStored('thumbnails', names.thumbnails ?? [])
  await removeStored('previews', names.previews ?? [])
  await removeStored('storyboards', names.storyboards ?? [])
  await removeStored('captions', names.captions ?? [])
}

/** Whenever a video is deleted, alone or with its channel or account, its folder goes; what else it leaves, the sweep finds. */
export function listenToVideos(): void {
  on('video.deleted', async ({ uuid }) => await removeHls(uuid))
}
