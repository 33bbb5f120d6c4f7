import { rm } from 'node:fs/promises'
import type { Request, Response } from 'express'
import { ERRORS, fail, Uploadx, type DiskFile } from '@uploadx/core'
import type { z } from 'zod'
import type { UploadAttributes } from '../../shared/uploads.ts'
import { instanceOrigin } from '../core/config.ts'
import { assertDiskSpace } from '../core/disk-space.ts'
import { transaction } from '../core/transaction.ts'
import { invalidParams, notFound, Problem, type InvalidParam } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { moveIntoStorage, storedFilePath, storedFileSize } from '../storage/disk.ts'
import type { PreparedVideoImage } from '../videos/video-images.ts'
import type { VideoModel } from '../videos/video.model.ts'
import { assertOwnChannel, type VideoAttributes } from '../videos/videos.ts'
import { assertUploadExtension, assertUploadQuota, assertUploadSize } from './validation.ts'
import { createVideoFromUpload } from './create-video.ts'
import { discardUpload, removeUploadThumbnails } from './discard-upload.ts'
import { UploadModel } from './upload.model.ts'
import { UploadStorage } from './upload-storage.ts'

/** The protocol of resumable uploads (X-Upload-Content-Length, Content-Range, 308) by @uploadx/core, for the owner of the row only. */
class UploadHandler extends Uploadx<DiskFile> {
  override async getAndVerifyId(request: { url?: string }): Promise<string> {
    const id = this.getId(request as never)
    const row = await UploadModel.findByPk(id)
    if (row?.userId === (request as { user?: { id: number } }).user?.id) return id
    return fail(ERRORS.FORBIDDEN)
  }
}

let protocolInstance: { storage: UploadStorage; handler: UploadHandler } | null = null
function getProtocol(): NonNullable<typeof protocolInstance> {
  if (protocolInstance) return protocolInstance
  const storage = new UploadStorage()
  storage.onError = ({ statusCode, code, message }) => ({
    statusCode,
    headers: { 'Content-Type': 'application/problem+json; charset=utf-8' },
    body: {
      type: `${instanceOrigin()}/api/v1/docs#errors-${code}`,
      title: code,
      status: statusCode,
      detail: message,
      code,
      error: { code, message }
    }
  })
  return (protocolInstance = { storage, handler: new UploadHandler({ storage }) })
}

/** Discards the state of uploads in this process, as a restart does; rows and files stay. */
export function resetResumableUploads(): void {
  protocolInstance = null
}

/** Begins an upload and returns the URL for its chunks. Throws 400, 413, 415, 507. */
export async function beginResumableUpload(
  request: Request,
  viewer: Viewer,
  body: z.output<typeof UploadAttributes> & { filename: string },
  images: PreparedVideoImage[]
): Promise<string> {
  const size = announcedSize(request)
  assertUploadExtension(body.filename)
  assertUploadSize(size)
  await assertOwnChannel(body.channelId, viewer.id)
  await assertUploadQuota(viewer.id, size)
  await assertDiskSpace('uploads', size)
  const { channelId, filename, ...fields } = body
  const storedImages: PreparedVideoImage[] = []
  // Images are stored next to the uploaded bytes: the temporary folder is swept sooner than uploads expire.
  for (const image of images)
    storedImages.push({ ...image, path: await moveIntoStorage(image.path, 'uploads', `${crypto.randomUUID()}.jpg`) })
  const { storage } = getProtocol()
  const file = await storage.create(request, {
    originalName: filename,
    size,
    userId: String(viewer.id),
    metadata: { announced: { channelId, fields, pictures: storedImages } } as never
  })
  const query = new URLSearchParams({ uploadType: 'resumable', upload_id: file.id! })
  return `${instanceOrigin().replace(/^https?:/, '')}${request.originalUrl.split('?')[0]}?${query}`
}

/**
 * Stores a chunk, or responds with the number of bytes received (308); the last chunk creates the video. Returns undefined if the response
 * has been sent already.
 */
export async function receiveUploadChunk(request: Request, response: Response, viewer: Viewer): Promise<VideoModel | undefined> {
  const file = await runProtocol(request, response, viewer)
  return file ? await finishUpload(file.id!, viewer) : undefined
}

