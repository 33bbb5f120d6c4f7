import { logger } from './logger.ts'

/** The names of all events and what they carry; news that must travel up the house travels as one of these. */
export type EventPayloads = {
  'video.received': { videoId: number; isNew: boolean }
  'video.deleted': { uuid: string; folder: string }
  'outbox.filled': { lane: number; delay: number }
  'inbox.filled': { lane: number }
  'chunks.waiting': Record<string, never>
  'encodings.ordered': Record<string, never>
  'site.used': Record<string, never>
  'config.changed': Record<string, never>
  'follow.accepted': { targetId: number }
  'inbox.gone': { inboxUrl: string }
}

type Listener<N extends keyof EventPayloads> = (event: EventPayloads[N]) => void | Promise<void>
const listeners: { [N in keyof EventPayloads]?: Listener<N>[] } = {}

/** Hears an event; a failing listener is logged and disturbs nobody. */
export function onEvent<N extends keyof EventPayloads>(name: N, listener: Listener<N>): void {
  const list = (listeners[name] ??= []) as Listener<N>[]
  list.push(listener)
}

/** Tells everybody who listens; call it after commit. */
export function emitEvent<N extends keyof EventPayloads>(name: N, event: EventPayloads[N]): void {
  for (const listener of (listeners[name] ?? []) as Listener<N>[]) {
    Promise.resolve()
      .then(() => listener(event))
      .catch(error => logger.error(`A listener of ${name} failed`, { error }))
  }
}
