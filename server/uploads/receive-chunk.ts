import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, rm } from 'node:fs/promises'
import type { Request } from 'express'
import { config, storageFolder } from '../core/config.ts'
import { assertDiskSpace, insufficientStorage, isDiskFullError } from '../core/disk-space.ts'
import { Problem } from '../core/problem.ts'
import { watchForStall } from '../core/request-body.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { storedFilePath } from '../storage/disk.ts'
import { UPLOADS } from './upload-internals.ts'
import type { UploadModel } from './upload.model.ts'

/** Bytes of a chunk after which the room on the disk is measured again. */
const DISK_CHECK_BYTES = 2 ** 20

/** The right of one request to write to the file of an upload, among all processes. */
export type UploadWriter = { upload: UploadModel; id: string; renewedAt: number }

/** Takes the right to write to an upload. Throws 409 upload_busy while another request has it. */
export async function claimUpload(upload: UploadModel): Promise<UploadWriter> {
  const id = randomUUID()
  // Skips the row while the upload becomes a video, instead of waiting for that.
  const claimed = await runQuery(
    sql`UPDATE uploads SET writer = ${id}, writer_until = now() + ${sqlInterval(UPLOADS.writerLease)}
      WHERE id = (SELECT id FROM uploads WHERE id = ${upload.id} AND video_id IS NULL AND (writer IS NULL OR writer_until < now())
        FOR UPDATE SKIP LOCKED) RETURNING id`
  )
  if (claimed.length === 0) throw uploadBusy()
  return { upload, id, renewedAt: performance.now() }
}

/** Gives the right back; nothing happens where it was lost. */
export async function releaseUpload({ upload, id }: UploadWriter): Promise<void> {
  await runQuery(sql`UPDATE uploads SET writer = NULL WHERE id = ${upload.id} AND writer = ${id}`)
}

/** Returns the 409 for an upload that another request works on. */
export function uploadBusy(): Problem {
  return new Problem(409, 'upload_busy', 'Another request works on this upload.', { headers: { 'Retry-After': '5' } })
}

/**
 * Appends what is new of a chunk to the file of its upload and returns how many bytes the file has; a chunk that would leave a gap is not
 * read. What arrived before the request failed stays. Throws 400 for a body that is longer than announced, 408 for one that stalls, 409 where
 * the right to write was lost, 507 without room on the disk.
 */
export async function receiveChunk(
  writer: UploadWriter,
  { first, last }: { first: number; last: number },
  request: Request
): Promise<number> {
  const path = storedFilePath('uploads', writer.upload.filename)
  await mkdir(storageFolder('uploads'), { recursive: true })
  const file = await open(path, constants.O_CREAT | constants.O_WRONLY)
  let received = (await file.stat()).size
  let checkedAt = -Infinity
  let position = first
  try {
    if (first > received) return received
    for await (const part of readBody(request)) {
      if (position + part.length > last + 1)
        throw new Problem(400, 'invalid_content_range', 'The body is longer than its Content-Range announces.')
      const added = part.subarray(Math.max(0, received - position))
      position += part.length
      if (performance.now() - writer.renewedAt >= UPLOADS.writerLease / 4) await renewUpload(writer, received)
      if (added.length === 0) continue
      if (received - checkedAt >= DISK_CHECK_BYTES) {
        await assertDiskSpace('uploads', added.length)
        checkedAt = received
      }
      for (let written = 0; written < added.length;)
        written += (await file.write(added, written, added.length - written, received + written)).bytesWritten
      received += added.length
    }
    return received
  } catch (error) {
    if (isDiskFullError(error)) throw insufficientStorage()
    throw request.errored ? new Problem(400, 'invalid_request', 'The request was cut off.') : error
  } finally {
    await file.close()
    // Whoever cancelled the upload meanwhile has deleted its file, perhaps before it was opened here.
    if (!(await noteReceived(writer, received))) await rm(path, { force: true })
  }
}

/** The parts of a body as they arrive; leaves the request open when the reader stops, so that it can be answered. Throws 408 on a stall. */
async function* readBody(request: Request): AsyncGenerator<Buffer> {
  let stopWatch = (): void => undefined
  const stall = new Promise<never>((_resolve, reject) => (stopWatch = watchForStall(request, reject)))
  stall.catch(() => undefined)
  const parts = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>
  try {
    for (;;) {
      const next = parts.next()
      next.catch(() => undefined)
      const { value, done } = await Promise.race([next, stall])
      if (done) return
      yield value
    }
  } finally {
    stopWatch()
  }
}

async function renewUpload(writer: UploadWriter, received: number): Promise<void> {
  const renewed = await runQuery(
    sql`UPDATE uploads SET received = ${received}, expires_at = now() + ${sqlInterval(config.upload.expiration)},
        writer_until = now() + ${sqlInterval(UPLOADS.writerLease)}
      WHERE id = ${writer.upload.id} AND writer = ${writer.id} AND video_id IS NULL RETURNING id`
  )
  if (renewed.length === 0) throw uploadBusy()
  writer.renewedAt = performance.now()
}

/** Notes how much has arrived; returns whether there is still such an upload. */
async function noteReceived(writer: UploadWriter, received: number): Promise<boolean> {
  const noted = await runQuery(
    sql`UPDATE uploads SET received = greatest(received, ${received}), expires_at = now() + ${sqlInterval(config.upload.expiration)},
        writer_until = CASE WHEN writer = ${writer.id} THEN now() + ${sqlInterval(UPLOADS.writerLease)} ELSE writer_until END
      WHERE id = ${writer.upload.id} AND video_id IS NULL RETURNING id`
  )
  return noted.length > 0
}
