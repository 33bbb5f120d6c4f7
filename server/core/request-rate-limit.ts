import type { Request, RequestHandler } from 'express'
import { MemoryStore, rateLimit, type RateLimitInfo } from 'express-rate-limit'
import { RedisStore } from 'rate-limit-redis'
import { config } from './config.ts'
import { Problem } from './problem.ts'
import { redis } from './redis.ts'

/** The classes of rate limits; each is a key of `rates_limit`. */
export type RateLimitClass = keyof typeof config.rates_limit

const made = new Map<RateLimitClass, RequestHandler>()

/** The limiter of a class, counted per address in Redis, but for files; without Redis requests pass. */
export function rateLimiter(name: RateLimitClass): RequestHandler {
  let handler = made.get(name)
  if (!handler) made.set(name, (handler = make(name)))
  return handler
}

/** Counts a request once, and tells the caller its limit. */
export function limitRate(name: RateLimitClass): RequestHandler {
  return (request, response, next) => {
    if (already.has(request)) {
      response.set(rateLimitHeaders(request))
      return next()
    }
    rateLimiter(name)(request, response, error => {
      response.set(rateLimitHeaders(request))
      next(error)
    })
  }
}

/** The headers that tell a counted caller its limit, as PeerTube names them. */
export function rateLimitHeaders(request: Request): Record<string, string> {
  const info = (request as { rateLimit?: RateLimitInfo }).rateLimit
  if (!info) return {}
  return {
    'X-RateLimit-Limit': String(info.limit),
    'X-RateLimit-Remaining': String(info.remaining),
    'X-RateLimit-Reset': String(Math.ceil((info.resetTime?.getTime() ?? Date.now()) / 1000))
  }
}

const already = new WeakSet<Request>()

/** Notes that a request was counted on its short way. */
export function markRateCounted(request: Request): void {
  already.add(request)
}

function make(name: RateLimitClass): RequestHandler {
  const { window, max } = config.rates_limit[name]
  return rateLimit({
    windowMs: window,
    limit: max,
    // Written by `counted`, as PeerTube names them.
    legacyHeaders: false,
    standardHeaders: false,
    skipFailedRequests: name === 'signup',
    passOnStoreError: true,
    // Made at the first request, since the configuration is read after the modules.
    validate: { creationStack: false },
    // A question to Redis for every piece of a film would take longer than the piece: each process counts by itself.
    store:
      name === 'files'
        ? new MemoryStore()
        : new RedisStore({
            prefix: `${config.redis.prefix}:rate:${name}:`,
            sendCommand: async (command: string, ...args: string[]) => (await redis.call(command, ...args)) as never
          }),
    handler: (_request, response, next, options) => {
      response.setHeader('Retry-After', Math.ceil(options.windowMs / 1000))
      next(new Problem(429, 'too_many_requests', 'Too many requests, please try again later.'))
    }
  })
}
