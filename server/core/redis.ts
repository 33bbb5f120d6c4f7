import { Redis, type RedisOptions } from 'ioredis'
import { config } from './config.ts'
import { logger } from './logger.ts'

/** The Redis connection for counters and queue commands; set by `connectRedis`. Redis is disposable (ARCHITECTURE.md, rule 1). */
export let redis: Redis
const connections: Redis[] = []

/** Opens the shared connection. */
export function connectRedis(): void {
  // One retry: without Redis a request proceeds uncounted instead of waiting.
  redis = createRedisConnection({ enableAutoPipelining: true, maxRetriesPerRequest: 1 })
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
  connection.on('error', error => logger.warn('Redis is not reachable', { reason: error.message }))
  connections.push(connection)
  return connection
}

/** Closes every connection this process opened. */
export async function disconnectRedis(): Promise<void> {
  await Promise.all(
    connections.splice(0).map(async connection => {
      // Without Redis, QUIT would never be answered.
      if (connection.status !== 'ready') return connection.disconnect()
      await connection.quit().catch(() => connection.disconnect())
    })
  )
}
