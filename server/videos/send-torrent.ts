import type { Request, Response } from 'express'
import { notFound, Problem } from '../core/problem.ts'
import { runQuery, sql } from '../core/sql.ts'
import { makeMetainfo } from '../media/torrent.ts'
import { findVideoAccessInfo, type VideoAccessInfo } from './video-access.ts'
import { assertCanReadFiles, assertCanReadUploadedFile } from './video-files-access.ts'
import { hlsFileUrl, webVideoUrl } from './video-urls.ts'
import { isPublicOrUnlisted } from './video.policy.ts'

/** Seconds. */
const RETRY_AFTER = '10'

/** A torrent with what decides who may have it; `fileUrl`: of the rendition that it is about, null for the uploaded file. */
export type StoredTorrent = { video: VideoAccessInfo; resolution: number; fileUrl: string | null; info: Buffer }

/** Returns a torrent by the name of its `.torrent` file. Throws 404, and 503 while that of an uploaded file is being made. */
export async function findStoredTorrent(name: string): Promise<StoredTorrent> {
  const [row] = await runQuery<{
    video_id: number
    resolution: number
    web_video: boolean
    filename: string | null
    info: Buffer | null
  }>(sql`
    SELECT p.video_id, f.resolution, t.web_video, f.filename, t.info FROM torrents t JOIN video_files f ON f.id = t.video_file_id
      JOIN streaming_playlists p ON p.id = f.streaming_playlist_id
    WHERE t.filename = ${name} AND CASE WHEN t.web_video THEN f.web_video ELSE f.hls END
    UNION ALL
    SELECT video_id, coalesce(resolution, 0), false, NULL, torrent_info FROM video_sources WHERE torrent_filename = ${name}`)
  if (!row) throw notFound('Torrent')
  const { video_id: videoId, resolution, web_video: webVideo, filename, info } = row
  if (!info) throw new Problem(503, null, 'This torrent is being made.', { headers: { 'Retry-After': RETRY_AFTER } })
  const video = await findVideoAccessInfo(videoId)
  return { video, resolution, fileUrl: filename && (webVideo ? webVideoUrl : hlsFileUrl)(video, filename), info }
}

/** Throws 403 unless the requester may read the file that a torrent is about. */
export async function assertCanReadTorrent(request: Request, { video, fileUrl }: StoredTorrent): Promise<void> {
  await (fileUrl === null ? assertCanReadUploadedFile : assertCanReadFiles)(request, video)
}

/** Whether anybody may have the file that a torrent is about. */
export function isOpenTorrent({ video, fileUrl }: StoredTorrent): boolean {
  return fileUrl !== null && isPublicOrUnlisted(video.privacy)
}

/** Sends a torrent, with the URL of the file as its web seed if anybody may have that; `cacheControl` is that header. */
export function sendTorrent(response: Response, torrent: StoredTorrent, cacheControl: string): void {
  const webSeeds = isOpenTorrent(torrent) ? [torrent.fileUrl!] : []
  response.setHeader('Cache-Control', cacheControl)
  response.type('application/x-bittorrent').send(makeMetainfo(torrent.info, { webSeeds, trackers: [] }))
}
