import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { afterCommit } from '../core/transaction.ts'
import type { MultipartFile } from '../core/multipart.ts'
import { invalidParams } from '../core/problem.ts'
import { convertToJpeg } from '../media/images.ts'
import { removeStoredFiles, moveIntoStorage, temporaryPath } from '../storage/disk.ts'
import { ThumbnailModel } from './video-image.model.ts'

/** The two pictures of a video. */
export type VideoImageKind = 'thumbnail' | 'preview'
/** A picture made but not yet belonging to a video: a JPEG in `storage.tmp`. */
export type PreparedVideoImage = { kind: VideoImageKind; path: string; width: number; height: number; automatic: boolean }

const FOLDER = { thumbnail: 'thumbnails', preview: 'previews' } as const

/** The size of a kind of picture, by `thumbnails.*`. */
export function videoImageSize(kind: VideoImageKind): { width: number; height: number } {
  const { width, height, preview_width, preview_height } = config.thumbnails
  return kind === 'thumbnail' ? { width, height } : { width: preview_width, height: preview_height }
}

/** Reads uploaded pictures into JPEGs of the right size. Throws a 400 naming the field that is not an image. */
export async function convertUploadedVideoImages(files: {
  thumbnailfile?: MultipartFile
  previewfile?: MultipartFile
}): Promise<PreparedVideoImage[]> {
  const pictures: PreparedVideoImage[] = []
  for (const [kind, field] of [
    ['thumbnail', 'thumbnailfile'],
    ['preview', 'previewfile']
  ] as const) {
    // One uploaded picture serves for both.
    const file = files[field] ?? files[field === 'thumbnailfile' ? 'previewfile' : 'thumbnailfile']
    if (!file) continue
    const path = await temporaryPath(`${randomUUID()}.jpg`)
    try {
      await convertToJpeg(file.path, path, videoImageSize(kind), { maxPixels: config.upload.image_max_pixels })
    } catch {
      throw invalidParams([
        {
          type: 'field',
          msg: 'This file is not supported or too large. Please, make sure it is of the following type : .png, .jpg, .jpeg, .webp',
          path: files[field] ? field : field === 'thumbnailfile' ? 'previewfile' : 'thumbnailfile',
          location: 'body'
        }
      ])
    }
    pictures.push({ kind, path, ...videoImageSize(kind), automatic: false })
  }
  return pictures
}

/**
 * Gives pictures to a video in a transaction; the files of those they replace go after commit. What its owner chose stays where an
 * automatic one comes later.
 */
export async function setVideoImages(videoId: number, pictures: PreparedVideoImage[], transaction: Transaction): Promise<void> {
  for (const { kind, path, width, height, automatic } of pictures) {
    const old = await ThumbnailModel.findOne({ where: { videoId, kind }, transaction })
    if (automatic && old && !old.automatic) {
      await rm(path, { force: true })
      continue
    }
    const filename = `${randomUUID()}.jpg`
    await moveIntoStorage(path, FOLDER[kind], filename)
    if (old) await old.destroy({ transaction })
    await ThumbnailModel.create({ videoId, kind, filename, width, height, automatic }, { transaction })
    if (old) afterCommit(transaction, () => void removeStoredFiles(FOLDER[kind], [old.filename]))
  }
}
