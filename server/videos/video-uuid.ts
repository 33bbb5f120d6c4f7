import { createHash } from 'node:crypto'

/** Returns the UUID of a video whose document has none: derived from its URL, and so always the same (RFC 9562 §5.8). */
export function uuidOfUrl(url: string): string {
  const hash = createHash('sha256').update(url).digest('hex')
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`
}
