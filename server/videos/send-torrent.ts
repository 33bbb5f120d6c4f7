import type { Response } from 'express'
import { notFound } from '../core/problem.ts'
import { runQuery, sql } from '../core/sql.ts'
import { makeMetainfo } from '../media/torrent.ts'
import { findVideoAccessInfo, type VideoAccessInfo } from './video-access.ts'
import { hlsFileUrl, webVideoUrl } from './video-urls.ts'
import { isPublicOrUnlisted } from './video.policy.ts'

/** A torrent with what decides who may have it; `hlsFilename`: of the rendition that it is about. */
export type StoredTorrent = { video: VideoAccessInfo; resolution: number; webVideo: boolean; hlsFilename: string; info: Buffer }

/** Returns a torrent by the name of its `.torrent` file. Throws 404. */
export async function findStoredTorrent(name: string): Promise<StoredTorrent> {
  const [row] = await runQuery<{ video_id: number; resolution: number; web_video: boolean; filename: string; info: Buffer }>(sql`
    SELECT p.video_id, f.resolution, t.web_video, f.filename, t.info FROM torrents t JOIN video_files f ON f.id = t.video_file_id
      JOIN streaming_playlists p ON p.id = f.streaming_playlist_id
    WHERE t.filename = ${name} AND CASE WHEN t.web_video THEN f.web_video ELSE f.hls END`)
  if (!row) throw notFound('Torrent')
  const { video_id: videoId, resolution, web_video: webVideo, filename: hlsFilename, info } = row
  return { video: await findVideoAccessInfo(videoId), resolution, webVideo, hlsFilename, info }
}

/** Sends a torrent, for a public or unlisted video with the URL of the file as its web seed; `cacheControl` is that header. */
export function sendTorrent(response: Response, torrent: StoredTorrent, cacheControl: string): void {
  const { video, webVideo, hlsFilename, info } = torrent
  const fileUrl = (webVideo ? webVideoUrl : hlsFileUrl)(video, hlsFilename)
  const webSeeds = isPublicOrUnlisted(video.privacy) ? [fileUrl] : []
  response.setHeader('Cache-Control', cacheControl)
  response.type('application/x-bittorrent').send(makeMetainfo(info, { webSeeds, trackers: [] }))
}
