import type { IncomingHttpHeaders } from 'node:http'
import { config } from '../core/config.ts'
import { parseCavageSignature, type ParsedSignature } from './cavage.ts'
import { checkDigests } from './digest.ts'
import { keyring, type KeyOwner } from './keyring.ts'
import { hostOf, httpUrl } from './origin.ts'
import { isAcceptableKey, verifySignature } from './keys.ts'
import { RejectedRequestError } from './rejected-request.ts'
import { parseRfc9421Signature } from './rfc9421.ts'
import { isOwnHost, withOwnHost } from './rewritten-host.ts'

export { signCavage } from './cavage.ts'
export { signRfc9421 } from './rfc9421.ts'
export { sha256Base64, parsePublicKeyPem } from './keys.ts'

/** A request that is signed for our host and came with another. */
export class RewrittenHostError extends RejectedRequestError {
  constructor() {
    super(401, 'The proxy in front of this server rewrites the host name that was signed')
  }
}

/** A request whose signature is to be verified; `path` with its query, `now` in ms. */
export type SignedRequest = { method: string; path: string; headers: IncomingHttpHeaders; body?: Uint8Array; now?: number }

/**
 * Returns the owner of the key that signed a request (cavage or RFC 9421): all required components covered, a date within
 * `federation.clock_skew`, the digest of the body. A key that does not match is fetched again, but not often
 * (docs/federation.md#key-rotation). Throws RejectedRequestError 401 with the reason, RewrittenHostError where a proxy on the way to us
 * has changed the host name that was signed.
 */
export async function verifyHttpSignature(request: SignedRequest): Promise<KeyOwner> {
  // RFC 9421 does not sign the header: its signature is always checked with our own host.
  if (request.headers['signature-input'] !== undefined || isOwnHost(request.headers.host)) return await verifyForThisHost(request)
  await verifyForThisHost({ ...request, headers: withOwnHost(request.headers) }).catch((error: unknown) => {
    throw error instanceof RejectedRequestError ? new RejectedRequestError(401, 'The signature is for another host') : error
  })
  throw new RewrittenHostError()
}

async function verifyForThisHost({ method, path, headers, body, now = Date.now() }: SignedRequest): Promise<KeyOwner> {
  const parseSignature = headers['signature-input'] === undefined ? parseCavageSignature : parseRfc9421Signature
  const parsed = parseSignature({ method, path, headers })
  checkTimes(parsed, now)
  if (body) checkDigests(headers, body, parsed.covered)
  // PeerTube signs a GET without its query.
  const parsedWithoutQuery =
    method === 'GET' && path.includes('?') && parseSignature === parseCavageSignature
      ? parseCavageSignature({ method, path: path.split('?', 1)[0]!, headers })
      : null
  const knownOwner = await keyring.owner(parsed.keyId, false)
  if (knownOwner && ((await matchesKey(parsed, knownOwner)) || (parsedWithoutQuery && (await matchesKey(parsedWithoutQuery, knownOwner)))))
    return knownOwner
  const refetchedOwner = await keyring.owner(parsed.keyId, true)
  if (
    refetchedOwner &&
    refetchedOwner !== knownOwner &&
    ((await matchesKey(parsed, refetchedOwner)) || (parsedWithoutQuery && (await matchesKey(parsedWithoutQuery, refetchedOwner))))
  )
    return refetchedOwner
  throw new RejectedRequestError(
    401,
    (refetchedOwner ?? knownOwner) ? 'The signature does not fit the key' : 'The key of the signature is not to be had'
  )
}

/** Returns the host of the key id of a request, unverified. Throws RejectedRequestError 401 without a key id. */
export function hostOfKeyId(headers: IncomingHttpHeaders): string {
  const text = String(headers['signature-input'] ?? headers.signature ?? headers.authorization ?? '')
  const keyId = /\bkeyid\s*=\s*"([^"]+)"/i.exec(text)?.[1] ?? ''
  const url = httpUrl(keyId)
  const host = url ? hostOf(url) : /^acct:[^@]+@([\w.:[\]-]+)$/.exec(keyId)?.[1]?.toLowerCase()
  if (!host) throw new RejectedRequestError(401, 'The request is not signed')
  return host
}

function checkTimes({ created, expires }: ParsedSignature, now: number): void {
  const maxSkew = config.federation.clock_skew
  if (created === undefined || !Number.isFinite(created)) throw new RejectedRequestError(401, 'The signature has no date')
  if (Math.abs(created * 1000 - now) > maxSkew)
    throw new RejectedRequestError(401, `The date of the signature is more than ${Math.round(maxSkew / 60_000)} minutes from ours`)
  if (expires !== undefined && (!Number.isFinite(expires) || expires * 1000 < now))
    throw new RejectedRequestError(401, 'The signature has expired')
}

async function matchesKey({ signingString: text, signature, algorithm }: ParsedSignature, { key }: KeyOwner): Promise<boolean> {
  if (!isAcceptableKey(key)) return false
  const algorithmName = algorithm.toLowerCase()
  const keyType = key.asymmetricKeyType
  if (keyType === 'ed25519')
    return ['ed25519', 'ed25519-sha512', 'hs2019', ''].includes(algorithmName) && (await verifySignature(text, signature, key))
  if (['rsa-sha256', 'rsa-v1_5-sha256'].includes(algorithmName)) return await verifySignature(text, signature, key)
  if (algorithmName === 'rsa-sha512') return await verifySignature(text, signature, key, 'sha512')
  // With hs2019 the key decides the algorithm.
  return (
    ['hs2019', ''].includes(algorithmName) &&
    ((await verifySignature(text, signature, key)) || (await verifySignature(text, signature, key, 'sha512')))
  )
}
