import type { Request, RequestHandler } from 'express'
import { config } from './config.ts'
import { defineInternals } from './internals.ts'
import { Problem } from './problem.ts'

/** How much of a body is still read after an answer that did not wait for it: bytes and ms, whichever is reached first. */
export const UNREAD_BODY = defineInternals('unreadBody', { bytes: 32 * 2 ** 20, time: 10_000, interval: 25 })

/** The Content-Length of a request in bytes; null if the body has no announced end (chunked). */
export function announcedLength(request: Request): number | null {
  const length = request.headers['content-length']
  return length === undefined || request.headers['transfer-encoding'] !== undefined ? null : Number(length)
}

/**
 * Lets a handler answer before the body has arrived: the answer is sent whole with `Connection: close`, then a bounded part of the body is
 * read and dropped before the connection closes. Closing at once would reset it, and clients that are still sending would lose the answer
 * (RFC 9112, 9.6).
 */
export const closeAfterEarlyAnswer: RequestHandler = (request, response, next) => {
  if (!hasBody(request)) return next()
  const end = response.end.bind(response) as (...args: unknown[]) => typeof response
  response.end = ((...args: unknown[]) => {
    response.end = end as typeof response.end
    if (request.complete || request.destroyed || response.headersSent) return end(...args)
    const content = args.find(value => typeof value === 'string' || value instanceof Uint8Array) as string | Uint8Array | undefined
    response.setHeader('Connection', 'close')
    if (content !== undefined) {
      if (!response.hasHeader('Content-Length')) response.setHeader('Content-Length', Buffer.byteLength(content))
      response.write(content)
    } else {
      if (response.statusCode !== 204) response.setHeader('Content-Length', 0)
      response.flushHeaders()
    }
    // Who is told to be too slow is not waited for.
    void dropBody(request, response.statusCode === 408 ? 0 : UNREAD_BODY.time).then(() =>
      end(...args.filter(value => typeof value === 'function'))
    )
    return response
  }) as typeof response.end
  next()
}

/** Whether a request has a body (RFC 9112, 6.3). */
export function hasBody({ headers }: Pick<Request, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

async function dropBody(request: Request, time: number): Promise<void> {
  const { socket } = request
  const maxBytesRead = socket.bytesRead + UNREAD_BODY.bytes
  const until = performance.now() + time
  request.unpipe()
  // Whoever stopped reading may have left the stream paused or with a listener of `readable`, which has precedence over `resume`.
  request.on('readable', () => {
    while (request.read() !== null);
  })
  request.on('error', () => undefined)
  await new Promise<void>(resolve => {
    const timer = setInterval(() => {
      if (!request.complete && !socket.destroyed && socket.bytesRead <= maxBytesRead && performance.now() < until) return
      clearInterval(timer)
      resolve()
    }, UNREAD_BODY.interval)
  })
}

/**
 * Calls `onStall` with a 408 once when a body has sent nothing for `upload.idle_timeout`; what waits unread is not the client's delay. Returns
 * the function that ends the watch.
 */
export function watchForStall(request: Request, onStall: (problem: Problem) => void): () => void {
  const { socket } = request
  const timeout = config.upload.idle_timeout
  let bytesRead = socket.bytesRead
  let since = performance.now()
  const timer = setInterval(
    () => {
      if (socket.bytesRead !== bytesRead || request.readableLength > 0 || request.complete) {
        bytesRead = socket.bytesRead
        since = performance.now()
      } else if (performance.now() - since >= timeout) {
        clearInterval(timer)
        onStall(new Problem(408, 'upload_stalled', 'The upload was ended, as nothing of it arrived for too long.'))
      }
    },
    Math.max(10, Math.min(1000, timeout / 4))
  )
  return () => clearInterval(timer)
}
