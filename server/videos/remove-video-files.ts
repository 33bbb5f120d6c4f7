import type { Transaction } from 'sequelize'
import { onEvent } from '../core/events.ts'
import { runQuery, sql } from '../core/sql.ts'
import { removeHlsFolder, removeStoredFiles } from '../storage/disk.ts'
import { captionTracksSql } from './captions.ts'

/** Names of a video's files outside its HLS folder; null where it has none of a kind. */
export type VideoFileNames = {
  sources: string[] | null
  thumbnails: string[] | null
  previews: string[] | null
  storyboards: string[] | null
  captions: string[] | null
}

/** Returns the names of a video's files; call before its rows are deleted. */
export async function listVideoFileNames(videoId: number, tx?: Transaction): Promise<VideoFileNames> {
  const [names] = await runQuery<VideoFileNames>(
    sql`SELECT
    (SELECT array_agg(filename) FROM video_sources WHERE video_id = ${videoId} AND filename IS NOT NULL) AS sources,
    (SELECT array_agg(filename) FROM thumbnails WHERE video_id = ${videoId} AND kind = 'thumbnail') AS thumbnails,
    (SELECT array_agg(filename) FROM thumbnails WHERE video_id = ${videoId} AND kind = 'preview') AS previews,
    (SELECT array_agg(filename) FROM storyboards WHERE video_id = ${videoId}) AS storyboards,
    (SELECT array_agg(filename) FROM (${captionTracksSql(sql`${videoId}::int`)}) track) AS captions`,
    tx
  )
  return names!
}

/** Removes the named files; call after the transaction has committed. */
export async function removeVideoFiles(names: VideoFileNames): Promise<void> {
  await removeStoredFiles('original_video_files', names.sources ?? [])
  await removeStoredFiles('thumbnails', names.thumbnails ?? [])
  await removeStoredFiles('previews', names.previews ?? [])
  await removeStoredFiles('storyboards', names.storyboards ?? [])
  await removeStoredFiles('captions', names.captions ?? [])
}

/**
 * Removes the HLS folder of every deleted video, including those deleted with their channel or account; other files that are left are
 * removed by `sweepOrphanFiles`. Called once at start.
 */
export function listenForVideoDeletions(): void {
  onEvent('video.deleted', async ({ uuid }) => await removeHlsFolder(uuid))
}