/** Cancels an upload and deletes its bytes. Throws 403. */
export async function cancelResumableUpload(request: Request, response: Response, viewer: Viewer, id: string): Promise<void> {
  const row = await UploadModel.findByPk(id)
  if (!row || row.videoId !== null) {
    if (row && row.userId !== viewer.id) throw new Problem(403, 'Forbidden', 'Authenticated user is not allowed access')
    response.status(204).end()
    return
  }
  await runProtocol(request, response, viewer)
  await removeUploadThumbnails(row)
}

/** The unfinished uploads of a user, with the number of bytes received. */
export async function listUnfinishedUploads(
  userId: number
): Promise<{ uploadId: string; filename: string; name: string; size: number; received: number; expiresAt: string }[]> {
  const rows = await UploadModel.findAll({ where: { userId, videoId: null }, order: [['createdAt', 'DESC']] })
  return await Promise.all(
    rows.map(async row => ({
      uploadId: row.id,
      filename: row.originalName,
      name: String(row.attributes.fields.name),
      size: Number(row.size),
      received: await storedFileSize(storedFilePath('uploads', row.filename)),
      expiresAt: row.expiresAt.toISOString()
    }))
  )
}

async function runProtocol(request: Request, response: Response, viewer: Viewer): Promise<DiskFile | undefined> {
  Object.assign(request, { user: { id: viewer.id } })
  return await new Promise<DiskFile | undefined>(resolve => {
    response.once('close', () => resolve(undefined))
    response.once('finish', () => resolve(undefined))
    getProtocol().handler.upload(request as never, response as never, () => resolve(request.body as DiskFile))
  })
}

async function finishUpload(id: string, viewer: Viewer): Promise<VideoModel> {
  let row: UploadModel | null = null
  try {
    const video = await transaction(async tx => {
      // The last chunk may be sent twice: only one of the two requests may create the video.
      row = await UploadModel.findOne({ where: { id, videoId: null }, lock: true, skipLocked: true, transaction: tx })
      if (!row)
        throw (await UploadModel.count({ where: { id, videoId: null } })) > 0
          ? new Problem(409, 'upload_busy', 'This upload is being finished.', { headers: { 'Retry-After': '5' } })
          : notFound('Upload')
      const { channelId, fields, pictures } = row.attributes
      const video = await createVideoFromUpload(
        {
          path: storedFilePath('uploads', row.filename),
          name: row.originalName,
          size: Number(row.size),
          userId: viewer.id,
          channelId,
          attributes: reviveDates(fields),
          images: pictures
        },
        tx
      )
      await row.update({ videoId: video.id }, { transaction: tx })
      return video
    })
    await rm(storedFilePath('uploads', row!.filename), { force: true })
    return video
  } catch (error) {
    // A file that was refused by its content will be refused again.
    if (row && error instanceof Problem && [400, 413, 415, 422].includes(error.status)) await discardUpload(row)
    throw error
  }
}

/** Converts the dates back that JSON stores as strings. */
function reviveDates(fields: Record<string, unknown>): VideoAttributes {
  const toDate = (value: unknown): Date | null | undefined => (typeof value === 'string' ? new Date(value) : (value as null | undefined))
  const schedule = fields.scheduleUpdate as { updateAt: string; privacy?: number } | null | undefined
  return {
    ...fields,
    originallyPublishedAt: toDate(fields.originallyPublishedAt),
    scheduleUpdate: schedule && { ...schedule, updateAt: new Date(schedule.updateAt) }
  } as VideoAttributes
}

function announcedSize(request: Request): number {
  const length = request.headers['x-upload-content-length']
  const invalid: InvalidParam[] = []
  const size = typeof length === 'string' && /^\d{1,15}$/.test(length) ? Number(length) : 0
  if (size < 1)
    invalid.push({
      type: 'field',
      ...(length === undefined ? {} : { value: length }),
      msg: 'Invalid value',
      path: 'x-upload-content-length',
      location: 'headers'
    })
  if (!request.headers['x-upload-content-type'])
    invalid.push({ type: 'field', msg: 'Invalid value', path: 'x-upload-content-type', location: 'headers' })
  if (invalid.length > 0) throw invalidParams(invalid)
  return size
}
