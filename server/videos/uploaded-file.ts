import type { VideoDetails } from '../../shared/videos.ts'
import { runQuery, sql } from '../core/sql.ts'
import { resolutionLabel } from './labels.ts'
import { torrentUrls } from './torrent-links.ts'
import { sourceDownloadUrl, videoFileMetadataUrl } from './video-urls.ts'

type UploadedFileRow = {
  file_id: number
  filename: string
  size: string
  width: number | null
  height: number | null
  fps: number | null
  resolution: number | null
  torrent_filename: string | null
  has_audio: boolean
}

/**
 * Returns the uploaded file of a local video in the form of `files[]`, for those who manage the video: programs that upload wait for a file
 * with the address of a torrent there. Null when the encoding is done, and where the file is not stored.
 */
export async function findUploadedFile(video: { id: number; uuid: string }): Promise<VideoDetails['files'][number] | null> {
  const [row] = await runQuery<UploadedFileRow>(sql`
    SELECT s.file_id, s.filename, s.size, s.width, s.height, s.fps, s.resolution, s.torrent_filename,
      coalesce(jsonb_array_length(s.probe->'audios') > 0, true) AS has_audio
    FROM video_sources s JOIN transcodings t ON t.video_id = s.video_id
    WHERE s.video_id = ${video.id} AND s.filename IS NOT NULL AND t.state <> 'done'`)
  if (!row) return null
  const resolution = row.resolution ?? 0
  const fileUrl = sourceDownloadUrl(row.filename)
  return {
    id: row.file_id,
    resolution: { id: resolution, label: resolutionLabel(resolution) },
    width: row.width ?? 0,
    height: row.height ?? 0,
    fps: Math.round((row.fps ?? 0) * 100) / 100,
    size: Number(row.size),
    fileUrl,
    fileDownloadUrl: fileUrl,
    playlistUrl: null,
    metadataUrl: videoFileMetadataUrl(video.uuid, row.file_id),
    ...torrentUrls(row.torrent_filename),
    // Nobody else may have the file.
    magnetUri: '',
    hasAudio: row.has_audio,
    hasVideo: row.width !== null,
    storage: 0,
    isOriginal: true
  }
}

/** SQL: the seconds that could be read of the uploaded file (`s`: its row) if it ends before the length it states; null for a whole file. */
export const truncatedAtSql = sql`CASE WHEN (s.probe->>'truncated')::boolean THEN (s.probe->>'duration')::float8 END`

/** Returns the seconds that could be read of the uploaded file of a video that ends early; null for a whole file. */
export async function findTruncation(videoId: number): Promise<number | null> {
  const [row] = await runQuery<{ truncated_at: number | null }>(
    sql`SELECT ${truncatedAtSql} AS truncated_at FROM video_sources s WHERE s.video_id = ${videoId}`
  )
  return row?.truncated_at ?? null
}

/** Returns the ffprobe output of the uploaded file of a video, by the id that the API has of it; null for another id. */
export async function findUploadedFileMetadata(videoId: number, fileId: number): Promise<Record<string, unknown> | null> {
  const [row] = await runQuery<{ metadata: Record<string, unknown> | null }>(
    sql`SELECT metadata FROM video_sources WHERE video_id = ${videoId} AND file_id = ${fileId}`
  )
  return row?.metadata ?? null
}
