import type { IncomingHttpHeaders } from 'node:http'
import { config } from '../core/config.ts'
import { readCavage, type Claim } from './cavage.ts'
import { checkDigests } from './digest.ts'
import { keyring, type KeyOwner } from './keyring.ts'
import { isStrong, signedBy } from './keys.ts'
import { Refused } from './rejected-request.ts'
import { readRfc9421 } from './rfc9421.ts'

export { signCavage } from './cavage.ts'
export { signRfc9421 } from './rfc9421.ts'
export { digestOf, publicKeyOf } from './keys.ts'

/** A request whose signature is asked about; `path` with its query, `now` in ms. */
export type Signed = { method: string; path: string; headers: IncomingHttpHeaders; body?: Uint8Array; now?: number }

/**
 * Who signed a request: cavage or RFC 9421, over what must be covered, with a date near ours and the digest of the body. A key that
 * does not fit is asked for anew once in a while (federation.md 4.34). Throws Refused 401 with the reason.
 */
export async function verifyRequest({ method, path, headers, body, now = Date.now() }: Signed): Promise<KeyOwner> {
  const read = headers['signature-input'] === undefined ? readCavage : readRfc9421
  const claim = read({ method, path, headers })
  checkTimes(claim, now)
  if (body) checkDigests(headers, body, claim.covered)
  // PeerTube signs a GET without its query.
  const bare =
    method === 'GET' && path.includes('?') && read === readCavage ? readCavage({ method, path: path.split('?', 1)[0]!, headers }) : null
  const known = await keyring.owner(claim.keyId, false)
  if (known && ((await fits(claim, known)) || (bare && (await fits(bare, known))))) return known
  const fresh = await keyring.owner(claim.keyId, true)
  if (fresh && fresh !== known && ((await fits(claim, fresh)) || (bare && (await fits(bare, fresh))))) return fresh
  throw new Refused(401, (fresh ?? known) ? 'The signature does not fit the key' : 'The key of the signature is not to be had')
}

function checkTimes({ created, expires }: Claim, now: number): void {
  const skew = config.federation.clock_skew
  if (created === undefined || !Number.isFinite(created)) throw new Refused(401, 'The signature has no date')
  if (Math.abs(created * 1000 - now) > skew)
    throw new Refused(401, `The date of the signature is more than ${Math.round(skew / 60_000)} minutes from ours`)
  if (expires !== undefined && (!Number.isFinite(expires) || expires * 1000 < now)) throw new Refused(401, 'The signature has expired')
}

async function fits({ text, signature, algorithm }: Claim, { key }: KeyOwner): Promise<boolean> {
  if (!isStrong(key)) return false
  const name = algorithm.toLowerCase()
  const kind = key.asymmetricKeyType
  if (kind === 'ed25519') return ['ed25519', 'ed25519-sha512', 'hs2019', ''].includes(name) && (await signedBy(text, signature, key))
  if (['rsa-sha256', 'rsa-v1_5-sha256'].includes(name)) return await signedBy(text, signature, key)
  if (name === 'rsa-sha512') return await signedBy(text, signature, key, 'sha512')
  // hs2019 leaves the algorithm to the key.
  return ['hs2019', ''].includes(name) && ((await signedBy(text, signature, key)) || (await signedBy(text, signature, key, 'sha512')))
}
