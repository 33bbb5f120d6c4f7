import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { RejectedRequestError } from './rejected-request.ts'

const HASH_ALGORITHMS: Record<string, string> = { 'sha-256': 'sha256', 'sha-512': 'sha512' }

/**
 * Checks `Digest` (RFC 3230) and `Content-Digest` (RFC 9530) against the body: every value with a supported algorithm must match, and each
 * of the two named in `signedHeaders` must have one (docs/federation.md#digests). Throws RejectedRequestError 401.
 */
export function checkDigests(headers: IncomingHttpHeaders, body: Uint8Array, signedHeaders: string[]): void {
  const digestsByHeader = {
    digest: parseDigests(headers.digest, /^([\w-]+)=(.+)$/),
    'content-digest': parseDigests(headers['content-digest'], /^([\w-]+)=:(.+):$/)
  }
  for (const [name, digests] of Object.entries(digestsByHeader)) {
    const supported = digests.filter(([algorithm]) => algorithm in HASH_ALGORITHMS)
    for (const [algorithm, value] of supported) {
      if (createHash(HASH_ALGORITHMS[algorithm]!).update(body).digest('base64') !== value)
        throw new RejectedRequestError(401, `The ${name} is not that of the body`)
    }
    if (signedHeaders.includes(name) && supported.length === 0)
      throw new RejectedRequestError(401, `The ${name} has no algorithm known here`)
  }
}

function parseDigests(header: string | string[] | undefined, pattern: RegExp): [string, string][] {
  if (header === undefined) return []
  return String(header)
    .split(',')
    .map(part => {
      const [, algorithm, value] = pattern.exec(part.trim()) ?? []
      if (!algorithm || !value) throw new RejectedRequestError(401, 'A digest cannot be read')
      return [algorithm.toLowerCase(), value]
    })
}
