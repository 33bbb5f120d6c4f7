import { instanceOrigin } from '../core/config.ts'
import { parseUrl } from '../core/url.ts'

const MAX_URL = 2000

/** Returns an http(s) URL in WHATWG form; null for anything else and for URLs with credentials (docs/federation.md#urls). */
export function httpUrl(value: unknown, max = MAX_URL): string | null {
  return parseCached(value, max)?.href ?? null
}

/** The origin of a URL (scheme, host and port); null for anything but http(s). */
export function originOf(value: unknown): string | null {
  return parseCached(value, MAX_URL)?.origin ?? null
}

/** The host of a URL in lower case, with the port unless it is the default of the scheme; empty for anything but http(s). */
export function hostOf(value: unknown): string {
  return parseCached(value, MAX_URL)?.host ?? ''
}

/** Whether two URLs have the same origin; false for anything but http(s). */
export function sameOrigin(first: unknown, second: unknown): boolean {
  const origin = originOf(first)
  return origin !== null && origin === originOf(second)
}

/** Whether a URL has the origin of this instance. */
export function isLocalUrl(value: unknown): boolean {
  return originOf(value) === originOf(instanceOrigin())
}

type ParsedUrl = Pick<URL, 'href' | 'origin' | 'host'>

/** The same few URLs are parsed many times for each activity. */
const cachedUrls = new Map<string, ParsedUrl | null>()
const MAX_CACHED_URLS = 1000

function parseCached(value: unknown, max: number): ParsedUrl | null {
  if (typeof value !== 'string' || value.length > max) return null
  const cached = cachedUrls.get(value)
  if (cached !== undefined) return cached
  const url = parseHttpUrl(value)
  if (cachedUrls.size >= MAX_CACHED_URLS) cachedUrls.clear()
  cachedUrls.set(value, url)
  return url
}

function parseHttpUrl(value: string): ParsedUrl | null {
  const url = /^https?:\/\//i.test(value) ? parseUrl(value) : null
  if (!url || url.username || url.password || url.hostname === '') return null
  // A trailing dot denotes the same host.
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.replace(/\.+$/, '')
  return url.hostname.endsWith('.') ? null : { href: url.href, origin: url.origin, host: url.host }
}
