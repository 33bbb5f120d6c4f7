import { config } from '../core/config.ts'
import { RejectedRequestError } from './rejected-request.ts'
import type { JsonObject } from './vocabulary.ts'

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype'])
/** Half of a character, and the one that Postgres cannot keep. */
const UNFIT = /[\p{Surrogate}\0]/gu
/** How these would have to be written. */
const PERHAPS_UNFIT = /\\u(?:d[89a-f]|0000)/i

/**
 * A JSON object that a stranger sent: UTF-8 without BOM, no deeper and no larger than `federation.inbox` allows, no key twice
 * (docs/federation.md#depth-and-width, docs/federation.md#depth-and-width). Throws Refused 400 or 413. The bounds are checked before
 * anything is built. Half characters and NUL in
 * its strings become U+FFFD, so that everybody behind this reads the same.
 */
export function parseUntrustedJson(bytes: Uint8Array): JsonObject {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
    throw new RejectedRequestError(400, 'The document begins with a byte order mark.')
  const text = decoded(bytes)
  scan(text)
  let value: unknown
  try {
    value = PERHAPS_UNFIT.test(text) ? JSON.parse(text, fitting) : JSON.parse(text)
  } catch {
    throw new RejectedRequestError(400, 'The document is not valid JSON.')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RejectedRequestError(400, 'The document is not a JSON object.')
  return value as JsonObject
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new RejectedRequestError(400, 'The document is not UTF-8.')
  }
}

function fitting(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replace(UNFIT, '\uFFFD') : value
}

/** One pass over the text, without recursion: depth, number of values, keys. */
function scan(text: string): void {
  const { max_depth, max_nodes } = config.federation.inbox
  const open: (Set<string> | null)[] = []
  let nodes = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) {
      const end = endOfString(text, at)
      const keys = open.at(-1)
      if (keys && isKey(text, end)) note(keys, text.slice(at, end + 1))
      at = end
    } else if (code === 0x7b || code === 0x5b) {
      open.push(code === 0x7b ? new Set() : null)
      if (open.length > max_depth) throw new RejectedRequestError(413, 'The document is nested too deeply.')
      nodes++
    } else if (code === 0x7d || code === 0x5d) open.pop()
    else if (code === 0x2c) nodes++
    if (nodes > max_nodes) throw new RejectedRequestError(413, 'The document has too many values.')
  }
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x5c) at++
    else if (code === 0x22) return at
  }
  throw new RejectedRequestError(400, 'The document is not valid JSON.')
}

function isKey(text: string, end: number): boolean {
  for (let at = end + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code === 0x3a
  }
  return false
}

function note(keys: Set<string>, quoted: string): void {
  let key: string
  try {
    key = JSON.parse(quoted) as string
  } catch {
    throw new RejectedRequestError(400, 'The document is not valid JSON.')
  }
  if (keys.has(key)) throw new RejectedRequestError(400, 'The document has a key twice.')
  if (FORBIDDEN.has(key) || key.search(UNFIT) !== -1) throw new RejectedRequestError(400, 'The document has a forbidden key.')
  keys.add(key)
}
