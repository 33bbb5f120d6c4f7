import { rm } from 'node:fs/promises'
import type { Request, Response } from 'express'
import { ERRORS, fail, Uploadx, type DiskFile } from '@uploadx/core'
import type { z } from 'zod'
import type { UploadAttributes } from '../../shared/uploads.ts'
import { instanceOrigin } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { invalidParams, notFound, Problem, type InvalidParam } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { moveIntoStorage, storedFilePath, storedFileSize } from '../storage/disk.ts'
import type { PreparedVideoImage } from '../videos/video-images.ts'
import type { VideoModel } from '../videos/video.model.ts'
import { assertOwnChannel, type VideoAttributes } from '../videos/videos.ts'
import { assertUploadExtension, assertUploadQuota, assertUploadSize, assertDiskSpace } from './validation.ts'
import { createVideoFromUpload } from './create-video.ts'
import { discardUpload, removeUploadThumbnails } from './discard-upload.ts'
import { UploadModel } from './upload.model.ts'
import { UploadStorage } from './upload-storage.ts'

/** The protocol of resumable uploads (X-Upload-Content-Length, Content-Range, 308), spoken by @uploadx/core for the row's owner only. */
class Handler extends Uploadx<DiskFile> {
  override async getAndVerifyId(request: { url?: string }): Promise<string> {
    const id = this.getId(request as never)
    const row = await UploadModel.findByPk(id)
    if (row?.userId === (request as { user?: { id: number } }).user?.id) return id
    return fail(ERRORS.FORBIDDEN)
  }
}

let made: { storage: UploadStorage; handler: Handler } | null = null
function protocol(): NonNullable<typeof made> {
  if (made) return made
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
  return (made = { storage, handler: new Handler({ storage }) })
}

/** Forgets what this process knows of uploads, as a restart does; rows and files stay. */
export function resetResumableUploads(): void {
  made = null
}

/** Begins an upload and gives the address for its pieces. Throws 400, 413, 415, 507. */
export async function beginResumableUpload(
  request: Request,
  viewer: Viewer,
  body: z.output<typeof UploadAttributes> & { filename: string },
  pictures: PreparedVideoImage[]
): Promise<string> {
  const size = announcedSize(request)
  assertUploadExtension(body.filename)
  assertUploadSize(size)
  await assertOwnChannel(body.channelId, viewer.id)
  await assertUploadQuota(viewer.id, size)
  await assertDiskSpace(size)
  const { channelId, filename, ...fields } = body
  const kept: PreparedVideoImage[] = []
  // Pictures wait beside the bytes: the temporary folder is swept sooner than uploads expire.
  for (const picture of pictures)
    kept.push({ ...picture, path: await moveIntoStorage(picture.path, 'uploads', `${crypto.randomUUID()}.jpg`) })
  const { storage } = protocol()
  const file = await storage.create(request, {
    originalName: filename,
    size,
    userId: String(viewer.id),
    metadata: { announced: { channelId, fields, pictures: kept } } as never
  })
  const query = new URLSearchParams({ uploadType: 'resumable', upload_id: file.id! })
  return `${instanceOrigin().replace(/^https?:/, '')}${request.originalUrl.split('?')[0]}?${query}`
}

/**
 * Writes a piece, or answers how much arrived (308); the last piece makes the video. The answer is undefined where it is already written.
 */
export async function receiveUploadChunk(request: Request, response: Response, viewer: Viewer): Promise<VideoModel | undefined> {
  const file = await through(request, response, viewer)
  return file ? await finishUpload(file.id!, viewer) : undefined
}

/** Gives an upload up, with its bytes. */
export async function cancelResumableUpload(request: Request, response: Response, viewer: Viewer, id: string): Promise<void> {
  const row = await UploadModel.findByPk(id)
  if (!row || row.videoId !== null) {
    if (row && row.userId !== viewer.id) throw new Problem(403, 'Forbidden', 'Authenticated user is not allowed access')
    response.status(204).end()
    return
  }
  await through(request, response, viewer)
  await removeUploadThumbnails(row)
}

/** The unfinished uploads of a user, with the bytes that arrived. */
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

async function through(request: Request, response: Response, viewer: Viewer): Promise<DiskFile | undefined> {
  Object.assign(request, { user: { id: viewer.id } })
  return await new Promise<DiskFile | undefined>(resolve => {
    response.once('close', () => resolve(undefined))
    response.once('finish', () => resolve(undefined))
    protocol().handler.upload(request as never, response as never, () => resolve(request.body as DiskFile))
  })
}

async function finishUpload(id: string, viewer: Viewer): Promise<VideoModel> {
  let row: UploadModel | null = null
  try {
    const video = await transaction(async transaction => {
      // The last piece may come twice: only one of the two requests may make the video.
      row = await UploadModel.findOne({ where: { id, videoId: null }, lock: true, skipLocked: true, transaction })
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
          attributes: revived(fields),
          pictures
        },
        transaction
      )
      await row.update({ videoId: video.id }, { transaction })
      return video
    })
    await rm(storedFilePath('uploads', row!.filename), { force: true })
    return video
  } catch (error) {
    // What was refused by its content will be refused again.
    if (row && error instanceof Problem && [400, 413, 415, 422].includes(error.status)) await discardUpload(row)
    throw error
  }
}

/** JSON keeps dates as texts. */
function revived(fields: Record<string, unknown>): VideoAttributes {
  const date = (value: unknown): Date | null | undefined => (typeof value === 'string' ? new Date(value) : (value as null | undefined))
  const schedule = fields.scheduleUpdate as { updateAt: string; privacy?: number } | null | undefined
  return {
    ...fields,
    originallyPublishedAt: date(fields.originallyPublishedAt),
    scheduleUpdate: schedule && { ...schedule, updateAt: new Date(schedule.updateAt) }
  } as VideoAttributes
}

function announcedSize(request: Request): number {
  const length = request.headers['x-upload-content-length']
  const wrong: InvalidParam[] = []
  const size = typeof length === 'string' && /^\d{1,15}$/.test(length) ? Number(length) : 0
  if (size < 1)
    wrong.push({
      type: 'field',
      ...(length === undefined ? {} : { value: length }),
      msg: 'Invalid value',
      path: 'x-upload-content-length',
      location: 'headers'
    })
  if (!request.headers['x-upload-content-type'])
    wrong.push({ type: 'field', msg: 'Invalid value', path: 'x-upload-content-type', location: 'headers' })
  if (wrong.length > 0) throw invalidParams(wrong)
  return size
}
