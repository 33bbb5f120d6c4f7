import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { config } from '../core/config.ts'

const MAX_BITS = 8192
const LONGEST_PEM = 10_000
const signed = promisify<string | null, Buffer, KeyObject, Buffer>(sign)
const verified = promisify<string | null, Buffer, KeyObject, Buffer, boolean>(verify)

/**
 * The public key in a PEM, RSA of `federation.min_key_bits` to 8,192 bits or Ed25519 (docs/federation.md#kinds-of-keys); null for anything
 * else.
 */
export function parsePublicKeyPem(pem: unknown): KeyObject | null {
  if (typeof pem !== 'string' || pem.length > LONGEST_PEM || !/^\s*-----BEGIN (RSA )?PUBLIC KEY-----/.test(pem)) return null
  try {
    const key = createPublicKey(pem.trim())
    return isAcceptableKey(key) ? key : null
  } catch {
    return null
  }
}

/** Whether a key is of a kind and length that is taken. */
export function isAcceptableKey(key: KeyObject): boolean {
  if (key.asymmetricKeyType === 'ed25519') return true
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  return key.asymmetricKeyType === 'rsa' && bits >= config.federation.min_key_bits && bits <= MAX_BITS
}

/** The signature of a text in base64: RSASSA-PKCS1-v1_5 with SHA-256, or Ed25519, as the key is. Computed beside the event loop. */
export async function signText(text: string | Uint8Array, key: KeyObject): Promise<string> {
  return (await signed(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', Buffer.from(text), key)).toString('base64')
}

/** Whether a base64 signature of a text is of this key; `hash` is for RSA. Computed beside the event loop. */
export async function verifySignature(
  text: string | Uint8Array,
  signature: string,
  key: KeyObject,
  hash: 'sha256' | 'sha512' = 'sha256'
): Promise<boolean> {
  return await verified(key.asymmetricKeyType === 'ed25519' ? null : hash, Buffer.from(text), key, Buffer.from(signature, 'base64')).catch(
    () => false
  )
}

/** The base64 SHA-256 of a body. */
export function sha256Base64(body: string | Uint8Array): string {
  return createHash('sha256').update(body).digest('base64')
}
