import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import canonicalize from 'canonicalize'
import { config, instanceOrigin } from '../core/config.ts'
import { fetchRemoteDocument } from './remote-fetch.ts'
import { verifySignature } from './keys.ts'
import { hostOf, httpUrl, originOf, sameOrigin } from './origin.ts'
import { idOf, isObject, listOf, type Json, type JsonObject } from './vocabulary.ts'

const SUITE = 'eddsa-jcs-2022'
const BASE58_ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
/** Multicodec prefix of an Ed25519 public key, and the prefix of its DER form. */
const ED25519_MULTICODEC = Buffer.from([0xed, 0x01])
const ED25519_DER_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
const MAX_BASE58_LENGTH = 200
const MAX_KEYS = 10

/** XML Schema `dateTimeStamp`; without an offset it is UTC (Verifiable Credential Data Integrity §2.1). */
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,12})?(Z|[+-]\d\d:\d\d)?$/

/**
 * Returns the actor whose data integrity proof a document carries (FEP-8b32, eddsa-jcs-2022), verified with a key that the document of the
 * actor lists as `assertionMethod` (FEP-521a); null without a proof that is valid at `receivedAt` and for this server.
 */
export async function verifyIntegrityProof(document: JsonObject, receivedAt = new Date()): Promise<string | null> {
  const { proof, ...unsecured } = document
  const actor = httpUrl(idOf(document.actor))
  if (
    !actor ||
    !isObject(proof) ||
    proof.type !== 'DataIntegrityProof' ||
    proof.cryptosuite !== SUITE ||
    proof.proofPurpose !== 'assertionMethod' ||
    !isValidAt(proof, receivedAt) ||
    !isForThisServer(proof)
  )
    return null
  const { proofValue, ...options } = proof
  const verificationMethod = httpUrl(proof.verificationMethod)
  const proofBytes = typeof proofValue === 'string' ? decodeBase58btc(proofValue) : null
  if (!verificationMethod || !sameOrigin(verificationMethod, actor) || !proofBytes) return null
  try {
    const keys = await assertionKeysOf(actor, verificationMethod)
    const hash = (value: unknown) => createHash('sha256').update(canonicalize(value)!).digest()
    const optionsHash = hash({ ...(unsecured['@context'] === undefined ? {} : { '@context': unsecured['@context'] }), ...options })
    // An LD signature may be added after the proof or before it.
    const { signature: _ld, ...withoutLdSignature } = unsecured
    const candidates = [withoutLdSignature, unsecured].map(covered => Buffer.concat([optionsHash, hash(covered)]))
    for (const key of keys) {
      for (const candidate of candidates) if (await verifySignature(candidate, proofBytes.toString('base64'), key)) return actor
    }
    return null
  } catch {
    return null
  }
}

/** Whether a proof was made by then, give or take what clocks differ by, and has not expired. */
function isValidAt({ created, expires }: JsonObject, time: Date): boolean {
  const [from, until] = [created, expires].map(parseDateTime)
  if (from === undefined || until === undefined) return false
  return (
    (from === null || from <= time.getTime() + config.federation.clock_skew) &&
    (until === null || until > Math.max(time.getTime(), from ?? 0))
  )
}

/** Returns a time in ms, null where none is given, undefined where it is none. */
function parseDateTime(value: Json | undefined): number | null | undefined {
  if (value === undefined || value === null) return null
  const [text, offset] = typeof value === 'string' ? (DATE_TIME.exec(value) ?? []) : []
  const time = text === undefined ? NaN : Date.parse(offset ? text : `${text}Z`)
  return Number.isNaN(time) ? undefined : time
}

/** Whether a proof is for no particular domain, or names this server as one: by its origin or its host. */
function isForThisServer({ domain }: JsonObject): boolean {
  if (domain === undefined || domain === null) return true
  return listOf(domain).some(
    one => typeof one === 'string' && (originOf(one) === originOf(instanceOrigin()) || one.toLowerCase() === hostOf(instanceOrigin()))
  )
}

/**
 * The keys that the document of the actor lists under this id; all it lists if the id is a fragment of that document that is not listed (as
 * Fedify writes it).
 */
async function assertionKeysOf(actor: string, verificationMethod: string): Promise<KeyObject[]> {
  const { document } = await fetchRemoteDocument(actor)
  const listedKeys = listOf(document.assertionMethod)
    .slice(0, MAX_KEYS)
    .filter(isObject)
    .map(entry => ({ id: httpUrl(entry.id), key: parseMultikey(actor, entry) }))
    .filter(listedKey => listedKey.key !== null)
  const namedKeys = listedKeys.filter(listedKey => listedKey.id === verificationMethod)
  return (namedKeys.length > 0 ? namedKeys : verificationMethod.split('#', 1)[0] === actor ? listedKeys : []).map(
    listedKey => listedKey.key!
  )
}

function parseMultikey(actor: string, { type, controller, publicKeyMultibase }: JsonObject): KeyObject | null {
  if (type !== 'Multikey' || httpUrl(controller) !== actor || typeof publicKeyMultibase !== 'string') return null
  const bytes = decodeBase58btc(publicKeyMultibase)
  if (!bytes || bytes.length !== 34 || !bytes.subarray(0, 2).equals(ED25519_MULTICODEC)) return null
  return createPublicKey({ key: Buffer.concat([ED25519_DER_PREFIX, bytes.subarray(2)]), format: 'der', type: 'spki' })
}

/** Decodes multibase base58btc; null for anything else. */
function decodeBase58btc(text: string): Buffer | null {
  if (!text.startsWith('z') || text.length > MAX_BASE58_LENGTH) return null
  let decoded = 0n
  for (const character of text.slice(1)) {
    const value = BASE58_ALPHABET.indexOf(character)
    if (value === -1) return null
    decoded = decoded * 58n + BigInt(value)
  }
  const hex = decoded === 0n ? '' : decoded.toString(16)
  const zeros = /^z(1*)/.exec(text)![1]!.length
  return Buffer.concat([Buffer.alloc(zeros), Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex')])
}
