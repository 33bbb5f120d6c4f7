import type { IncomingHttpHeaders } from 'node:http'
import type { Request } from 'express'
import { config, instanceHost, instanceOrigin } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import { redis } from '../core/redis.ts'
import { hostOf } from './origin.ts'

/** How long (ms) a rewritten host name is remembered after the last request with one. */
const KEPT = 3_600_000
/** How often (ms) at most a good request of this process tells that it is no longer rewritten. */
const CLEAR_INTERVAL = 10_000
const redisKey = () => `${config.redis.prefix}:rewritten-host`
let clearedAt = 0

/** Whether a `Host` header names this instance. */
export function isOwnHost(host: unknown): boolean {
  if (typeof host !== 'string') return false
  return host === instanceHost() || hostOf(`${config.webserver.https ? 'https' : 'http'}://${host}`) === hostOf(instanceOrigin())
}

/**
 * Returns the headers of a request with the `Host` that its sender signed: a proxy of `trust_proxy` that rewrites it names the former one
 * in `X-Forwarded-Host`, which counts only where it is ours.
 */
export function headersAsSent(request: Request): IncomingHttpHeaders {
  const { headers, host } = request
  return !isOwnHost(headers.host) && isOwnHost(host) ? { ...headers, host } : headers
}

/** The headers with our own `Host`, as they would have come without a proxy that rewrites it. */
export function withOwnHost(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return { ...headers, host: instanceHost() }
}

/** Remembers for the health page that a request signed for our host came with another. */
export function recordRewrittenHost(host: string): void {
  clearedAt = 0
  logger.warn('The proxy in front rewrites the host name, so that signatures of other servers fail', { host })
  inRedis(async () => await redis.set(redisKey(), host.slice(0, 255), 'PX', KEPT))
}

/** Remembers that a request came with the host name that was signed. */
export function recordOwnHost(): void {
  if (clearedAt > Date.now() - CLEAR_INTERVAL) return
  clearedAt = Date.now()
  inRedis(async () => await redis.del(redisKey()))
}

/** Returns the host name that the proxy in front puts in the place of ours; null as long as signatures do not fail for that. */
export async function findRewrittenHost(): Promise<string | null> {
  return await redis.get(redisKey())
}

function inRedis(write: () => Promise<unknown>): void {
  void write().catch((error: Error) => logger.debug('Whether a proxy rewrites the host name could not be noted', { reason: error.message }))
}
