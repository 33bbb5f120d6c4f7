import { rm } from 'node:fs/promises'
import { storedPath } from '../storage/disk.ts'
import type { Upload } from './upload.model.ts'

/** Removes an upload's row and files; what became a video stays. */
export async function discardUpload(row: Upload): Promise<void> {
  await row.destroy()
  await rm(storedPath('uploads', row.filename), { force: true })
  await removePictures(row)
}

/** Removes the pictures that wait for an upload's end. */
export async function removePictures(row: Upload): Promise<void> {
  await Promise.all(row.attributes.pictures.map(async picture => await rm(picture.path, { force: true })))
}
