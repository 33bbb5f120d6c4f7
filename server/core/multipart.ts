import type { Request, RequestHandler } from 'express'
import type { Options } from 'multer'
import type { FileKind } from '../../shared/contract.ts'
import { config } from './config.ts'
import { assertDiskSpace } from './disk-space.ts'
import { FileReceiver } from './file-receiver.ts'
import { logger } from './logger.ts'
import { invalidParams, Problem } from './problem.ts'
import { decodeFileName, refuseUnstorableNames, removeReceivedFiles } from './received-files.ts'
import { announcedLength, watchForStall } from './request-body.ts'

/** A file of a multipart request, streamed to disk; removed after the response unless a handler moved it. */
export type MultipartFile = { path: string; name: string; size: number; mimeType: string }

type FileKinds = Readonly<Record<string, FileKind>>

/** What a route decides about the files of a request while they arrive. */
export type FilesAdmission = {
  /** Is told of bytes of its video before they are written. Throws the Problem that ends the request. */
  receive(bytes: number): Promise<void>
  /** Is called when the response has ended in any way and the files that nobody moved are gone. */
  release(): Promise<void>
}
/** Decides about a request with files before the first byte of its body is read; `announced`: its Content-Length, null if it has none. */
export type AdmitFiles = (request: Request, announced: number | null) => Promise<FilesAdmission>

/**
 * Streams the named files of a multipart request to `storage.tmp`; requests with another body pass unchanged. A file that is larger than its
 * kind may be, or that the disk or `admit` has no room for, ends the request while it arrives (413, 507), silence does so with 408.
 */
export function receiveMultipartFiles(kinds: FileKinds, admit?: AdmitFiles): RequestHandler {
  const fields = Object.keys(kinds).map(name => ({ name, maxCount: 1 }))
  return async (request, response, next) => {
    if (!request.is('multipart/form-data')) return next()
    // multer is imported at the first form, not at start.
    const { default: multer } = await import('multer')
    const announced = announcedLength(request)
    const admission = await admit?.(request, announced)
    let fail!: (error: unknown) => void
    const failure = new Promise<never>((_resolve, reject) => (fail = reject))
    failure.catch(() => undefined)
    const receiver = new FileReceiver(async (field, size, added) => {
      if (size > maxSize(kinds[field]!)) throw tooLargeProblem(field, kinds)
      if (kinds[field] === 'video') await admission?.receive(added)
    }, fail)
    let received: Record<string, MultipartFile> = {}
    const release = async (): Promise<void> => {
      try {
        await receiver.discard()
        await removeReceivedFiles(Object.values(received))
      } finally {
        await admission?.release()
      }
    }
    const releaseOrLog = () => void release().catch(error => logger.warn('Files of a form are left to the sweep', { error }))
    if (response.closed) return releaseOrLog()
    response.on('close', releaseOrLog)
    const stopWatch = watchForStall(request, fail)
    try {
      // Without a known end at least the room of now is asked for.
      await assertDiskSpace('tmp', announced ?? 0)
      const receive = multer({
        storage: receiver,
        fileFilter: refuseUnstorableNames,
        limits: {
          files: config.http.max_files,
          fields: config.http.max_fields,
          fieldSize: config.http.max_body,
          fieldNestingDepth: config.http.max_nesting
        } as Options['limits']
      }).fields(fields)
      const ended = new Promise<void>((resolve, reject) => {
        receive(request, response, (error: unknown) => (error ? reject(error) : resolve()))
      })
      // multer itself would wait for the end of the body before it tells what is wrong with its beginning.
      await Promise.race([ended, failure])
    } catch (error) {
      request.unpipe()
      await receiver.discard()
      throw multipartProblem(error)
    } finally {
      stopWatch()
    }
    received = namedFiles(request)
    request.files = received as never
    next()
  }
}

function namedFiles(request: Request): Record<string, MultipartFile> {
  const received: Record<string, MultipartFile> = {}
  for (const [name, files] of Object.entries((request.files ?? {}) as Record<string, Express.Multer.File[]>)) {
    const { path, originalname, size, mimetype } = files[0]!
    received[name] = { path, name: decodeFileName(originalname), size, mimeType: mimetype }
  }
  return received
}

function maxSize(kind: FileKind): number {
  const { max_size, image_max_size, avatar_max_size } = config.upload
  const size = kind === 'video' ? max_size : kind === 'avatar' ? avatar_max_size : image_max_size
  return size < 0 ? Infinity : size
}

function tooLargeProblem(field: string, kinds: FileKinds): Problem {
  if (kinds[field] === 'video') return new Problem(413, 'max_file_size_reached', 'The file is larger than this instance accepts.')
  return invalidParams([{ type: 'field', msg: 'This file is too large.', path: field, location: 'body' }])
}

function multipartProblem(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Problem) return error
  // Only errors of the disk name a system call; all others are the fault of the request, or of a client that left.
  if ('syscall' in error && error.syscall !== 'read') return error
  return new Problem(400, 'invalid_request', `The multipart request is not valid: ${error.message}`)
}
