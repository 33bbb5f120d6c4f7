import type { Transaction } from 'sequelize'
import { logger } from '../core/logger.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { makeTorrentInfo } from '../media/torrent.ts'
import { storedFilePath } from '../storage/disk.ts'
import { TORRENTS } from './torrent-internals.ts'

/**
 * Makes the torrent of the uploaded file that has waited longest, and returns whether one was waiting. No other process takes it for
 * `TORRENTS.uploadedFileLease`, after which it is tried again. Throws the reason of `signal` when that aborts.
 */
export async function makeNextUploadedFileTorrent(signal: AbortSignal): Promise<boolean> {
  const [file] = await runQuery<{ video_id: number; filename: string; size: string }>(sql`
    UPDATE video_sources SET torrent_due_at = now() + ${sqlInterval(TORRENTS.uploadedFileLease)}
    WHERE video_id = (SELECT video_id FROM video_sources WHERE torrent_due_at <= now() AND filename IS NOT NULL
      ORDER BY torrent_due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING video_id, filename, size`)
  if (!file) return false
  try {
    const size = Number(file.size)
    const path = storedFilePath('original_video_files', file.filename)
    const { info } = await makeTorrentInfo(
      file.filename,
      { head: Buffer.alloc(0), parts: [{ file: path, at: 0, length: size }], size },
      signal
    )
    // The encoding may be done meanwhile.
    await runQuery(sql`
      UPDATE video_sources SET torrent_due_at = NULL, torrent_info = decode(${info.toString('base64')}, 'base64')
      WHERE video_id = ${file.video_id} AND torrent_due_at IS NOT NULL`)
  } catch (error) {
    signal.throwIfAborted()
    logger.warn('An uploaded file has no torrent, as it cannot be read', { videoId: file.video_id, error })
  }
  return true
}

/** Discards the torrent of the uploaded file of a video that is encoded: the file is not listed any more. */
export async function discardUploadedFileTorrent(videoId: number, tx: Transaction): Promise<void> {
  await runQuery(
    sql`UPDATE video_sources SET torrent_due_at = NULL, torrent_filename = NULL, torrent_info = NULL WHERE video_id = ${videoId}`,
    tx
  )
}
