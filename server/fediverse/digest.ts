import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { RejectedRequestError } from './rejected-request.ts'

const HASHES: Record<string, string> = { 'sha-256': 'sha256', 'sha-512': 'sha512' }

/**
 * Checks `Digest` (RFC 3230) and `Content-Digest` (RFC 9530) against the body: every value of a known algorithm must be right, and
 * each of the headers named in `signed` must have one (docs/federation.md#digests). Throws Refused 401.
 */
export function checkDigests(headers: IncomingHttpHeaders, body: Uint8Array, signed: string[]): void {
  const found = {
    digest: values(headers.digest, /^([\w-]+)=(.+)$/),
    'content-digest': values(headers['content-digest'], /^([\w-]+)=:(.+):$/)
  }
  for (const [name, digests] of Object.entries(found)) {
    const known = digests.filter(([algorithm]) => algorithm in HASHES)
    for (const [algorithm, value] of known) {
      if (createHash(HASHES[algorithm]!).update(body).digest('base64') !== value)
        throw new RejectedRequestError(401, `The ${name} is not that of the body`)
    }
    if (signed.includes(name) && known.length === 0) throw new RejectedRequestError(401, `The ${name} has no algorithm known here`)
  }
}

function values(header: string | string[] | undefined, form: RegExp): [string, string][] {
  if (header === undefined) return []
  return String(header)
    .split(',')
    .map(part => {
      const [, algorithm, value] = form.exec(part.trim()) ?? []
      if (!algorithm || !value) throw new RejectedRequestError(401, 'A digest cannot be read')
      return [algorithm.toLowerCase(), value]
    })
}
