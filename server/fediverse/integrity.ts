import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import canonicalize from 'canonicalize'
import { getDocument } from './egress.ts'
import { signedBy } from './keys.ts'
import { httpUrl, sameOrigin } from './origin.ts'
import { idOf, isObject, listOf, type JsonObject } from './vocabulary.ts'

const SUITE = 'eddsa-jcs-2022'
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
/** Multicodec of an Ed25519 public key, and the head of its DER form. */
const ED25519 = Buffer.from([0xED, 0x01])
const ED25519_DER = Buffer.from('302a300506032b6570032100', 'hex')
const LONGEST = 200

/**
 * The actor whose data integrity proof a document carries (FEP-8b32, eddsa-jcs-2022), by the key its own document names as
 * `assertionMethod` (FEP-521a); null where it carries none that counts.
 */
export async function verifyIntegrity(document: JsonObject): Promise<string | null> {
  const { proof, ...rest } = document
  const actor = httpUrl(idOf(document.actor))
  if (!actor || !isObject(proof) || proof.type !== 'DataIntegrityProof' || proof.cryptosuite !== SUITE || proof.proofPurpose !== 'assertionMethod') return null
  const { proofValue, ...options } = proof
  const method = httpUrl(proof.verificationMethod)
  const signature = typeof proofValue === 'string' ? base58(proofValue) : null
  if (!method || !sameOrigin(method, actor) || !signature) return null
  try {
    const key = await keyOf(actor, method)
    if (!key) return null
    const hash = (value: unknown) => createHash('sha256').update(canonicalize(value)!).digest()
    const text = Buffer.concat([hash({ ...(rest['@context'] === undefined ? {} : { '@context': rest['@context'] }), ...options }), hash(rest)])
    return signedBy(text, signature.toString('base64'), key) ? actor : null
  } catch { return null }
}

/** The key that an actor's own document lists under this address. */
async function keyOf(actor: string, method: string): Promise<KeyObject | null> {
  const { document } = await getDocument(actor)
  const entry = listOf(document.assertionMethod).find(one => isObject(one) && httpUrl(one.id) === method)
  if (!isObject(entry) || entry.type !== 'Multikey' || httpUrl(entry.controller) !== actor || typeof entry.publicKeyMultibase !== 'string') return null
  const bytes = base58(entry.publicKeyMultibase)
  if (!bytes || bytes.length !== 34 || !bytes.subarray(0, 2).equals(ED25519)) return null
  return createPublicKey({ key: Buffer.concat([ED25519_DER, bytes.subarray(2)]), format: 'der', type: 'spki' })
}

/** Multibase base58btc; null for anything else. */
function base58(text: string): Buffer | null {
  if (!text.startsWith('z') || text.length > LONGEST) return null
  let number = 0n
  for (const letter of text.slice(1)) {
    const value = ALPHABET.indexOf(letter)
    if (value === -1) return null
    number = number * 58n + BigInt(value)
  }
  const hex = number === 0n ? '' : number.toString(16)
  const zeros = /^z(1*)/.exec(text)![1]!.length
  return Buffer.concat([Buffer.alloc(zeros), Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex')])
}
