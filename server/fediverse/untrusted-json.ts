import { RejectedRequestError } from './rejected-request.ts'
import type { JsonObject } from './vocabulary.ts'
import { INBOX } from './inbox-internals.ts'

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype'])
/** Lone surrogates and NUL, which Postgres cannot store. */
const UNSTORABLE = /[\p{Surrogate}\0]/gu
/** Escape sequences that may stand for them. */
const MAYBE_UNSTORABLE = /\\u(?:d[89a-f]|0000)/i

/**
 * Parses a JSON object from another server: UTF-8 without BOM, within the depth and size of `federation.inbox`, no duplicate keys
 * (docs/federation.md#depth-and-width). Limits are checked before anything is built. Lone surrogates and NUL in strings become U+FFFD, so
 * that all later code sees the same text. Throws RejectedRequestError 400 or 413.
 */
export function parseUntrustedJson(bytes: Uint8Array): JsonObject {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
    throw new RejectedRequestError(400, 'The document begins with a byte order mark.')
  const text = decodeUtf8(bytes)
  checkStructure(text)
  let value: unknown
  try {
    value = MAYBE_UNSTORABLE.test(text) ? JSON.parse(text, replaceUnstorable) : JSON.parse(text)
  } catch {
    throw new RejectedRequestError(400, 'The document is not valid JSON.')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RejectedRequestError(400, 'The document is not a JSON object.')
  return value as JsonObject
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new RejectedRequestError(400, 'The document is not UTF-8.')
  }
}

function replaceUnstorable(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replace(UNSTORABLE, '\uFFFD') : value
}

/** Checks depth, number of values and keys in one pass, without recursion. */
function checkStructure(text: string): void {
  const { maxDepth, maxNodes } = INBOX
  const openContainers: (Set<string> | null)[] = []
  let nodes = 0
  for (let position = 0; position < text.length; position++) {
    const code = text.charCodeAt(position)
    if (code === 0x22) {
      const end = endOfString(text, position)
      const keys = openContainers.at(-1)
      if (keys && isKey(text, end)) addKey(keys, text.slice(position, end + 1))
      position = end
    } else if (code === 0x7b || code === 0x5b) {
      openContainers.push(code === 0x7b ? new Set() : null)
      if (openContainers.length > maxDepth) throw new RejectedRequestError(400, 'The document is nested too deeply.')
      nodes++
    } else if (code === 0x7d || code === 0x5d) openContainers.pop()
    else if (code === 0x2c) nodes++
    if (nodes > maxNodes) throw new RejectedRequestError(413, 'The document has too many values.')
  }
}

function endOfString(text: string, start: number): number {
  for (let position = start + 1; position < text.length; position++) {
    const code = text.charCodeAt(position)
    if (code === 0x5c) position++
    else if (code === 0x22) return position
  }
  throw new RejectedRequestError(400, 'The document is not valid JSON.')
}

function isKey(text: string, end: number): boolean {
  for (let position = end + 1; position < text.length; position++) {
    const code = text.charCodeAt(position)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code === 0x3a
  }
  return false
}

function addKey(keys: Set<string>, quoted: string): void {
  let key: string
  try {
    key = JSON.parse(quoted) as string
  } catch {
    throw new RejectedRequestError(400, 'The document is not valid JSON.')
  }
  if (keys.has(key)) throw new RejectedRequestError(400, 'The document has a key twice.')
  if (FORBIDDEN_KEYS.has(key) || key.search(UNSTORABLE) !== -1) throw new RejectedRequestError(400, 'The document has a forbidden key.')
  keys.add(key)
}
