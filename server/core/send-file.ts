import type { FileHandle } from 'node:fs/promises'
import { basename, relative, sep } from 'node:path'
import type { Request, Response } from 'express'
import { config, storageRoot } from './config.ts'
import { withFileHandle } from './file-handle-cache.ts'
import { notFound, Problem } from './problem.ts'

/** A part of a stored file, in bytes; with its handle where it is open already. */
export type FileSlice = { file: string; at: number; length: number; handle?: FileHandle }

/**
 * What is sent: a head from memory, then parts of files, of `size` bytes in all. `etag` is the opaque part of a strong validator (RFC 9110,
 * 8.8.3).
 */
export type ComposedFile = { head: Buffer; parts: FileSlice[]; size: number; etag: string; at: Date }

type Piece = { buffer: Buffer; length: number }

const SMALL = 16 * 1024
const LARGE = 1024 * 1024
/** Large pieces that are on their way at once, by all requests together; further ones are small. */
const MOST_LARGE = 32
/** Whoever takes a piece within so many milliseconds gets large ones: a slow reader would keep the memory. */
const SWIFT = 50

/**
 * Sends one stored file (absolute path) with ranges and validators; its type by its name where none is set; where `http.hand_over` says so
 * the proxy in front sends it. `cache` is the Cache-Control of an answer with the file. Throws 404, 416.
 */
export async function sendStoredFile(request: Request, response: Response, file: string, cache: string): Promise<void> {
  let begun = false
  await withFileHandle(file, async ({ handle, facts }) => {
    begun = true
    // A film that is being encoded grows under its name.
    const { size, mtime, mtimeMs } = liesWithin(request, facts.size) ? facts : await handle.stat()
    if (!facts.isFile()) throw notFound('File')
    if (!response.hasHeader('Content-Type')) response.type(basename(file))
    const place = handedOver(file)
    if (place !== null) return void response.set({ 'X-Accel-Redirect': place, 'Cache-Control': cache }).end()
    await sendComposedFile(request, response, cache, {
      head: Buffer.alloc(0),
      parts: [{ file, at: 0, length: size, handle }],
      size,
      etag: `${size.toString(16)}-${Math.floor(mtimeMs).toString(16)}`,
      at: mtime
    })
  }).catch((error: unknown) => {
    throw begun ? error : notFound('File')
  })
}

/** Whether a request is for one range that ends before `size`. */
function liesWithin({ headers: { range = '' } }: Request, size: number): boolean {
  const [, end] = /^bytes=\d+-(\d+)$/.exec(range) ?? []
  return end !== undefined && Number(end) < size
}

/** Where the proxy in front finds a stored file; null where Bobine sends it itself. */
function handedOver(file: string): string | null {
  const path = config.http.hand_over === '' ? '..' : relative(storageRoot(), file)
  return path.startsWith('..') ? null : config.http.hand_over + path.split(sep).map(encodeURIComponent).join('/')
}

/** Sends what is put together of parts of files, with ranges and validators; the content's type is the caller's to set. Throws 416. */
export async function sendComposedFile(request: Request, response: Response, cache: string, sendable: ComposedFile): Promise<void> {
  response.setHeader('Accept-Ranges', 'bytes')
  response.setHeader('ETag', `"${sendable.etag}"`)
  response.setHeader('Last-Modified', sendable.at.toUTCString())
  if (request.fresh) return void response.status(304).setHeader('Cache-Control', cache).end()
  const [first, last] = rangeOf(request, response, sendable.size)
  response.setHeader('Cache-Control', cache)
  response.setHeader('Content-Length', last - first + 1)
  if (request.method === 'HEAD') return void response.end()
  await write(response, sendable, first, last)
  if (!response.destroyed) response.end()
}

/** The first and last byte that are wanted; sets the status and the headers that say so (RFC 9110, 14). */
function rangeOf(request: Request, response: Response, size: number): [first: number, last: number] {
  const condition = request.headers['if-range']
  const valid = condition === undefined || condition === response.getHeader('ETag') || condition === response.getHeader('Last-Modified')
  const ranges = valid ? request.range(size, { combine: true }) : undefined
  if (ranges === -1)
    throw new Problem(416, 'RangeNotSatisfiableError', `This file has ${size} bytes.`, { headers: { 'Content-Range': `bytes */${size}` } })
  // Several parts at once are a liberty that a server need not take.
  if (ranges === undefined || ranges === -2 || ranges.length !== 1 || ranges.type !== 'bytes') return [0, size - 1]
  const { start, end } = ranges[0]!
  response.status(206).setHeader('Content-Range', `bytes ${start}-${end}/${size}`)
  return [start, end]
}

async function write(response: Response, { head, parts }: ComposedFile, first: number, last: number): Promise<void> {
  if (first < head.length) await taken(response, head.subarray(first, Math.min(head.length, last + 1)))
  let at = head.length
  for (const { file, at: begin, length, handle: opened } of parts) {
    const [from, to] = [Math.max(first, at) - at, Math.min(last + 1, at + length) - at]
    const send = async (handle: FileHandle) => await copy(response, handle, begin + from, begin + to, file)
    if (from < to && !response.destroyed) await (opened ? send(opened) : withFileHandle(file, async ({ handle }) => await send(handle)))
    at += length
    if (at > last) return
  }
}

/** Sends the bytes of a file between two places; to whoever reads swiftly the next piece is read while one is on its way. */
async function copy(response: Response, handle: FileHandle, from: number, to: number, file: string): Promise<void> {
  let next = from
  const read = async (swift: boolean): Promise<Piece | null> => {
    if (next >= to) return null
    const buffer = borrow(to - next, swift)
    try {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, to - next), next)
      if (bytesRead === 0) throw new Error(`${basename(file)} became shorter`)
      next += bytesRead
      return { buffer, length: bytesRead }
    } catch (error) {
      giveBack(buffer)
      throw error
    }
  }
  let swift = true
  for (let coming = read(swift); ;) {
    const piece = await coming
    if (!piece) return
    const ahead = swift ? read(swift) : null
    ahead?.catch(() => {
      /* told when its turn comes */
    })
    const asked = performance.now()
    await taken(response, piece.buffer.subarray(0, piece.length))
    giveBack(piece.buffer)
    swift = performance.now() - asked < SWIFT
    if (response.destroyed) {
      const unsent = await ahead?.catch(() => null)
      if (unsent) giveBack(unsent.buffer)
      return
    }
    coming = ahead ?? read(swift)
  }
}

/** Resolves when a piece has left, or who wanted it. */
async function taken(response: Response, piece: Buffer): Promise<void> {
  await new Promise<void>(resolve => {
    const done = () => {
      response.off('close', done)
      resolve()
    }
    response.once('close', done)
    response.write(piece, done)
  })
}

const free: Buffer[] = []
let made = 0

function borrow(wanted: number, swift: boolean): Buffer {
  if (!swift || wanted <= SMALL) return Buffer.allocUnsafe(Math.min(wanted, SMALL))
  const known = free.pop()
  if (known) return known
  if (made >= MOST_LARGE) return Buffer.allocUnsafe(SMALL)
  made++
  return Buffer.allocUnsafeSlow(LARGE)
}

function giveBack(piece: Buffer): void {
  if (piece.length === LARGE) free.push(piece)
}
