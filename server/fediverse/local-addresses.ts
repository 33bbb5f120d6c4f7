import { instanceOrigin } from '../core/config.ts'
import { hostOf, httpUrl } from './origin.ts'
import { isObject, typeOf, type Json, type JsonObject } from './vocabulary.ts'

/**
 * Paths under which a kind of object is served or redirected here; the first group of `path` is a key. `find` returns the ids (URLs) of the
 * objects with these keys; it is no permission to see them.
 */
export type LocalAddresses = { path: RegExp; find(keys: string[]): Promise<Map<string, string>> }

const addresses: LocalAddresses[] = []
/** Addresses of this instance that are looked up for one activity. */
const MAX_REFERENCES = 100
/** Properties that name objects of others. */
const REFERENCES = ['object', 'target', 'inReplyTo']
/** How deep activities are nested: an Announce of an Update of a reply. */
const MAX_DEPTH = 4

/** Registers addresses of a kind of objects; the feature that serves them knows them. */
export function registerLocalAddresses(kind: LocalAddresses): void {
  addresses.push(kind)
}

/**
 * Returns the id of the object that this instance serves or redirects at a URL: `/w/<short>`, `/c/<name>` and the like, with a query, over
 * http, ours or that of a remote object. Any other URL is returned as it is.
 */
export async function canonicalUrl(url: string): Promise<string> {
  return (await canonicalUrls([url])).get(url) ?? url
}

/** As `canonicalUrl`, for several; those without another id are left out. */
export async function canonicalUrls(urls: Iterable<string>): Promise<Map<string, string>> {
  const canonical = new Map<string, string>()
  const paths = [...new Set(urls)].flatMap(url => (isOurHost(url) ? [{ url, path: pathOf(url) }] : []))
  if (paths.length === 0) return canonical
  for (const { path: pattern, find } of addresses) {
    const keys = new Map<string, string>()
    for (const { url, path } of paths) {
      const key = pattern.exec(path)?.[1]
      if (key !== undefined && !canonical.has(url)) keys.set(url, key)
    }
    if (keys.size === 0) continue
    const found = await find([...new Set(keys.values())])
    for (const [url, key] of keys) if (found.has(key)) canonical.set(url, found.get(key)!)
  }
  for (const [url, id] of canonical) if (id === url) canonical.delete(url)
  return canonical
}

/** Returns the activities with the ids of what they refer to (`object`, `target`, `inReplyTo`) instead of other addresses of this instance. */
export async function withCanonicalReferences(activities: JsonObject[]): Promise<JsonObject[]> {
  const references = new Set<string>()
  for (const activity of activities) {
    let remaining = MAX_REFERENCES
    replaceReferences(activity, url => {
      if (isOurHost(url) && remaining-- > 0) references.add(url)
      return url
    })
  }
  const canonical = await canonicalUrls(references)
  if (canonical.size === 0) return activities
  return activities.map(activity => replaceReferences(activity, url => canonical.get(url) ?? url))
}

function replaceReferences(node: JsonObject, replace: (url: string) => string, depth = 0): JsonObject {
  // What an actor creates or changes is under its own id, never under an address of ours.
  const isAuthored = ['Create', 'Update'].includes(typeOf(node) ?? '')
  const replaceUrl = (value: Json): Json => {
    const url = httpUrl(value)
    const replaced = url === null ? null : replace(url)
    return replaced === null || replaced === url ? value : replaced
  }
  const replaceEntry = (entry: Json, hasOwnId: boolean): Json => {
    if (typeof entry === 'string') return hasOwnId ? entry : replaceUrl(entry)
    if (!isObject(entry) || depth >= MAX_DEPTH) return entry
    const replaced = replaceReferences(entry, replace, depth + 1)
    return hasOwnId || typeof entry.id !== 'string' ? replaced : { ...replaced, id: replaceUrl(entry.id) }
  }
  const result = { ...node }
  for (const key of depth === 0 ? REFERENCES : [...REFERENCES, 'actor']) {
    const value = result[key]
    if (value === undefined) continue
    const hasOwnId = isAuthored && key === 'object'
    result[key] = Array.isArray(value) ? value.map(entry => replaceEntry(entry, hasOwnId)) : replaceEntry(value, hasOwnId)
  }
  return result
}

/** Whichever scheme: a proxy in front redirects http to https. */
function isOurHost(url: string): boolean {
  return hostOf(url) === hostOf(instanceOrigin())
}

function pathOf(url: string): string {
  const { pathname } = new URL(url)
  try {
    const decoded = decodeURIComponent(pathname).replace(/\/$/, '')
    // Postgres has no text with NUL.
    return decoded.includes('\0') ? pathname : decoded
  } catch {
    return pathname
  }
}
