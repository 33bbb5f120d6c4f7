import { rm } from 'node:fs/promises'
import { storedFilePath } from '../storage/disk.ts'
import type { UploadModel } from './upload.model.ts'

/** Removes an upload's row and files; what became a video stays. */
export async function discardUpload(row: UploadModel): Promise<void> {
  await row.destroy()
  await rm(storedFilePath('uploads', row.filename), { force: true })
  await removeUploadThumbnails(row)
}

/** Removes the pictures that wait for an upload's end. */
export async function removeUploadThumbnails(row: UploadModel): Promise<void> {
  await Promise.all(row.attributes.pictures.map(async picture => await rm(picture.path, { force: true })))
}
