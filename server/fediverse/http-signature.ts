import type { IncomingHttpHeaders } from 'node:http'
import { config } from '../core/config.ts'
import { parseCavageSignature, type ParsedSignature } from './cavage.ts'
import { checkDigests } from './digest.ts'
import { keyring, type KeyOwner } from './keyring.ts'
import { isAcceptableKey, verifySignature } from './keys.ts'
import { RejectedRequestError } from './rejected-request.ts'
import { parseRfc9421Signature } from './rfc9421.ts'

export { signCavage } from './cavage.ts'
export { signRfc9421 } from './rfc9421.ts'
export { sha256Base64 as digestOf, parsePublicKeyPem as publicKeyOf } from './keys.ts'

/** A request whose signature is asked about; `path` with its query, `now` in ms. */
export type SignedRequest = { method: string; path: string; headers: IncomingHttpHeaders; body?: Uint8Array; now?: number }

/**
 * Who signed a request: cavage or RFC 9421, over what must be covered, with a date near ours and the digest of the body. A key that
 * does not fit is asked for anew once in a while (docs/federation.md#key-rotation). Throws Refused 401 with the reason.
 */
export async function verifyHttpSignature({ method, path, headers, body, now = Date.now() }: SignedRequest): Promise<KeyOwner> {
  const read = headers['signature-input'] === undefined ? parseCavageSignature : parseRfc9421Signature
  const claim = read({ method, path, headers })
  checkTimes(claim, now)
  if (body) checkDigests(headers, body, claim.covered)
  // PeerTube signs a GET without its query.
  const bare =
    method === 'GET' && path.includes('?') && read === parseCavageSignature
      ? parseCavageSignature({ method, path: path.split('?', 1)[0]!, headers })
      : null
  const known = await keyring.owner(claim.keyId, false)
  if (known && ((await fits(claim, known)) || (bare && (await fits(bare, known))))) return known
  const fresh = await keyring.owner(claim.keyId, true)
  if (fresh && fresh !== known && ((await fits(claim, fresh)) || (bare && (await fits(bare, fresh))))) return fresh
  throw new RejectedRequestError(401, (fresh ?? known) ? 'The signature does not fit the key' : 'The key of the signature is not to be had')
}

function checkTimes({ created, expires }: ParsedSignature, now: number): void {
  const skew = config.federation.clock_skew
  if (created === undefined || !Number.isFinite(created)) throw new RejectedRequestError(401, 'The signature has no date')
  if (Math.abs(created * 1000 - now) > skew)
    throw new RejectedRequestError(401, `The date of the signature is more than ${Math.round(skew / 60_000)} minutes from ours`)
  if (expires !== undefined && (!Number.isFinite(expires) || expires * 1000 < now))
    throw new RejectedRequestError(401, 'The signature has expired')
}

async function fits({ text, signature, algorithm }: ParsedSignature, { key }: KeyOwner): Promise<boolean> {
  if (!isAcceptableKey(key)) return false
  const name = algorithm.toLowerCase()
  const kind = key.asymmetricKeyType
  if (kind === 'ed25519') return ['ed25519', 'ed25519-sha512', 'hs2019', ''].includes(name) && (await verifySignature(text, signature, key))
  if (['rsa-sha256', 'rsa-v1_5-sha256'].includes(name)) return await verifySignature(text, signature, key)
  if (name === 'rsa-sha512') return await verifySignature(text, signature, key, 'sha512')
  // hs2019 leaves the algorithm to the key.
  return (
    ['hs2019', ''].includes(name) &&
    ((await verifySignature(text, signature, key)) || (await verifySignature(text, signature, key, 'sha512')))
  )
}
