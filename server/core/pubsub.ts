import { randomUUID } from 'node:crypto'
import { config } from './config.ts'
import { emitEvent, onEvent, type EventPayloads } from './events.ts'
import { logger } from './logger.ts'
import { createRedisConnection, redis } from './redis.ts'

/** The events shared with other processes. They are hints only: every listener also checks on a timer (ARCHITECTURE.md, rule 1). */
const SHARED_EVENTS = ['outbox.filled', 'inbox.filled', 'chunks.waiting', 'encodings.ordered', 'site.used', 'config.changed'] as const
type SharedEvent = (typeof SHARED_EVENTS)[number]

const processId = randomUUID()
const receivedEvents = new WeakSet<object>()

/** Publishes the shared events of this process to the others of the instance; called once at start. */
export function publishSharedEvents(): void {
  for (const name of SHARED_EVENTS) onEvent(name, event => publish(name, event))
}

/** Emits the shared events of the other processes of this instance in this one; called once at start. */
export function subscribeToSharedEvents(): void {
  const connection = createRedisConnection({ maxRetriesPerRequest: null })
  connection.on('message', (_channel, text) => {
    const { from, name, event } = JSON.parse(text) as { from: string; name: SharedEvent; event: EventPayloads[SharedEvent] }
    if (from === processId || !SHARED_EVENTS.includes(name)) return
    receivedEvents.add(event)
    emitEvent(name, event as never)
  })
  connection.subscribe(channel()).catch(error => logger.debug('Other processes are not heard', { error }))
}

const pendingPublications = new Map<string, Promise<unknown>>()

/** Publishes an event; the same event (and priority) emitted while one is pending is not published separately. */
function publish(name: SharedEvent, event: EventPayloads[SharedEvent]): void {
  const key = `${name} ${'lane' in event ? event.lane : ''}`
  if (receivedEvents.has(event) || pendingPublications.has(key)) return
  const publication = new Promise(resolve => setImmediate(resolve))
    .then(async () => await redis.publish(channel(), JSON.stringify({ from: processId, name, event })))
    .catch(() => undefined)
    .finally(() => pendingPublications.delete(key))
  pendingPublications.set(key, publication)
}

const channel = () => `${config.redis.prefix}:news`
