import type { FileHandle } from 'node:fs/promises'
import { basename, relative, sep } from 'node:path'
import type { Request, Response } from 'express'
import { config, storageRoot } from './config.ts'
import { withFileHandle } from './file-handle-cache.ts'
import { notFound, Problem } from './problem.ts'

/** A byte range of a stored file, from offset `at`; with its handle if it is already open. */
export type FileSlice = { file: string; at: number; length: number; handle?: FileHandle }

/**
 * A response body composed of `head` and then byte ranges of files, `size` bytes in total. `etag` is the opaque part of a strong validator
 * (RFC 9110 §8.8.3), `at` the modification time. `prefixEtag`: where bytes are only ever appended, the validator of a part, which stays
 * the same while the file grows.
 */
export type ComposedFile = { head: Buffer; parts: FileSlice[]; size: number; etag: string; at: Date; prefixEtag?: string }

type Chunk = { buffer: Buffer; length: number }

/** Sizes of read buffers, in bytes. */
const SMALL = 16 * 1024
const LARGE = 1024 * 1024
/** The largest number of large buffers in use by all requests together; further reads use small ones. */
const MAX_LARGE = 32
/** After so many ms without a change a file has stopped growing. */
const GROWTH_PAUSE = 60_000
/** A client that accepts a chunk within so many ms gets large chunks: a slow one would occupy the memory. */
const FAST = 50

/**
 * Sends one stored file (absolute path) with ranges and validators. The content type follows from the name unless it is set. With
 * `http.hand_over` the reverse proxy sends the file (X-Accel-Redirect). `cache` is the Cache-Control header of a successful response.
 * `appendOnly`: the file has this name for ever and bytes are only appended to it, as to a rendition that is being encoded.
 * Throws 404, 416.
 */
export async function sendStoredFile(
  request: Request,
  response: Response,
  file: string,
  cache: string,
  { appendOnly = false } = {}
): Promise<void> {
  let opened = false
  await withFileHandle(file, async ({ handle, stats }) => {
    opened = true
    // The file of a video that is being encoded grows.
    const { size, mtime, mtimeMs } = isRangeWithin(request, stats.size) ? stats : await handle.stat()
    if (!stats.isFile()) throw notFound('File')
    if (!response.hasHeader('Content-Type')) response.type(basename(file))
    const prefixEtag = appendOnly ? basename(file) : undefined
    // The validator that a proxy would make of size and time changes while the file grows.
    const needsPrefixEtag = appendOnly && (Date.now() - mtimeMs < GROWTH_PAUSE || request.headers['if-range'] === `"${prefixEtag}"`)
    const redirectPath = needsPrefixEtag ? null : proxyPath(file)
    if (redirectPath !== null) return void response.set({ 'X-Accel-Redirect': redirectPath, 'Cache-Control': cache }).end()
    await sendComposedFile(request, response, cache, {
      head: Buffer.alloc(0),
      parts: [{ file, at: 0, length: size, handle }],
      size,
      etag: `${size.toString(16)}-${Math.floor(mtimeMs).toString(16)}`,
      at: mtime,
      prefixEtag
    })
  }).catch((error: unknown) => {
    throw opened ? error : notFound('File')
  })
}

/** Whether a request is for one range that ends before `size`. */
function isRangeWithin({ headers: { range = '' } }: Request, size: number): boolean {
  const [, end] = /^bytes=\d+-(\d+)$/.exec(range) ?? []
  return end !== undefined && Number(end) < size
}

/** Returns the internal URL from which the reverse proxy serves the file; null if this process sends it. */
function proxyPath(file: string): string | null {
  const path = config.http.hand_over === '' ? '..' : relative(storageRoot(), file)
  return path.startsWith('..') ? null : config.http.hand_over + path.split(sep).map(encodeURIComponent).join('/')
}

/** Sends a body composed of byte ranges of files, with ranges and validators; the caller sets the content type. Throws 416. */
export async function sendComposedFile(request: Request, response: Response, cache: string, sendable: ComposedFile): Promise<void> {
  response.setHeader('Accept-Ranges', 'bytes')
  response.setHeader('ETag', `"${sendable.etag}"`)
  response.setHeader('Last-Modified', sendable.at.toUTCString())
  if (request.fresh) return void response.status(304).setHeader('Cache-Control', cache).end()
  const [first, last] = rangeOf(request, response, sendable)
  response.setHeader('Cache-Control', cache)
  response.setHeader('Content-Length', last - first + 1)
  if (request.method === 'HEAD') return void response.end()
  await writeRange(response, sendable, first, last)
  if (!response.destroyed) response.end()
}

