import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Request, Response } from 'express'
import type { z } from 'zod'
import type { UploadAttributes } from '../../shared/uploads.ts'
import { config, instanceOrigin } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { invalidParams, Problem, type InvalidParam } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { sql } from '../core/sql.ts'
import { moveIntoStorage, storedFilePath, storedFileSize } from '../storage/disk.ts'
import type { PreparedVideoImage } from '../videos/video-images.ts'
import { VideoModel } from '../videos/video.model.ts'
import { assertOwnChannel, type VideoAttributes } from '../videos/videos.ts'
import { parseContentRange, type ContentRange } from './content-range.ts'
import { createVideoFromUpload } from './create-video.ts'
import { discardUpload } from './discard-upload.ts'
import { claimUpload, receiveChunk, releaseUpload, uploadBusy, type UploadWriter } from './receive-chunk.ts'
import { reserveSpace } from './reserve-space.ts'
import { UPLOADS } from './upload-internals.ts'
import { UploadModel } from './upload.model.ts'
import { assertUploadExtension, assertUploadSize } from './validation.ts'

/** Begins an upload and returns the URL for its chunks. Takes over the images. Throws 400, 413, 415, 507. */
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
  const { channelId, filename, ...fields } = body
  const id = randomUUID()
  // Images are stored next to the uploaded bytes: the temporary folder is swept sooner than uploads expire.
  const pictures = images.map(image => ({ ...image, path: storedFilePath('uploads', `${randomUUID()}.jpg`) }))
  try {
    for (const [index, { path }] of pictures.entries()) await moveIntoStorage(images[index]!.path, 'uploads', basename(path))
    const space = { id, userId: viewer.id, wanted: size, least: size, received: 0, folder: 'uploads' as const }
    await reserveSpace(space, async (_granted, tx) => {
      await UploadModel.create(
        {
          id,
          userId: viewer.id,
          filename: randomUUID(),
          originalName: filename,
          size,
          attributes: { channelId, fields, pictures },
          expiresAt: expiry()
        },
        { transaction: tx }
      )
    })
  } catch (error) {
    await Promise.all(pictures.map(async ({ path }) => await rm(path, { force: true })))
    throw error
  }
  const query = new URLSearchParams({ uploadType: 'resumable', upload_id: id })
  return `${instanceOrigin().replace(/^https?:/, '')}${request.originalUrl.split('?')[0]}?${query}`
}

/**
 * Stores a chunk, or responds with the number of bytes received (308); the last chunk creates the video, and its response is repeated for
 * `UPLOADS.answerLifetime`. Returns undefined if the response has been sent already. Throws 400, 408, 409, 413, 415, 422, 507.
 */
export async function receiveUploadChunk(
  request: Request,
  response: Response,
  viewer: Viewer,
  id: string
): Promise<Pick<VideoModel, 'id' | 'uuid'> | undefined> {
  const upload = await UploadModel.findByPk(id)
  if (upload?.userId !== viewer.id) return refuse(response, 403, 'Forbidden', 'Authenticated user is not allowed access')
  const range = parseContentRange(request.headers)
  const isCurrent = upload.expiresAt.getTime() > Date.now()
  if (upload.videoId !== null) {
    const video = isCurrent && range?.size === Number(upload.size) ? await VideoModel.findByPk(upload.videoId) : null
    return video ?? refuse(response, 404, 'FileNotFound', 'Not found')
  }
  if (!isCurrent) return refuse(response, 404, 'FileNotFound', 'Not found')
  if (range?.size !== Number(upload.size)) {
    throw new Problem(
      400,
      'invalid_content_range',
      `Content-Range should be "bytes first-last/${upload.size}", as long as the body, or "bytes */${upload.size}".`
    )
  }
  return await receiveInto(upload, range, request, response, viewer)
}

/** Cancels an upload and deletes its bytes. Throws 403. */
export async function cancelResumableUpload(viewer: Viewer, id: string): Promise<void> {
  const upload = await UploadModel.findByPk(id)
  if (!upload) return
  if (upload.userId !== viewer.id) throw new Problem(403, 'Forbidden', 'Authenticated user is not allowed access')
  await discardUpload(upload, sql`video_id IS NULL`)
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

async function receiveInto(
  upload: UploadModel,
  { size, chunk }: ContentRange,
  request: Request,
  response: Response,
  viewer: Viewer
): Promise<VideoModel | undefined> {
  let received = await storedFileSize(storedFilePath('uploads', upload.filename))
  // A query finishes an upload whose bytes are all there: the process that received the last may have died.
  if (chunk || received === size) {
    const writer = await claimUpload(upload)
    try {
      if (chunk) received = await receiveChunk(writer, chunk, request)
      if (received === size) return await finishUpload(writer, viewer)
    } finally {
      await releaseUpload(writer)
    }
  }
  response.statusMessage = 'Resume Incomplete'
  response
    .status(308)
    .set({ Range: `bytes=0-${received - 1}`, 'X-Upload-Expires': expiry().toISOString(), 'Cache-Control': 'no-store' })
    .end()
  return undefined
}

async function finishUpload(writer: UploadWriter, viewer: Viewer): Promise<VideoModel> {
  const { id, filename } = writer.upload
  try {
    const video = await transaction(
      async tx => {
        // The row stays locked until the video is there: nobody else may write to the file that is being checked.
        const row = await UploadModel.findOne({
          where: { id, videoId: null, writer: writer.id },
          lock: true,
          skipLocked: true,
          transaction: tx
        })
        if (!row) throw uploadBusy()
        const { channelId, fields, pictures } = row.attributes
        const created = await createVideoFromUpload(
          {
            path: storedFilePath('uploads', filename),
            name: row.originalName,
            size: Number(row.size),
            userId: viewer.id,
            channelId,
            attributes: reviveDates(fields),
            images: pictures
          },
          tx
        )
        await row.update({ videoId: created.id, expiresAt: new Date(Date.now() + UPLOADS.answerLifetime) }, { transaction: tx })
        return created
      },
      { timeLimited: false }
    )
    await rm(storedFilePath('uploads', filename), { force: true })
    return video
  } catch (error) {
    // A file that was refused by its content will be refused again.
    if (error instanceof Problem && [400, 413, 415, 422].includes(error.status)) await discardUpload(writer.upload)
    throw error
  }
}

function expiry(): Date {
  return new Date(Date.now() + config.upload.expiration)
}

/** Responds as the protocol's clients know it: with an object as `error`. */
function refuse(response: Response, status: number, code: string, message: string): undefined {
  response
    .status(status)
    .set({ 'Content-Type': 'application/problem+json; charset=utf-8', 'Cache-Control': 'no-store' })
    .send(
      JSON.stringify({
        type: `${instanceOrigin()}/api/v1/docs#errors-${code}`,
        title: code,
        status,
        detail: message,
        code,
        error: { code, message }
      })
    )
  return undefined
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
