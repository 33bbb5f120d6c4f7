import { setTimeout as sleep } from 'node:timers/promises'
import { Redis, type RedisOptions } from 'ioredis'
import { config } from './config.ts'
import { Problem } from './problem.ts'
import { logger } from './logger.ts'

/** The Redis connection for counters and queue commands; set by `connectRedis`. Redis is disposable (ARCHITECTURE.md, rule 1). */
export let redis: Redis
const connections: Redis[] = []

/** Opens the shared connection and waits until it can be used, or for `redis.command_timeout` at most: the site starts without Redis, too. */
export async function connectRedis(): Promise<void> {
  redis = createRedisConnection({ ...nonBlockingOptions(), enableAutoPipelining: true })
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, config.redis.command_timeout)
    for (const event of ['ready', 'error'] as const)
      redis.once(event, () => {
        clearTimeout(timer)
        resolve()
      })
  })
}

/**
 * Options of a connection whose commands are all answered at once. A command fails after `redis.command_timeout`, and the connection is
 * opened anew then; while it is not ready, commands fail immediately. So a Redis that is stopped, or that accepts connections and does not
 * answer, delays one command of a process and no further one.
 */
export function nonBlockingOptions(): RedisOptions {
  const timeout = config.redis.command_timeout
  return {
    maxRetriesPerRequest: 1,
    commandTimeout: timeout,
    // Sooner than a command fails, or what follows it would be sent to the same connection.
    socketTimeout: timeout * 0.9,
    enableOfflineQueue: false,
    // A counter whose answer was lost would be counted twice.
    autoResendUnfulfilledCommands: false
  }
}

/** Whether commands can be sent; if not, they fail. */
export function isRedisReady(): boolean {
  return redis.status === 'ready'
}

/** Opens a separate connection, as BullMQ's workers need; closed by `disconnectRedis`. */
export function createRedisConnection(options: RedisOptions = {}): Redis {
  const { hostname, port, socket, auth, db } = config.redis
  const address: RedisOptions = socket ? { path: socket } : { host: hostname, port }
  const connection = new Redis({
    ...address,
    password: auth || undefined,
    db,
    retryStrategy: times => Math.min(times * 100, 2000),
    ...options
  })
  connection.on('error', error => logger.warn('Redis is away', { error: new Error(`Redis does not answer: ${error.message}`) }))
  connections.push(connection)
  return connection
}

/** Closes every connection this process opened. */
export async function disconnectRedis(): Promise<void> {
  await Promise.all(
    connections.splice(0).map(async connection => {
      // Redis may have stopped to answer.
      if (connection.status === 'ready') await Promise.race([connection.quit().catch(() => undefined), sleep(config.redis.command_timeout)])
      connection.disconnect()
    })
  )
}

/** What a request is answered that cannot do without Redis: 503. */
export function redisUnavailable(): Problem {
  return new Problem(503, 'redis_unavailable', 'A service of this site does not answer at the moment. Try again shortly.', {
    headers: { 'Retry-After': '5' }
  })
}

/** Whether an error of a command means that Redis is away or does not answer in time. */
export function isRedisUnavailableError(error: unknown): boolean {
  return error instanceof Error && (error.name === 'MaxRetriesPerRequestError' || UNAVAILABLE_MESSAGE.test(error.message))
}
const UNAVAILABLE_MESSAGE =
  /^(Redis does not answer|Command timed out|Connection is closed|Stream isn't writeable|Socket timeout\.|LOADING )/
