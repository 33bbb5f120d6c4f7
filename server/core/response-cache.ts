import { createHash } from 'node:crypto'
import type { OutgoingHttpHeaders } from 'node:http'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { getCachedOrCompute, hasCacheEntry, getCached } from './versioned-cache.ts'
import { rateLimiter, rateLimitHeaders, markRateCounted } from './request-rate-limit.ts'

/** A JSON answer as it was sent, with its headers. */
class Answer {
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

/** Answers anonymous requests from memory when nothing has changed (core/versioned-cache); the URL is the whole key. */
export function cacheResponse(make: (request: Request, response: Response) => Promise<unknown>): RequestHandler {
  return async (request, response, next) => {
    if (isPersonal(request)) return next()
    const answer = await getCachedOrCompute(keyOf(request), async () => new Answer(await make(request, response)))
    response.setHeader('ETag', answer.etag)
    response.setHeader('Content-Type', 'application/json; charset=utf-8')
    if (request.fresh) {
      response.status(304).end()
      return
    }
    response.setHeader('Content-Length', answer.length)
    // Kept with what every handler on the way has set, but for the rate limit, which is each reader's own.
    answer.headers ??= Object.fromEntries(Object.entries(response.getHeaders()).filter(([name]) => !name.startsWith('x-ratelimit')))
    response.end(answer.body)
  }
}

/**
 * The short way for what is remembered, mounted before everything else: the same answer with the same headers, counted by the
 * same limit, without the way through all routers. Whatever is not remembered, or not true any more, takes the long way.
 */
export const serveCachedResponse: RequestHandler = (request, response, next) => {
  if (request.method !== 'GET' || isPersonal(request) || request.headers['if-none-match'] || !hasCacheEntry(keyOf(request))) return next()
  const found = getCached<Answer>(keyOf(request))
  found.catch(() => undefined)
  rateLimiter('api')(request, response, error => {
    if (error) return next(error)
    markRateCounted(request)
    void answerWith(found, request, response, next)
  })
}

async function answerWith(found: Promise<Answer | null>, request: Request, response: Response, next: NextFunction): Promise<void> {
  try {
    const answer = await found
    if (!answer?.headers) return next()
    response.writeHead(200, { ...answer.headers, ...rateLimitHeaders(request) })
    response.end(answer.body)
  } catch (error) {
    next(error)
  }
}

const keyOf = (request: Request): string => request.originalUrl
const isPersonal = (request: Request): boolean =>
  request.headers.authorization !== undefined || request.headers['x-peertube-video-password'] !== undefined
