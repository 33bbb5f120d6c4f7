/** The public collection (ActivityPub §5.6); PeerTube refuses its short forms. */
export const AS_PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
/** The types of actors (ActivityStreams Vocabulary §3.2). */
export const ACTOR_TYPES: readonly string[] = ['Person', 'Group', 'Application', 'Service', 'Organization']

/** A JSON value received from outside. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
/** A JSON object. */
export type JsonObject = { [key: string]: Json }

/** An activity to be sent; the outbox adds its `@context`. */
export type Activity = { type: string; id: string; actor: string; object: unknown; to?: string[]; cc?: string[]; [key: string]: unknown }

/** The id of a value that is a URL or an embedded object; null for anything else. */
export function idOf(value: unknown): string | null {
  if (typeof value === 'string') return value
  if (isObject(value) && typeof value.id === 'string') return value.id
  return null
}

/** The type of an embedded object; null for anything else. */
export function typeOf(value: unknown): string | null {
  return isObject(value) && typeof value.type === 'string' ? value.type : null
}

/** Returns a value that may be absent, single or a list as a list. */
export function listOf(value: unknown): unknown[] {
  return value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
