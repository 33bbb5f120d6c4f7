import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Transaction } from 'sequelize'
import { logger } from '../core/logger.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { buildProgressiveMp4 } from '../media/progressive-mp4.ts'
import { makeTorrentInfo, type TorrentContent } from '../media/torrent.ts'
import { hlsFolder } from '../storage/disk.ts'
import { findProgressiveMp4Source } from './send-progressive-mp4.ts'
import { TORRENTS } from './torrent-internals.ts'
import { webVideoFilename } from './video-urls.ts'

type DueFile = {
  id: number
  uuid: string
  filename: string
  resolution: number
  track: number
  has_video: boolean
  has_torrent: boolean
  has_web_torrent: boolean
}

/**
 * Makes the torrents of the finished renditions of a video that have none: of each HLS file and of each rendition as one MP4. Reads the files
 * once each. A file that cannot be read is tried again after `TORRENTS.retryAfter`. With `owesUpdate`, other servers are owed an Update where
 * there are new ones. Returns after the file at which `isTimeUp`. Throws the reason of `signal` when that aborts.
 */
export async function makeMissingTorrents(
  videoId: number,
  { owesUpdate, signal, isTimeUp = () => false }: { owesUpdate: boolean; signal?: AbortSignal; isTimeUp?: () => boolean }
): Promise<void> {
  const files = await runQuery<DueFile>(sql`
    SELECT f.id, v.uuid, f.filename, f.resolution, f.track, f.has_video,
      EXISTS (SELECT FROM torrents t WHERE t.video_file_id = f.id AND NOT t.web_video) AS has_torrent,
      EXISTS (SELECT FROM torrents t WHERE t.video_file_id = f.id AND t.web_video) AS has_web_torrent
    FROM videos v JOIN streaming_playlists p ON p.video_id = v.id JOIN video_files f ON f.streaming_playlist_id = p.id
    WHERE v.id = ${videoId} AND f.torrents_due_at IS NOT NULL AND NOT f.growing ORDER BY f.resolution DESC`)
  for (const file of files) {
    try {
      // Further audio tracks are listed in the master playlist only.
      const made = file.track === 0 && (await makeTorrentsOfFile(videoId, file, signal))
      // In one statement: an Update is sent as soon as no torrents are due.
      await runQuery(sql`
        WITH owing AS (UPDATE videos SET update_due = true WHERE id = ${videoId} AND federated AND NOT remote AND ${made && owesUpdate})
        UPDATE video_files SET torrents_due_at = NULL WHERE id = ${file.id}`)
      if (isTimeUp()) return
    } catch (error) {
      signal?.throwIfAborted()
      logger.warn('A file has no torrent, as it cannot be read', { uuid: file.uuid, file: file.filename, error })
      await runQuery(sql`UPDATE video_files SET torrents_due_at = now() + ${sqlInterval(TORRENTS.retryAfter)} WHERE id = ${file.id}`)
    }
  }
}

/** Gives the torrents of a video new names, so that nobody who knows the old ones can ask for them. */
export async function renameTorrents(videoId: number, tx: Transaction): Promise<void> {
  await runQuery(
    sql`UPDATE torrents t SET filename = overlay(t.filename PLACING gen_random_uuid()::text FROM 1 FOR 36)
      FROM video_files f JOIN streaming_playlists p ON p.id = f.streaming_playlist_id
      WHERE t.video_file_id = f.id AND p.video_id = ${videoId}`,
    tx
  )
}

/** Discards all torrents of a video, whose contents name its files, so that they are made anew. */
export async function discardTorrents(streamingPlaylistId: number, tx: Transaction): Promise<void> {
  await runQuery(
    sql`DELETE FROM torrents t USING video_files f WHERE f.id = t.video_file_id AND f.streaming_playlist_id = ${streamingPlaylistId}`,
    tx
  )
  await runQuery(sql`UPDATE video_files SET torrents_due_at = now() WHERE streaming_playlist_id = ${streamingPlaylistId}`, tx)
}

/** Discards the torrents of the renditions as one MP4, whose content changes with the audio. */
export async function discardWebVideoTorrents(streamingPlaylistId: number, tx: Transaction): Promise<void> {
  await runQuery(
    sql`DELETE FROM torrents t USING video_files f
      WHERE f.id = t.video_file_id AND f.streaming_playlist_id = ${streamingPlaylistId} AND t.web_video`,
    tx
  )
  await runQuery(sql`UPDATE video_files SET torrents_due_at = now() WHERE streaming_playlist_id = ${streamingPlaylistId}`, tx)
}

async function makeTorrentsOfFile(videoId: number, file: DueFile, signal?: AbortSignal): Promise<boolean> {
  const path = join(hlsFolder(file.uuid), file.filename)
  let made = false
  if (!file.has_torrent) {
    const { size } = await stat(path)
    await storeTorrent(file, false, { head: Buffer.alloc(0), parts: [{ file: path, at: 0, length: size }], size }, signal)
    made = true
  }
  if (file.has_video && !file.has_web_torrent) {
    const { files } = await findProgressiveMp4Source({ id: videoId, uuid: file.uuid }, file.resolution)
    await storeTorrent(file, true, await buildProgressiveMp4(files), signal)
    made = true
  }
  return made
}

async function storeTorrent(file: DueFile, webVideo: boolean, content: TorrentContent, signal?: AbortSignal): Promise<void> {
  const name = webVideo ? webVideoFilename(file.filename) : basename(file.filename)
  const { info, infoHash } = await makeTorrentInfo(name, content, signal)
  const filename = `${randomUUID()}-${file.resolution}${webVideo ? '' : '-hls'}.torrent`
  // The rendition may have been replaced or renamed meanwhile.
  await runQuery(sql`
    INSERT INTO torrents (video_file_id, web_video, filename, info_hash, info)
    SELECT id, ${webVideo}::boolean, ${filename}::text, ${infoHash}::text, decode(${info.toString('base64')}, 'base64')
      FROM video_files WHERE id = ${file.id} AND filename = ${file.filename} FOR KEY SHARE
    ON CONFLICT (video_file_id, web_video) DO NOTHING`)
  if (webVideo) await runQuery(sql`UPDATE video_files SET whole_size = ${content.size} WHERE id = ${file.id} AND whole_size IS NULL`)
}