/**
 * Returns the first and last requested byte; sets the status, Content-Range (RFC 9110 §14) and the validator of a part. A browser that has
 * another part in its cache asks with its validator in If-Range, and would get the whole file if that had changed. Throws 416.
 */
function rangeOf(request: Request, response: Response, { size, prefixEtag }: ComposedFile): [first: number, last: number] {
  const ifRange = request.headers['if-range']
  const valid =
    ifRange === undefined ||
    ifRange === response.getHeader('ETag') ||
    ifRange === response.getHeader('Last-Modified') ||
    (prefixEtag !== undefined && ifRange === `"${prefixEtag}"`)
  const ranges = valid ? request.range(size, { combine: true }) : undefined
  if (ranges === -1)
    throw new Problem(416, 'RangeNotSatisfiableError', `This file has ${size} bytes.`, { headers: { 'Content-Range': `bytes */${size}` } })
  // A server may ignore a request for several ranges.
  if (ranges === undefined || ranges === -2 || ranges.length !== 1 || ranges.type !== 'bytes') return [0, size - 1]
  const { start, end } = ranges[0]!
  response.status(206).setHeader('Content-Range', `bytes ${start}-${end}/${size}`)
  if (prefixEtag !== undefined) response.setHeader('ETag', `"${prefixEtag}"`)
  return [start, end]
}

async function writeRange(response: Response, { head, parts }: ComposedFile, first: number, last: number): Promise<void> {
  if (first < head.length) await writeChunk(response, head.subarray(first, Math.min(head.length, last + 1)))
  let at = head.length
  for (const { file, at: begin, length, handle: opened } of parts) {
    const [from, to] = [Math.max(first, at) - at, Math.min(last + 1, at + length) - at]
    const send = async (handle: FileHandle) => await copyFileRange(response, handle, begin + from, begin + to, file)
    if (from < to && !response.destroyed) await (opened ? send(opened) : withFileHandle(file, async ({ handle }) => await send(handle)))
    at += length
    if (at > last) return
  }
}

/** Sends the bytes `from` (inclusive) to `to` (exclusive); for a fast client the next chunk is read while one is being sent. */
async function copyFileRange(response: Response, handle: FileHandle, from: number, to: number, file: string): Promise<void> {
  let next = from
  const read = async (fast: boolean): Promise<Chunk | null> => {
    if (next >= to) return null
    const buffer = takeBuffer(to - next, fast)
    try {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, to - next), next)
      if (bytesRead === 0) throw new Error(`${basename(file)} became shorter`)
      next += bytesRead
      return { buffer, length: bytesRead }
    } catch (error) {
      releaseBuffer(buffer)
      throw error
    }
  }
  let fast = true
  for (let pending = read(fast); ;) {
    const chunk = await pending
    if (!chunk) return
    const ahead = fast ? read(fast) : null
    ahead?.catch(() => {
      /* handled when it is awaited */
    })
    const startedAt = performance.now()
    await writeChunk(response, chunk.buffer.subarray(0, chunk.length))
    releaseBuffer(chunk.buffer)
    fast = performance.now() - startedAt < FAST
    if (response.destroyed) {
      const unsent = await ahead?.catch(() => null)
      if (unsent) releaseBuffer(unsent.buffer)
      return
    }
    pending = ahead ?? read(fast)
  }
}

/** Resolves when the chunk was written or the client has disconnected. */
async function writeChunk(response: Response, chunk: Buffer): Promise<void> {
  await new Promise<void>(resolve => {
    const done = () => {
      response.off('close', done)
      resolve()
    }
    response.once('close', done)
    response.write(chunk, done)
  })
}

const freeBuffers: Buffer[] = []
let largeBufferCount = 0

function takeBuffer(length: number, fast: boolean): Buffer {
  if (!fast || length <= SMALL) return Buffer.allocUnsafe(Math.min(length, SMALL))
  const reused = freeBuffers.pop()
  if (reused) return reused
  if (largeBufferCount >= MAX_LARGE) return Buffer.allocUnsafe(SMALL)
  largeBufferCount++
  return Buffer.allocUnsafeSlow(LARGE)
}

function releaseBuffer(buffer: Buffer): void {
  if (buffer.length === LARGE) freeBuffers.push(buffer)
}
