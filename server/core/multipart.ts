import { rm } from 'node:fs/promises'
import { mkdirSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { extname } from 'node:path'
import type { RequestHandler } from 'express'
import type { MulterError, Options } from 'multer'
import type { FileKind } from '../../shared/contract.ts'
import { config, storageFolder } from './config.ts'
import { invalidParams, Problem } from './problem.ts'

/** A file of a multipart request, streamed to disk; removed after the response unless a handler moved it. */
export type MultipartFile = { path: string; name: string; size: number; mimeType: string }

type FileKinds = Readonly<Record<string, FileKind>>

/** Streams the named files of a multipart request to `storage.tmp`; requests with another body pass unchanged. */
export function receiveMultipartFiles(kinds: FileKinds): RequestHandler {
  const fields = Object.keys(kinds).map(name => ({ name, maxCount: 1 }))
  return async (request, response, next) => {
    if (!request.is('multipart/form-data')) return next()
    // multer is imported at the first form, not at start.
    const { default: multer } = await import('multer')
    const largest = Math.max(...Object.values(kinds).map(maxSize))
    const receive = multer({
      storage: multer.diskStorage({
        destination: (_request, _file, done) => {
          const folder = storageFolder('tmp')
          mkdirSync(folder, { recursive: true })
          done(null, folder)
        },
        filename: (_request, file, done) => done(null, `${randomUUID()}${/^\.[a-z0-9]{1,8}$/i.exec(extname(file.originalname))?.[0] ?? ''}`)
      }),
      limits: {
        fileSize: largest === Infinity ? undefined : largest,
        files: config.http.max_files,
        fields: config.http.max_fields,
        fieldSize: config.http.max_body,
        fieldNestingDepth: config.http.max_nesting
      } as Options['limits']
    }).fields(fields)
    receive(request, response, (error: unknown) => {
      const received: Record<string, MultipartFile> = {}
      for (const [name, files] of Object.entries((request.files ?? {}) as Record<string, Express.Multer.File[]>)) {
        const file = files[0]!
        received[name] = {
          path: file.path,
          name: Buffer.from(file.originalname, 'latin1').toString('utf8'),
          size: file.size,
          mimeType: file.mimetype
        }
      }
      response.on('close', () => {
        for (const file of Object.values(received)) void rm(file.path, { force: true })
      })
      if (error) return next(multipartProblem(error, kinds))
      request.files = received as never
      const tooLarge = Object.entries(received).filter(([name, file]) => file.size > maxSize(kinds[name]!))
      next(
        tooLarge.length > 0
          ? tooLargeProblem(
              tooLarge.map(([name]) => name),
              kinds
            )
          : undefined
      )
    })
  }
}

function maxSize(kind: FileKind): number {
  const { max_size, image_max_size, avatar_max_size } = config.upload
  const size = kind === 'video' ? max_size : kind === 'avatar' ? avatar_max_size : image_max_size
  return size < 0 ? Infinity : size
}

function tooLargeProblem(names: string[], kinds: FileKinds): Problem {
  if (names.some(name => kinds[name] === 'video'))
    return new Problem(413, 'max_file_size_reached', 'The file is larger than this instance accepts.')
  return invalidParams(names.map(path => ({ type: 'field', msg: 'This file is too large.', path, location: 'body' })))
}

function multipartProblem(error: unknown, kinds: FileKinds): unknown {
  if (!(error instanceof Error)) return error
  if (isMulterError(error) && error.code === 'LIMIT_FILE_SIZE') return tooLargeProblem([error.field ?? 'file'], kinds)
  // Errors of the disk have a code as well; those of the parser (busboy) have none.
  if (!isMulterError(error) && 'code' in error) return error
  return new Problem(400, 'invalid_request', `The multipart request is not valid: ${error.message}`)
}

function isMulterError(error: unknown): error is MulterError {
  return error instanceof Error && error.name === 'MulterError'
}
