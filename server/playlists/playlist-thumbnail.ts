import { randomUUID } from 'node:crypto'
import type { Transaction } from 'sequelize'
import { afterCommit } from '../core/transaction.ts'
import type { MultipartFile } from '../core/multipart.ts'
import { runQuery, sql } from '../core/sql.ts'
import { removeStoredFiles, moveIntoStorage } from '../storage/disk.ts'
import { convertUploadedVideoImages, type PreparedVideoImage } from '../videos/video-images.ts'

/** Reads an uploaded picture of a playlist. Throws a 400 where it is none. */
export async function readPlaylistThumbnail(thumbnailfile: MultipartFile | undefined): Promise<PreparedVideoImage | null> {
  return thumbnailfile ? ((await convertUploadedVideoImages({ thumbnailfile })).find(({ kind }) => kind === 'thumbnail') ?? null) : null
}

/** Gives a playlist a picture, or takes it away; the file of the one before goes after commit. */
export async function setPlaylistThumbnail(playlistId: number, picture: PreparedVideoImage | null, inside: Transaction): Promise<void> {
  const gone = await runQuery<{ filename: string }>(
    sql`DELETE FROM thumbnails WHERE playlist_id = ${playlistId} RETURNING filename`,
    inside
  )
  if (gone.length > 0)
    afterCommit(
      inside,
      () =>
        void removeStoredFiles(
          'thumbnails',
          gone.map(({ filename }) => filename)
        )
    )
  if (!picture) return
  const filename = `${randomUUID()}.jpg`
  await moveIntoStorage(picture.path, 'thumbnails', filename)
  await runQuery(
    sql`
    INSERT INTO thumbnails (playlist_id, kind, filename, width, height, automatic, created_at, updated_at)
    VALUES (${playlistId}, 'thumbnail', ${filename}, ${picture.width}, ${picture.height}, false, now(), now())`,
    inside
  )
}
