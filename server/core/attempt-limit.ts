import type { Options } from 'express-rate-limit'
import { clientNetwork } from './client-network.ts'
import { config } from './config.ts'
import { Problem } from './problem.ts'
import { recordRefusal } from './rate-limit-refusals.ts'
import { RedisOrMemoryStore } from './rate-limit-store.ts'

/** Whose attempts are counted: at what (`subject`: a user, a video), and from which IP address. */
export type Attempt = { subject: string; ip: string | undefined }

/** A limit of attempts by subject and address, counted as requests are (`rates_limit`); each function throws 429 beyond it. */
export type AttemptLimit = {
  /** Counts an attempt. */
  count(attempt: Attempt): Promise<void>
  /** Throws where another attempt would be one too many; counts nothing. */
  assertAllowed(attempt: Attempt): Promise<void>
  /** Forgets the attempts. */
  reset(attempt: Attempt): Promise<void>
}

/** Returns the limit of attempts with the window and maximum of a class of rate limits. */
export function attemptLimit(name: keyof typeof config.rates_limit): AttemptLimit {
  let opened: RedisOrMemoryStore | undefined
  const store = (): RedisOrMemoryStore => {
    if (!opened) {
      opened = new RedisOrMemoryStore(name)
      opened.init({ windowMs: config.rates_limit[name].window } as Options)
    }
    return opened
  }
  const keyOf = ({ subject, ip }: Attempt): string => `${subject}:${clientNetwork(ip)}`
  const assertBelow = (hits: number, resetTime: Date | undefined, max: number, ip: string | undefined): void => {
    if (hits <= max) return
    recordRefusal({ limiter: name, ip })
    throw tooManyRequests(resetTime, config.rates_limit[name].window)
  }
  return {
    count: async attempt => {
      const { totalHits, resetTime } = await store().increment(keyOf(attempt))
      assertBelow(totalHits, resetTime, config.rates_limit[name].max, attempt.ip)
    },
    assertAllowed: async attempt => {
      const counted = await store().get(keyOf(attempt))
      assertBelow((counted?.totalHits ?? 0) + 1, counted?.resetTime, config.rates_limit[name].max, attempt.ip)
    },
    reset: async attempt => await store().resetKey(keyOf(attempt))
  }
}

/** Returns the 429 of a limit whose window (ms) ends at `resetTime`, with Retry-After. */
export function tooManyRequests(resetTime: Date | undefined, window: number): Problem {
  const seconds = Math.ceil((resetTime ? resetTime.getTime() - Date.now() : window) / 1000)
  return new Problem(429, 'too_many_requests', 'Too many requests, please try again later.', {
    headers: { 'Retry-After': String(Math.max(1, seconds)) }
  })
}
