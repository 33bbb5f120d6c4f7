import { logger } from './logger.ts'
import { runAsBackgroundWork } from './request-context.ts'

/** All events with their payloads. A lower layer notifies a higher one by emitting one of these (ARCHITECTURE.md). */
export type EventPayloads = {
  'video.received': { videoId: number; isNew: boolean }
  'video.deleted': { uuid: string; folder: string }
  'outbox.filled': { lane: number; delay: number }
  'inbox.filled': { lane: number }
  'chunks.waiting': Record<string, never>
  'encodings.ordered': Record<string, never>
  'site.used': Record<string, never>
  'config.changed': Record<string, never>
  'object.refresh-requested': Record<string, never>
  'follow.accepted': { targetId: number }
  'inbox.gone': { inboxUrl: string }
}

type Listener<N extends keyof EventPayloads> = (event: EventPayloads[N]) => void | Promise<void>
const listeners: { [N in keyof EventPayloads]?: Listener<N>[] } = {}

/** Registers a listener of an event; an error of a listener is logged and does not affect the others. */
export function onEvent<N extends keyof EventPayloads>(name: N, listener: Listener<N>): void {
  const list = (listeners[name] ??= []) as Listener<N>[]
  list.push(listener)
}

/** Calls the listeners of an event asynchronously; to be called after commit. */
export function emitEvent<N extends keyof EventPayloads>(name: N, event: EventPayloads[N]): void {
  for (const listener of (listeners[name] ?? []) as Listener<N>[]) {
    void runAsBackgroundWork(async () => {
      await Promise.resolve()
      await listener(event)
    }).catch(error => logger.error(`A listener of ${name} failed`, { error }))
  }
}
