import { createHash } from 'node:crypto'
import { ALL_CONTEXT_TERMS } from './jsonld-context.ts'
import { isProtectedTerm, isSafeJsonLdContext, loadJsonLdContext } from './jsonld-context-loader.ts'
import { verifySignature, signText } from './keys.ts'
import { keyring, type Signer } from './keyring.ts'
import { httpUrl, sameOrigin } from './origin.ts'
import { idOf, isObject, listOf, AS_PUBLIC, type JsonObject } from './vocabulary.ts'

const SECURITY = 'https://w3id.org/security/v1'
/**
 * `expires` without a prefix is the term of the signatures (security/v1) here; schema.org's, of a CacheFile, has to be written as
 * `sc:expires`.
 */
const { expires: _expiresOfCacheFile, ...terms } = ALL_CONTEXT_TERMS
const EXPIRES = 'sc:expires'
/** What is understood of a document: ActivityStreams, the signatures, and the types that PeerTube adds. */
const CONTEXT = ['https://www.w3.org/ns/activitystreams', SECURITY, terms]
/** More values, and more things without an id, are not canonicalised for a stranger (docs/federation.md#canonicalization). */
const MAX_VALUES = 500
const MAX_NAMELESS = 64

/** A document with an RsaSignature2017 of a local actor, as PeerTube and Mastodon check it when it is sent on by others. */
export async function createLdSignature(document: object, { actor, privateKey }: Signer): Promise<JsonObject> {
  const options = { creator: actor, created: new Date().toISOString() }
  const text = (await hashed({ '@context': SECURITY, ...options })) + (await hashed(document))
  return {
    ...(document as JsonObject),
    signature: { type: 'RsaSignature2017', ...options, signatureValue: await signText(text, privateKey) }
  }
}

/** The actor whose RsaSignature2017 a document carries; null where it carries none that counts. Asks for no context. */
export async function verifyLdSignature(document: JsonObject): Promise<string | null> {
  const { signature, ...rest } = document
  if (!isObject(signature) || signature.type !== 'RsaSignature2017' || typeof signature.signatureValue !== 'string') return null
  const creator = httpUrl(idOf(signature.creator))
  const actor = httpUrl(idOf(document.actor))
  if (!creator || !actor || !sameOrigin(creator, actor) || !isPlain(rest)) return null
  try {
    if (!(await readsTheSame(rest))) return null
    const { type: _type, id: _id, signatureValue, ...options } = signature
    const text = (await hashed({ ...options, '@context': SECURITY })) + (await hashed(rest))
    for (const refresh of [false, true]) {
      const owner = await keyring.owner(creator, refresh)
      if (
        owner?.actor === actor &&
        owner.key.asymmetricKeyType === 'rsa' &&
        (await verifySignature(text, String(signatureValue), owner.key))
      )
        return actor
    }
    return null
  } catch {
    return null
  }
}

/** Nothing in it but values: no keyword of JSON-LD outside of a harmless context, and not too much of anything that costs time. */
function isPlain({ '@context': context, ...rest }: JsonObject): boolean {
  if (!isSafeJsonLdContext(context)) return false
  let values = lengthOf(context)
  let nameless = 0
  const open: unknown[] = [rest]
  while (open.length > 0) {
    const value = open.pop()
    if (++values > MAX_VALUES) return false
    if (typeof value === 'string' && value.startsWith('_:')) return false
    if (Array.isArray(value)) open.push(...(value as unknown[]))
    else if (isObject(value)) {
      if (typeof value.id !== 'string' && ++nameless > MAX_NAMELESS) return false
      for (const [key, inner] of Object.entries(value)) {
        if (key === '@context' ? !isSafeJsonLdContext(inner) : key.startsWith('@')) return false
        if (key === '@context') values += lengthOf(inner)
        else open.push(inner)
      }
    }
  }
  return true
}

function lengthOf(context: unknown): number {
  return listOf(context).reduce<number>((sum, one) => sum + (isObject(one) ? Object.keys(one).length : 1), 0)
}

/**
 * Whether what is read here is what was signed: with the terms as they are known here, the document says the same as by its own context.
 */
async function readsTheSame(document: JsonObject): Promise<boolean> {
  const { default: jsonld } = await import('jsonld')
  const compacted = (await jsonld.compact(document as never, { '@context': CONTEXT } as never, {
    documentLoader: loadJsonLdContext as never,
    skipExpansion: false
  })) as unknown as JsonObject
  return JSON.stringify(read(document)) === JSON.stringify(read(compacted))
}

const isRead = (term: string) => isProtectedTerm(term) || term in ALL_CONTEXT_TERMS

/** What of a value is read here, in one order and one form. */
function read(value: unknown, key = ''): unknown {
  if (Array.isArray(value))
    return value
      .map(one => JSON.stringify(read(one, key)))
      .filter(one => one !== 'null')
      .sort()
  if (!isObject(value))
    return key === 'type' && !isRead(String(value)) ? null : value === 'as:Public' || value === 'Public' ? AS_PUBLIC : value
  // A map of languages has words of its own.
  const entries = Object.entries(value)
    .map(([name, one]) => [name === EXPIRES ? 'expires' : name, one] as const)
    .filter(([name]) => name !== '@context' && (key.endsWith('Map') || isRead(name)))
  const said = entries
    .map(([name, one]) => [name, read(listOf(one), name) as string[]] as const)
    .filter(([, one]) => one.length > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return said.length === 1 && said[0]![0] === 'id' ? value.id : Object.fromEntries(said)
}

async function hashed(document: object): Promise<string> {
  const { default: jsonld } = await import('jsonld')
  const quads = (await jsonld.canonize(
    document as never,
    { algorithm: 'URDNA2015', format: 'application/n-quads', documentLoader: loadJsonLdContext, safe: false } as never
  )) as unknown as string
  return createHash('sha256').update(quads).digest('hex')
}
