import { createHash } from 'node:crypto'
import type { OutgoingHttpHeaders } from 'node:http'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { getCachedOrCompute, hasCacheEntry, getCached } from './versioned-cache.ts'
import { rateLimiter, rateLimitHeaders, markRateCounted } from './request-rate-limit.ts'

/** A JSON response as it was sent; `headers` is set once it was sent for the first time. */
class CachedResponse {
  readonly body: Buffer
  readonly etag: string
  headers: OutgoingHttpHeaders | null = null
  constructor(value: unknown) {
    this.body = Buffer.from(JSON.stringify(value))
    this.etag = `"${createHash('sha1').update(this.body).digest('base64url')}"`
  }

  get length(): number {
    return this.body.length
  }
}

/** Answers anonymous requests from memory while the database has not changed (core/versioned-cache); the URL is the cache key. */
export function cacheResponse(compute: (request: Request, response: Response) => Promise<unknown>): RequestHandler {
  return async (request, response, next) => {
    if (isPersonal(request)) return next()
    const cached = await getCachedOrCompute(cacheKeyOf(request), async () => new CachedResponse(await compute(request, response)))
    response.setHeader('ETag', cached.etag)
    response.setHeader('Content-Type', 'application/json; charset=utf-8')
    if (request.fresh) {
      response.status(304).end()
      return
    }
    response.setHeader('Content-Length', cached.length)
    // Cached with the headers of all earlier handlers, except the rate limit, which belongs to each client.
    cached.headers ??= Object.fromEntries(Object.entries(response.getHeaders()).filter(([name]) => !name.startsWith('x-ratelimit')))
    response.end(cached.body)
  }
}

/**
 * Answers cached responses before all other middleware: the same body and headers, counted by the same rate limit, without passing through
 * the routers. Requests without a valid cache entry pass on.
 */
export const serveCachedResponse: RequestHandler = (request, response, next) => {
  if (request.method !== 'GET' || isPersonal(request) || request.headers['if-none-match'] || !hasCacheEntry(cacheKeyOf(request)))
    return next()
  const lookup = getCached<CachedResponse>(cacheKeyOf(request))
  lookup.catch(() => undefined)
  rateLimiter('api')(request, response, error => {
    if (error) return next(error)
    markRateCounted(request)
    void sendCachedResponse(lookup, request, response, next)
  })
}

async function sendCachedResponse(
  lookup: Promise<CachedResponse | null>,
  request: Request,
  response: Response,
  next: NextFunction
): Promise<void> {
  try {
    const cached = await lookup
    if (!cached?.headers) return next()
    response.writeHead(200, { ...cached.headers, ...rateLimitHeaders(request) })
    response.end(cached.body)
  } catch (error) {
    next(error)
  }
}

const cacheKeyOf = (request: Request): string => request.originalUrl
const isPersonal = (request: Request): boolean =>
  request.headers.authorization !== undefined || request.headers['x-peertube-video-password'] !== undefined
