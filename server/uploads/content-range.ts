import type { IncomingHttpHeaders } from 'node:http'
import { hasBody } from '../core/request-body.ts'

/** The bytes that a request brings to an upload, `first` to `last` of `size`, or `chunk` null: it asks how many have been received. */
export type ContentRange = { size: number; chunk: { first: number; last: number } | null }

/**
 * Reads the Content-Range of a chunk (`bytes first-last/size`; RFC 9110, 14.4) or of a query, which has `*` for the bytes and no body; null
 * where it is missing, malformed, reversed, beyond its size, or does not agree with Content-Length.
 */
export function parseContentRange(headers: IncomingHttpHeaders): ContentRange | null {
  const [, first, last, size] = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(\d{1,15})$/.exec(headers['content-range'] ?? '') ?? []
  if (size === undefined) return null
  const length = headers['content-length'] === undefined ? null : Number(headers['content-length'])
  if (first === undefined || last === undefined) {
    return hasBody({ headers }) ? null : { size: Number(size), chunk: null }
  }
  const chunk = { first: Number(first), last: Number(last) }
  if (chunk.first > chunk.last || chunk.last >= Number(size)) return null
  if (length !== null && length !== chunk.last - chunk.first + 1) return null
  return { size: Number(size), chunk }
}
