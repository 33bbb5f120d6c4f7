import { randomUUID } from 'node:crypto'
import { createWriteStream, mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Request } from 'express'
import type { StorageEngine } from 'multer'
import { storageFolder } from './config.ts'
import { assertDiskSpace } from './disk-space.ts'

/** Bytes of a file after which the room on the disk is measured again. */
const DISK_CHECK_BYTES = 2 ** 20

/** Is told how many bytes of a field's file arrive, before they are written; what it throws ends the request. */
export type ReceiveBytes = (field: string, size: number, added: number) => Promise<void> | void

/** Writes the files of a multipart request to `storage.tmp`, as long as `receive` accepts and the disk has room, and knows what it wrote. */
export class FileReceiver implements StorageEngine {
  readonly #receive: ReceiveBytes
  readonly #onError: (error: unknown) => void
  readonly #paths: string[] = []
  #discarded = false

  /** `onError` is called at once with what `receive` or the disk refused. */
  constructor(receive: ReceiveBytes, onError: (error: unknown) => void) {
    this.#receive = receive
    this.#onError = onError
  }

  _handleFile(_request: Request, file: Express.Multer.File, done: (error?: unknown, info?: Partial<Express.Multer.File>) => void): void {
    const extension = /^\.[a-z0-9]{1,8}$/i.exec(extname(file.originalname))?.[0] ?? ''
    const path = join(storageFolder('tmp'), `${randomUUID()}${extension}`)
    void this.#write(file.fieldname, file.stream, path, done)
  }

  /** Nothing is left to do: `discard` removes what multer gives up. */
  _removeFile(_request: Request, _file: Express.Multer.File, done: (error: Error | null) => void): void {
    done(null)
  }

  /** Removes all files that were not moved elsewhere, also those that are still being written. */
  async discard(): Promise<void> {
    this.#discarded = true
    await Promise.all(this.#paths.map(async path => await rm(path, { force: true })))
  }

  async #write(field: string, stream: Readable, path: string, done: (error?: unknown, info?: object) => void): Promise<void> {
    let size = 0
    let checkedSize = -Infinity
    const admit = async (chunk: Buffer): Promise<void> => {
      size += chunk.length
      await this.#receive(field, size, chunk.length)
      if (size - checkedSize < DISK_CHECK_BYTES) return
      await assertDiskSpace('tmp', chunk.length)
      checkedSize = size
    }
    // The reason is told before the streams end: they give multer a reason of their own.
    const onError = this.#onError
    let failure: unknown
    try {
      mkdirSync(storageFolder('tmp'), { recursive: true })
      this.#paths.push(path)
      await pipeline(
        stream,
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            await admit(chunk).catch((error: unknown) => {
              onError(error)
              throw error
            })
            yield chunk
          }
        },
        createWriteStream(path, { flags: 'wx' }).on('error', onError)
      )
    } catch (error) {
      failure = error ?? new Error('The file was not received')
    }
    // The stream opens its file late: the name may have been removed before it was there.
    if (this.#discarded) await rm(path, { force: true })
    if (failure === undefined) return done(null, { path, size })
    onError(failure)
    done(failure)
  }
}
