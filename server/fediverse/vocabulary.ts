/** The address of everybody (ActivityPub 5.6); PeerTube refuses its short forms. */
export const AS_PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'

/** JSON as it came from outside. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
/** A JSON object. */
export type JsonObject = { [key: string]: Json }

/** An ActivityPub message to be sent: `@context` is added by the outbox from `terms`. */
export type Activity = { type: string; id: string; actor: string; object: unknown; to?: string[]; cc?: string[]; [key: string]: unknown }

/** The id of a value that is an address or an embedded object; null otherwise. */
export function idOf(value: unknown): string | null {
  if (typeof value === 'string') return value
  if (isObject(value) && typeof value.id === 'string') return value.id
  return null
}

/** The type of an embedded object; null for an address or nonsense. */
export function typeOf(value: unknown): string | null {
  return isObject(value) && typeof value.type === 'string' ? value.type : null
}

/** A value that may be absent, single or a list, as a list. */
export function listOf(value: unknown): unknown[] {
  return value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
