import { createHash } from 'node:crypto'
import { ALL_CONTEXT_TERMS } from './jsonld-context.ts'
import { isProtectedTerm, isSafeJsonLdContext, loadJsonLdContext } from './jsonld-context-loader.ts'
import { verifySignature, signText } from './keys.ts'
import { keyring, type Signer } from './keyring.ts'
import { httpUrl, sameOrigin } from './origin.ts'
import { idOf, isObject, listOf, AS_PUBLIC, type JsonObject } from './vocabulary.ts'

const SECURITY_CONTEXT = 'https://w3id.org/security/v1'
/** `expires` without a prefix is the term of security/v1; that of schema.org (in a CacheFile) is written `sc:expires`. */
const { expires: _expiresOfCacheFile, ...termsWithoutExpires } = ALL_CONTEXT_TERMS
const PREFIXED_EXPIRES = 'sc:expires'
/** The terms that are understood here: ActivityStreams, the signatures, and those that PeerTube adds. */
const KNOWN_CONTEXT = ['https://www.w3.org/ns/activitystreams', SECURITY_CONTEXT, termsWithoutExpires]
/** Documents of other servers with more values or blank nodes are not canonicalized (docs/federation.md#canonicalization). */
const MAX_VALUES = 500
const MAX_BLANK_NODES = 64

/** Signs a document with an RsaSignature2017 of a local actor, as PeerTube and Mastodon verify it on forwarded activities. */
export async function createLdSignature(document: object, { actor, privateKey }: Signer): Promise<JsonObject> {
  const options = { creator: actor, created: new Date().toISOString() }
  const signedText = (await canonicalHash({ '@context': SECURITY_CONTEXT, ...options })) + (await canonicalHash(document))
  return {
    ...(document as JsonObject),
    signature: { type: 'RsaSignature2017', ...options, signatureValue: await signText(signedText, privateKey) }
  }
}

/** Returns the actor whose RsaSignature2017 a document carries; null without a valid one. Fetches no context. */
export async function verifyLdSignature(document: JsonObject): Promise<string | null> {
  const { signature, ...unsigned } = document
  if (!isObject(signature) || signature.type !== 'RsaSignature2017' || typeof signature.signatureValue !== 'string') return null
  const creator = httpUrl(idOf(signature.creator))
  const actor = httpUrl(idOf(document.actor))
  if (!creator || !actor || !sameOrigin(creator, actor) || !isSafeToCanonize(unsigned)) return null
  try {
    if (!(await hasSameMeaning(unsigned))) return null
    const { type: _type, id: _id, signatureValue, ...options } = signature
    const signedText = (await canonicalHash({ ...options, '@context': SECURITY_CONTEXT })) + (await canonicalHash(unsigned))
    for (const refresh of [false, true]) {
      const owner = await keyring.owner(creator, refresh)
      if (
        owner?.actor === actor &&
        owner.key.asymmetricKeyType === 'rsa' &&
        (await verifySignature(signedText, String(signatureValue), owner.key))
      )
        return actor
    }
    return null
  } catch {
    return null
  }
}

/**
 * Whether a document is cheap and safe to canonicalize: no JSON-LD keywords outside of safe contexts, a bounded number of values and blank
 * nodes.
 */
function isSafeToCanonize({ '@context': context, ...rest }: JsonObject): boolean {
  if (!isSafeJsonLdContext(context)) return false
  let values = contextSize(context)
  let blankNodes = 0
  const pending: unknown[] = [rest]
  while (pending.length > 0) {
    const value = pending.pop()
    if (++values > MAX_VALUES) return false
    if (typeof value === 'string' && value.startsWith('_:')) return false
    if (Array.isArray(value)) pending.push(...(value as unknown[]))
    else if (isObject(value)) {
      if (typeof value.id !== 'string' && ++blankNodes > MAX_BLANK_NODES) return false
      for (const [key, inner] of Object.entries(value)) {
        if (key === '@context' ? !isSafeJsonLdContext(inner) : key.startsWith('@')) return false
        if (key === '@context') values += contextSize(inner)
        else pending.push(inner)
      }
    }
  }
  return true
}

function contextSize(context: unknown): number {
  return listOf(context).reduce<number>((sum, part) => sum + (isObject(part) ? Object.keys(part).length : 1), 0)
}

/**
 * Whether the properties as read here are those that were signed: compacted with the known terms, the document equals what its own context
 * makes of it.
 */
async function hasSameMeaning(document: JsonObject): Promise<boolean> {
  const { default: jsonld } = await import('jsonld')
  const compacted = (await jsonld.compact(document as never, { '@context': KNOWN_CONTEXT } as never, {
    documentLoader: loadJsonLdContext as never,
    skipExpansion: false
  })) as unknown as JsonObject
  return JSON.stringify(normalize(document)) === JSON.stringify(normalize(compacted))
}

const isKnownTerm = (term: string) => isProtectedTerm(term) || term in ALL_CONTEXT_TERMS

/** The known properties of a value in a canonical order and form. */
function normalize(value: unknown, key = ''): unknown {
  if (Array.isArray(value))
    return value
      .map(item => JSON.stringify(normalize(item, key)))
      .filter(item => item !== 'null')
      .sort()
  if (!isObject(value))
    return key === 'type' && !isKnownTerm(String(value)) ? null : value === 'as:Public' || value === 'Public' ? AS_PUBLIC : value
  // The keys of language maps are no terms.
  const entries = Object.entries(value)
    .map(([name, item]) => [name === PREFIXED_EXPIRES ? 'expires' : name, item] as const)
    .filter(([name]) => name !== '@context' && (key.endsWith('Map') || isKnownTerm(name)))
  const normalizedEntries = entries
    .map(([name, entryValue]) => [name, normalize(listOf(entryValue), name) as string[]] as const)
    .filter(([, entryValue]) => entryValue.length > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return normalizedEntries.length === 1 && normalizedEntries[0]![0] === 'id' ? value.id : Object.fromEntries(normalizedEntries)
}

async function canonicalHash(document: object): Promise<string> {
  const { default: jsonld } = await import('jsonld')
  const quads = (await jsonld.canonize(
    document as never,
    { algorithm: 'URDNA2015', format: 'application/n-quads', documentLoader: loadJsonLdContext, safe: false } as never
  )) as unknown as string
  return createHash('sha256').update(quads).digest('hex')
}
