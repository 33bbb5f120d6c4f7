import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { afterCommit } from '../core/transaction.ts'
import type { MultipartFile } from '../core/multipart.ts'
import { removeWithReceivedFile } from '../core/received-files.ts'
import { invalidParams } from '../core/problem.ts'
import { MediaError } from '../media/ffmpeg.ts'
import { convertToJpeg } from '../media/images.ts'
import { removeStoredFiles, moveIntoStorage, temporaryPath } from '../storage/disk.ts'
import { ThumbnailModel } from './video-image.model.ts'

/** The two images of a video. */
export type VideoImageKind = 'thumbnail' | 'preview'
/** A converted image that does not belong to a video yet: a JPEG in `storage.tmp`; `automatic`: a frame of the video. */
export type PreparedVideoImage = { kind: VideoImageKind; path: string; width: number; height: number; automatic: boolean }

const FOLDER = { thumbnail: 'thumbnails', preview: 'previews' } as const

/** Returns the configured size (`thumbnails.*`) of a kind of image, in pixels. */
export function videoImageSize(kind: VideoImageKind): { width: number; height: number } {
  const { width, height, preview_width, preview_height } = config.thumbnails
  return kind === 'thumbnail' ? { width, height } : { width: preview_width, height: preview_height }
}

/** Converts uploaded images to JPEGs of the configured sizes, of these kinds. They are removed
 * with the uploaded files where they are not moved. Throws 400 naming the field that is not a valid image. */
export async function convertUploadedVideoImages(
  files: { thumbnailfile?: MultipartFile; previewfile?: MultipartFile },
  kinds: VideoImageKind[] = ['thumbnail', 'preview']
): Promise<PreparedVideoImage[]> {
  const images: PreparedVideoImage[] = []
  for (const [kind, field] of [
    ['thumbnail', 'thumbnailfile'],
    ['preview', 'previewfile']
  ] as const) {
    // A single uploaded image is used for both.
    const file = files[field] ?? files[field === 'thumbnailfile' ? 'previewfile' : 'thumbnailfile']
    if (!file || !kinds.includes(kind)) continue
    const path = await temporaryPath(`${randomUUID()}.jpg`)
    removeWithReceivedFile(file, path)
    try {
      await convertToJpeg(file.path, path, videoImageSize(kind), { maxPixels: config.upload.image_max_pixels })
    } catch (error) {
      if (!(error instanceof MediaError) || error.code !== 'bad_image') throw error
      throw invalidParams([
        {
          type: 'field',
          msg: 'This file is not supported or too large. Please, make sure it is of the following type : .png, .jpg, .jpeg, .webp',
          path: files[field] ? field : field === 'thumbnailfile' ? 'previewfile' : 'thumbnailfile',
          location: 'body'
        }
      ])
    }
    images.push({ kind, path, ...videoImageSize(kind), automatic: false })
  }
  return images
}

/**
 * Sets images of a video in a transaction; the files of replaced images are removed after commit. An automatic image does not replace one
 * that the owner chose.
 */
export async function setVideoImages(videoId: number, images: PreparedVideoImage[], tx: Transaction): Promise<void> {
  for (const { kind, path, width, height, automatic } of images) {
    const old = await ThumbnailModel.findOne({ where: { videoId, kind }, transaction: tx })
    if (automatic && old && !old.automatic) {
      await rm(path, { force: true })
      continue
    }
    const filename = `${randomUUID()}.jpg`
    await moveIntoStorage(path, FOLDER[kind], filename)
    if (old) await old.destroy({ transaction: tx })
    try {
      await ThumbnailModel.create({ videoId, kind, filename, width, height, automatic }, { transaction: tx })
    } catch (error) {
      // The video was deleted meanwhile.
      await removeStoredFiles(FOLDER[kind], [filename])
      throw error
    }
    if (old) afterCommit(tx, () => void removeStoredFiles(FOLDER[kind], [old.filename]))
  }
}
