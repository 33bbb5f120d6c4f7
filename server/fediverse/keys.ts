import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { config } from '../core/config.ts'

const MAX_RSA_BITS = 8192
const MAX_PEM_LENGTH = 10_000
const signAsync = promisify<string | null, Buffer, KeyObject, Buffer>(sign)
const verifyAsync = promisify<string | null, Buffer, KeyObject, Buffer, boolean>(verify)

/**
 * Parses a public key in PEM: RSA of `federation.min_key_bits` to 8,192 bits or Ed25519 (docs/federation.md#kinds-of-keys); null for
 * anything else.
 */
export function parsePublicKeyPem(pem: unknown): KeyObject | null {
  if (typeof pem !== 'string' || pem.length > MAX_PEM_LENGTH || !/^\s*-----BEGIN (RSA )?PUBLIC KEY-----/.test(pem)) return null
  try {
    const key = createPublicKey(pem.trim())
    return isAcceptableKey(key) ? key : null
  } catch {
    return null
  }
}

/** Whether a key has an accepted type and length. */
export function isAcceptableKey(key: KeyObject): boolean {
  if (key.asymmetricKeyType === 'ed25519') return true
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  return key.asymmetricKeyType === 'rsa' && bits >= config.federation.min_key_bits && bits <= MAX_RSA_BITS
}

/** Signs a text; base64. RSASSA-PKCS1-v1_5 with SHA-256 or Ed25519, depending on the key. Runs outside the event loop. */
export async function signText(text: string | Uint8Array, key: KeyObject): Promise<string> {
  return (await signAsync(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', Buffer.from(text), key)).toString('base64')
}

/** Whether a base64 signature of a text is valid for a key; `hash` applies to RSA. Runs outside the event loop. */
export async function verifySignature(
  text: string | Uint8Array,
  signature: string,
  key: KeyObject,
  hash: 'sha256' | 'sha512' = 'sha256'
): Promise<boolean> {
  return await verifyAsync(
    key.asymmetricKeyType === 'ed25519' ? null : hash,
    Buffer.from(text),
    key,
    Buffer.from(signature, 'base64')
  ).catch(() => false)
}

/** The base64 SHA-256 of a body. */
export function sha256Base64(body: string | Uint8Array): string {
  return createHash('sha256').update(body).digest('base64')
}
