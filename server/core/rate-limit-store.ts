import { MemoryStore, type ClientRateLimitInfo, type Options, type Store } from 'express-rate-limit'
import { RedisStore } from 'rate-limit-redis'
import { config } from './config.ts'
import { isRedisReady, redis } from './redis.ts'

/** Counts the hits of a class of rate limits by key: for all processes in Redis; while it does not answer, each process counts its own. */
export class RedisOrMemoryStore implements Store {
  private readonly shared: RedisStore
  private readonly own = new MemoryStore()
  private options: Options | undefined
  /** The scripts of `shared` in Redis; null until it answers (again). */
  private loading: Promise<void> | null = null

  constructor(name: string) {
    this.shared = new RedisStore({
      prefix: `${config.redis.prefix}:rate:${name}:`,
      sendCommand: async (command: string, ...args: string[]) => (await redis.call(command, ...args)) as never
    })
  }

  init(options: Options): void {
    this.own.init(options)
    this.options = options
  }

  async get(key: string): Promise<ClientRateLimitInfo | undefined> {
    const known = await this.count(async store => await store.get(key))
    // The library reads a missing counter as NaN.
    return known && known.totalHits > 0 ? known : undefined
  }

  async increment(key: string): Promise<ClientRateLimitInfo> {
    return await this.count(async store => await store.increment(key))
  }

  async decrement(key: string): Promise<void> {
    await this.count(async store => await store.decrement(key))
  }

  async resetKey(key: string): Promise<void> {
    await this.count(async store => await store.resetKey(key))
  }

  private async count<T>(act: (store: RedisStore | MemoryStore) => Promise<T>): Promise<T> {
    if (isRedisReady()) {
      try {
        await (this.loading ??= this.shared.init(this.options!))
        return await act(this.shared)
      } catch {
        // Redis has just stopped to answer.
        this.loading = null
      }
    }
    return await act(this.own)
  }
}
