/** The public collection (ActivityPub §5.6); PeerTube refuses its short forms. */
export const AS_PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
const PUBLIC_FORMS: ReadonlySet<string> = new Set([AS_PUBLIC, 'as:Public', 'Public'])
/** The types of actors (ActivityStreams Vocabulary §3.2). */
export const ACTOR_TYPES: readonly string[] = ['Person', 'Group', 'Application', 'Service', 'Organization']

/** The types of objects that are read here. Of several types of one value the one that is known decides (JSON-LD 1.1 §4.2.3). */
const KNOWN_TYPES: ReadonlySet<string> = new Set([
  ...ACTOR_TYPES,
  ...[
    'Accept',
    'Announce',
    'ApproveReply',
    'Create',
    'Delete',
    'Dislike',
    'EmojiReact',
    'Flag',
    'Follow',
    'Like',
    'Move',
    'QuoteRequest',
    'Reject'
  ],
  ...['Undo', 'Update', 'View', 'WatchAction', 'Article', 'Audio', 'CacheFile', 'Document', 'Event', 'Hashtag', 'Image', 'Link'],
  ...['Mention', 'Note', 'Page', 'Playlist', 'PlaylistElement', 'Question', 'Tombstone', 'Video'],
  ...['Collection', 'CollectionPage', 'OrderedCollection', 'OrderedCollectionPage']
])
/** Of a list of types, keys, links or languages no more are looked at. */
const MAX_FORMS = 20

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

/** The type of an embedded object, of several the first that is known here; null for anything else. */
export function typeOf(value: unknown): string | null {
  if (!isObject(value)) return null
  if (typeof value.type === 'string') return value.type
  const types = formsOf(value.type).filter(type => typeof type === 'string')
  return types.find(type => KNOWN_TYPES.has(type)) ?? types[0] ?? null
}

/** The first forms of a value that may be absent, single or a list. */
export function formsOf(value: unknown): unknown[] {
  return listOf(value).slice(0, MAX_FORMS)
}

/**
 * The text of a property (`name`, `summary`, `content`) in any of its forms: a string, a value with a language (`@value`), a list of them,
 * or a map from languages (`nameMap`) where the property itself is missing (ActivityStreams Core §4.7). Null without one.
 */
export function textOf(object: JsonObject, property: string): string | null {
  const map = object[`${property}Map`]
  const forms = [...formsOf(object[property]), ...(isObject(map) ? formsOf(Object.values(map).slice(0, MAX_FORMS)) : [])]
  const texts = forms.flatMap(formsOf).map(form => (isObject(form) ? form['@value'] : form))
  return texts.find((text): text is string => typeof text === 'string' && text.trim() !== '') ?? null
}

/** A URL with its media type, as a Link or a media object names it. */
export type LinkForm = { href: string; mediaType: string | null; link: JsonObject }

/** The links of a value that is a URL, a Link, an object with `url`, or a list of at most `max` of them; the values are not validated. */
export function linksOf(value: unknown, max = MAX_FORMS): LinkForm[] {
  return listOf(value).slice(0, max).flatMap(linksOfForm)
}

function linksOfForm(form: unknown): LinkForm[] {
  if (typeof form === 'string') return [{ href: form, mediaType: null, link: {} }]
  if (!isObject(form)) return []
  const mediaType = typeof form.mediaType === 'string' ? form.mediaType : null
  if (typeof form.href === 'string') return [{ href: form.href, mediaType, link: form }]
  return formsOf(form.url).flatMap(url => {
    const own = isObject(url) ? url : {}
    const href = isObject(url) ? url.href : url
    const ownType = typeof own.mediaType === 'string' ? own.mediaType : mediaType
    return typeof href === 'string' ? [{ href, mediaType: ownType, link: { ...form, ...own } }] : []
  })
}

/** Whether a list of addressees has the public collection, in any of its forms (ActivityPub §5.6). */
export function addressesPublic(addressees: unknown): boolean {
  return listOf(addressees).some(addressee => PUBLIC_FORMS.has(idOf(addressee) ?? ''))
}

/** Returns a value that may be absent, single or a list as a list. */
export function listOf(value: unknown): unknown[] {
  return value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
