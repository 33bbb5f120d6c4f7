import { randomUUID } from 'node:crypto'
import type { Transaction } from 'sequelize'
import { afterCommit } from '../core/transaction.ts'
import type { MultipartFile } from '../core/multipart.ts'
import { runQuery, sql } from '../core/sql.ts'
import { removeStoredFiles, moveIntoStorage } from '../storage/disk.ts'
import { convertUploadedVideoImages, type PreparedVideoImage } from '../videos/video-images.ts'

/** Reads the uploaded thumbnail of a playlist; returns null without one. Throws 400 where the file is not an image. */
export async function readPlaylistThumbnail(thumbnailfile: MultipartFile | undefined): Promise<PreparedVideoImage | null> {
  return thumbnailfile ? ((await convertUploadedVideoImages({ thumbnailfile }, ['thumbnail']))[0] ?? null) : null
}

/** Replaces the thumbnail of a playlist, or removes it where `thumbnail` is null; the previous file is deleted after commit. */
export async function setPlaylistThumbnail(playlistId: number, thumbnail: PreparedVideoImage | null, tx: Transaction): Promise<void> {
  const removed = await runQuery<{ filename: string }>(sql`DELETE FROM thumbnails WHERE playlist_id = ${playlistId} RETURNING filename`, tx)
  if (removed.length > 0)
    afterCommit(
      tx,
      () =>
        void removeStoredFiles(
          'thumbnails',
          removed.map(({ filename }) => filename)
        )
    )
  if (!thumbnail) return
  const filename = `${randomUUID()}.jpg`
  await moveIntoStorage(thumbnail.path, 'thumbnails', filename)
  await runQuery(
    sql`
    INSERT INTO thumbnails (playlist_id, kind, filename, width, height, automatic, created_at, updated_at)
    VALUES (${playlistId}, 'thumbnail', ${filename}, ${thumbnail.width}, ${thumbnail.height}, false, now(), now())`,
    tx
  )
}
