import { randomUUID } from 'node:crypto'
import type { Transaction } from 'sequelize'
import { afterCommit } from '../core/transaction.ts'
import type { ReceivedFile } from '../core/multipart.ts'
import { run, sql } from '../core/sql.ts'
import { removeStored, store } from '../storage/disk.ts'
import { readPictures, type Picture } from '../videos/video-images.ts'

/** Reads an uploaded picture of a playlist. Throws a 400 where it is none. */
export async function takePicture(thumbnailfile: ReceivedFile | undefined): Promise<Picture | null> {
  return thumbnailfile ? ((await readPictures({ thumbnailfile })).find(({ kind }) => kind === 'thumbnail') ?? null) : null
}

/** Gives a playlist a picture, or takes it away; the file of the one before goes after commit. */
export async function setPicture(playlistId: number, picture: Picture | null, inside: Transaction): Promise<void> {
  const gone = await run<{ filename: string }>(sql`DELETE FROM thumbnails WHERE playlist_id = ${playlistId} RETURNING filename`, inside)
  if (gone.length > 0)
    afterCommit(
      inside,
      () =>
        void removeStored(
          'thumbnails',
          gone.map(({ filename }) => filename)
        )
    )
  if (!picture) return
  const filename = `${randomUUID()}.jpg`
  await store(picture.path, 'thumbnails', filename)
  await run(
    sql`
    INSERT INTO thumbnails (playlist_id, kind, filename, width, height, automatic, created_at, updated_at)
    VALUES (${playlistId}, 'thumbnail', ${filename}, ${picture.width}, ${picture.height}, false, now(), now())`,
    inside
  )
}
