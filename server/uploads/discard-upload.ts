import { rm } from 'node:fs/promises'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import { storedFilePath } from '../storage/disk.ts'
import type { UploadModel } from './upload.model.ts'

/** Deletes an upload with its row and files, if its row still meets `condition`; a video created from it stays. Returns whether it did. */
export async function discardUpload(upload: UploadModel, condition: Sql = sql`TRUE`): Promise<boolean> {
  const deleted = await runQuery(sql`DELETE FROM uploads WHERE id = ${upload.id} AND ${condition} RETURNING id`)
  if (deleted.length === 0) return false
  await rm(storedFilePath('uploads', upload.filename), { force: true })
  await Promise.all(upload.attributes.pictures.map(async image => await rm(image.path, { force: true })))
  return true
}
