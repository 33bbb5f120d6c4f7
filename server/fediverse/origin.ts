import { instanceOrigin } from '../core/config.ts'
import { parseUrl } from '../core/url.ts'

const MAX_URL = 2000

/**
 * An http(s) address as WHATWG URL writes it, without credentials; null for anything else (docs/federation.md#urls,
 * docs/federation.md#urls).
 */
export function httpUrl(value: unknown, max = MAX_URL): string | null {
  return parsed(value, max)?.href ?? null
}

/** The canonical origin of an address, scheme, host and port; null for what is no http(s) address. */
export function originOf(value: unknown): string | null {
  return parsed(value, MAX_URL)?.origin ?? null
}

/**
 * The host of an address as actors have it: lower case, with the port only when it is not the scheme's own; '' for what is no http(s)
 * address.
 */
export function hostOf(value: unknown): string {
  return parsed(value, MAX_URL)?.host ?? ''
}

/** Whether two addresses have one origin; what is no http(s) address has none. */
export function sameOrigin(one: unknown, other: unknown): boolean {
  const origin = originOf(one)
  return origin !== null && origin === originOf(other)
}

/** Whether an address is of this instance. */
export function isLocalUrl(value: unknown): boolean {
  return originOf(value) === originOf(instanceOrigin())
}

type Parsed = Pick<URL, 'href' | 'origin' | 'host'>

/** The same few addresses are asked about many times for each message. */
const lately = new Map<string, Parsed | null>()
const MANY = 1000

function parsed(value: unknown, max: number): Parsed | null {
  if (typeof value !== 'string' || value.length > max) return null
  const known = lately.get(value)
  if (known !== undefined) return known
  const url = read(value)
  if (lately.size >= MANY) lately.clear()
  lately.set(value, url)
  return url
}

function read(value: string): Parsed | null {
  const url = /^https?:\/\//i.test(value) ? parseUrl(value) : null
  if (!url || url.username || url.password || url.hostname === '') return null
  // A trailing dot names the same host.
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.replace(/\.+$/, '')
  return url.hostname.endsWith('.') ? null : { href: url.href, origin: url.origin, host: url.host }
}
