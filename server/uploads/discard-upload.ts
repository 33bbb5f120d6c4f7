import { rm } from 'node:fs/promises'
import { storedFilePath } from '../storage/disk.ts'
import type { UploadModel } from './upload.model.ts'

/** Deletes an upload with its row and files; a video created from it stays. */
export async function discardUpload(upload: UploadModel): Promise<void> {
  await upload.destroy()
  await rm(storedFilePath('uploads', upload.filename), { force: true })
  await removeUploadThumbnails(upload)
}

/** Deletes the thumbnails stored for an unfinished upload. */
export async function removeUploadThumbnails(upload: UploadModel): Promise<void> {
  await Promise.all(upload.attributes.pictures.map(async image => await rm(image.path, { force: true })))
}
