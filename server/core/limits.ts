import type { RequestHandler } from 'express'
import { rateLimit } from 'express-rate-limit'
import { RedisStore } from 'rate-limit-redis'
import { config } from './config.ts'
import { Problem } from './problem.ts'
import { redis } from './redis.ts'

/** The classes of rate limits; each is a key of `rates_limit`. */
export type RateClass = keyof typeof config.rates_limit

const made = new Map<RateClass, RequestHandler>()

/** The limiter of a class, counted in Redis per address; without Redis requests pass. */
export function limiter(name: RateClass): RequestHandler {
  let handler = made.get(name)
  if (!handler) made.set(name, handler = make(name))
  return handler
}

function make(name: RateClass): RequestHandler {
  const { window, max } = config.rates_limit[name]
  return rateLimit({
    windowMs: window,
    limit: max,
    legacyHeaders: true,
    standardHeaders: false,
    skipFailedRequests: name === 'signup',
    passOnStoreError: true,
    // Made at the first request, since the configuration is read after the modules.
    validate: { creationStack: false },
    store: new RedisStore({
      prefix: `${config.redis.prefix}:rate:${name}:`,
      sendCommand: async (command: string, ...args: string[]) => await redis.call(command, ...args) as never
    }),
    handler: (_request, response, next, options) => {
      response.setHeader('Retry-After', Math.ceil(options.windowMs / 1000))
      next(new Problem(429, 'too_many_requests', 'Too many requests, please try again later.'))
    }
  })
}
