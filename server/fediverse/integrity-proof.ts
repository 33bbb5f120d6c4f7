import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import canonicalize from 'canonicalize'
import { fetchRemoteDocument } from './remote-fetch.ts'
import { verifySignature } from './keys.ts'
import { httpUrl, sameOrigin } from './origin.ts'
import { idOf, isObject, listOf, type JsonObject } from './vocabulary.ts'

const SUITE = 'eddsa-jcs-2022'
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
/** Multicodec of an Ed25519 public key, and the head of its DER form. */
const ED25519 = Buffer.from([0xed, 0x01])
const ED25519_DER = Buffer.from('302a300506032b6570032100', 'hex')
const LONGEST = 200
const MAX_KEYS = 10

/**
 * The actor whose data integrity proof a document carries (FEP-8b32, eddsa-jcs-2022), by a key its own document names as
 * `assertionMethod` (FEP-521a); null where it carries none that counts.
 */
export async function verifyIntegrityProof(document: JsonObject): Promise<string | null> {
  const { proof, ...rest } = document
  const actor = httpUrl(idOf(document.actor))
  if (
    !actor ||
    !isObject(proof) ||
    proof.type !== 'DataIntegrityProof' ||
    proof.cryptosuite !== SUITE ||
    proof.proofPurpose !== 'assertionMethod'
  )
    return null
  const { proofValue, ...options } = proof
  const method = httpUrl(proof.verificationMethod)
  const signature = typeof proofValue === 'string' ? base58(proofValue) : null
  if (!method || !sameOrigin(method, actor) || !signature) return null
  try {
    const keys = await keysOf(actor, method)
    const hash = (value: unknown) => createHash('sha256').update(canonicalize(value)!).digest()
    const head = hash({ ...(rest['@context'] === undefined ? {} : { '@context': rest['@context'] }), ...options })
    // An LD signature is added after the proof, or before it.
    const { signature: _ld, ...bare } = rest
    const texts = [bare, rest].map(covered => Buffer.concat([head, hash(covered)]))
    for (const key of keys) {
      for (const text of texts) if (await verifySignature(text, signature.toString('base64'), key)) return actor
    }
    return null
  } catch {
    return null
  }
}

/**
 * The key that an actor's own document lists under this address; where it is a name in that document that is not there, as Fedify writes,
 * whichever it lists.
 */
async function keysOf(actor: string, method: string): Promise<KeyObject[]> {
  const { document } = await fetchRemoteDocument(actor)
  const listed = listOf(document.assertionMethod)
    .slice(0, MAX_KEYS)
    .filter(isObject)
    .map(entry => ({ id: httpUrl(entry.id), key: keyOf(actor, entry) }))
    .filter(one => one.key !== null)
  const named = listed.filter(one => one.id === method)
  return (named.length > 0 ? named : method.split('#', 1)[0] === actor ? listed : []).map(one => one.key!)
}

function keyOf(actor: string, { type, controller, publicKeyMultibase }: JsonObject): KeyObject | null {
  if (type !== 'Multikey' || httpUrl(controller) !== actor || typeof publicKeyMultibase !== 'string') return null
  const bytes = base58(publicKeyMultibase)
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
