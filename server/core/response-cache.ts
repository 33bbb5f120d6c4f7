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

/** What the handler of a cached route may know of a request besides its declared parameters: what makes a request personal, and the address. */
export type CacheableRequest = { ip?: string | undefined; get(header: 'x-peertube-video-password'): string | undefined }

/**
 * Answers anonymous requests from memory while the database has not changed (core/versioned-cache). `read` returns the validated parameters,
 * or throws; they and the route are the cache key, so that addresses that mean the same share an answer, whatever else stands in them.
 */
export function cacheResponse<T extends { params: unknown; query: unknown }>(
  route: string,
  read: (request: Request, response: Response) => T,
  compute: (input: T) => Promise<unknown>
): RequestHandler {
  return async (request, response, next) => {
    if (isPersonal(request)) return next()
    const input = read(request, response)
    const key = JSON.stringify([route, input.params, input.query])
    rememberKey(request.originalUrl, key)
    const cached = await getCachedOrCompute(key, async () => new CachedResponse(await compute(input)))
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
  if (request.method !== 'GET' || isPersonal(request) || request.headers['if-none-match']) return next()
  const key = knownKey(request.originalUrl)
  if (key === undefined || !hasCacheEntry(key)) return next()
  const lookup = getCached<CachedResponse>(key)
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

/** The number of addresses whose keys are known, and the length of the longest; the others are routed and then find the same answer. */
const MAX_ADDRESSES = 4000
const MAX_ADDRESS_LENGTH = 500
/** The cache keys of addresses, the longest unused first: parsing an address takes longer than sending the answer. */
const keysByAddress = new Map<string, string>()

/** Returns of how many addresses the keys are known. */
export function countKnownAddresses(): number {
  return keysByAddress.size
}

function rememberKey(address: string, key: string): void {
  if (address.length > MAX_ADDRESS_LENGTH) return
  keysByAddress.delete(address)
  keysByAddress.set(address, key)
  if (keysByAddress.size > MAX_ADDRESSES) keysByAddress.delete(keysByAddress.keys().next().value!)
}

function knownKey(address: string): string | undefined {
  const key = keysByAddress.get(address)
  if (key !== undefined) rememberKey(address, key)
  return key
}

const isPersonal = (request: Request): boolean =>
  request.headers.authorization !== undefined || request.headers['x-peertube-video-password'] !== undefined
