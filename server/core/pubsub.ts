import { randomUUID } from 'node:crypto'
import { config } from './config.ts'
import { emitEvent, onEvent, type EventPayloads } from './events.ts'
import { logger } from './logger.ts'
import { createRedisConnection, redis } from './redis.ts'

/** The events that matter to other processes too. They are hints: whoever hears none looks by itself now and then (law 1). */
const SHARED = ['outbox.filled', 'inbox.filled', 'chunks.waiting', 'encodings.ordered', 'site.used', 'config.changed'] as const
type Shared = (typeof SHARED)[number]

const me = randomUUID()
const heard = new WeakSet<object>()

/** Tells the other processes of this instance what happens here; called once at start. */
export function publishSharedEvents(): void {
  for (const name of SHARED) onEvent(name, event => tell(name, event))
}

/** Hears what happens in other processes of this instance, as if it happened here. */
export function subscribeToSharedEvents(): void {
  const connection = createRedisConnection({ maxRetriesPerRequest: null })
  connection.on('message', (_channel, text) => {
    const { from, name, event } = JSON.parse(text) as { from: string; name: Shared; event: EventPayloads[Shared] }
    if (from === me || !SHARED.includes(name)) return
    heard.add(event)
    emitEvent(name, event as never)
  })
  connection.subscribe(channel()).catch(error => logger.debug('Other processes are not heard', { error }))
}

const told = new Map<string, Promise<unknown>>()

/** One message at a time for each kind of news: what happens meanwhile is told by the next. */
function tell(name: Shared, event: EventPayloads[Shared]): void {
  const key = `${name} ${'lane' in event ? event.lane : ''}`
  if (heard.has(event) || told.has(key)) return
  const telling = new Promise(resolve => setImmediate(resolve))
    .then(async () => await redis.publish(channel(), JSON.stringify({ from: me, name, event })))
    .catch(() => undefined)
    .finally(() => told.delete(key))
  told.set(key, telling)
}

const channel = () => `${config.redis.prefix}:news`
