import type { Request, RequestHandler } from 'express'
import { MemoryStore, rateLimit, type RateLimitInfo } from 'express-rate-limit'
import { tooManyRequests } from './attempt-limit.ts'
import { clientNetwork } from './client-network.ts'
import { config } from './config.ts'
import { recordRefusal } from './rate-limit-refusals.ts'
import { RedisOrMemoryStore } from './rate-limit-store.ts'

/** A class of rate limits: a key of `rates_limit`. */
export type RateLimitClass = keyof typeof config.rates_limit

let isExempt: (request: Request) => Promise<boolean> = async () => false

/** Sets the function that says who may call the API beyond the limit (set by core/route); it is asked only then. */
export function setRateLimitExemption(exemption: (request: Request) => Promise<boolean>): void {
  isExempt = exemption
}

const limiters = new Map<RateLimitClass, RequestHandler>()

/** Returns the limiter of a class, which counts by `clientNetwork` in Redis (`files`: in memory). */
export function rateLimiter(name: RateLimitClass): RequestHandler {
  let handler = limiters.get(name)
  if (!handler) limiters.set(name, (handler = createLimiter(name)))
  return handler
}

/** Returns a handler that counts a request once and sets the rate limit headers. */
export function limitRate(name: RateLimitClass): RequestHandler {
  return (request, response, next) => {
    if (countedRequests.has(request)) {
      response.set(rateLimitHeaders(request))
      return next()
    }
    rateLimiter(name)(request, response, error => {
      response.set(rateLimitHeaders(request))
      next(error)
    })
  }
}

/** Returns the rate limit headers of a counted request, as PeerTube names them. */
export function rateLimitHeaders(request: Request): Record<string, string> {
  const info = (request as { rateLimit?: RateLimitInfo }).rateLimit
  if (!info) return {}
  return {
    'X-RateLimit-Limit': String(info.limit),
    'X-RateLimit-Remaining': String(info.remaining),
    'X-RateLimit-Reset': String(Math.ceil((info.resetTime?.getTime() ?? Date.now()) / 1000))
  }
}

const countedRequests = new WeakSet<Request>()

/** Marks a request as counted, so that `limitRate` does not count it again. */
export function markRateCounted(request: Request): void {
  countedRequests.add(request)
}

function createLimiter(name: RateLimitClass): RequestHandler {
  const { window, max } = config.rates_limit[name]
  return rateLimit({
    windowMs: window,
    limit: max,
    // Set by `rateLimitHeaders`.
    legacyHeaders: false,
    standardHeaders: false,
    keyGenerator: request => clientNetwork(request.ip),
    // Created at the first request, as the configuration is loaded after the modules; the library looks for its own function in the key's.
    validate: { creationStack: false, keyGeneratorIpFallback: false },
    // A Redis command for every segment of a video would take longer than the segment: each process counts by itself.
    store: name === 'files' ? new MemoryStore() : new RedisOrMemoryStore(name),
    handler: async (request, _response, next, options) => {
      if (name === 'api' && (await isExempt(request).catch(() => false))) return next()
      recordRefusal({ limiter: name, ip: request.ip, request: `${request.method} ${request.originalUrl.replace(/\?.*$/, '')}` })
      next(tooManyRequests((request as { rateLimit?: RateLimitInfo }).rateLimit?.resetTime, options.windowMs))
    }
  })
}
