import { createHash } from 'node:crypto'
import { isHarmless, loadContext } from './contexts.ts'
import { signedBy, signText } from './keys.ts'
import { keyring, type Signer } from './keyring.ts'
import { httpUrl, sameOrigin } from './origin.ts'
import { idOf, isObject, typeOf, type JsonObject } from './vocabulary.ts'

const SECURITY = 'https://w3id.org/security/v1'
/** What is understood of a document: ActivityStreams, and the types that PeerTube adds to it. */
const CONTEXT = ['https://www.w3.org/ns/activitystreams', SECURITY, {
  pt: 'https://joinpeertube.org/ns#', sc: 'http://schema.org/', CacheFile: 'pt:CacheFile', Playlist: 'pt:Playlist', PlaylistElement: 'pt:PlaylistElement', ApproveReply: 'pt:ApproveReply', RejectReply: 'pt:RejectReply', WatchAction: 'sc:WatchAction'
}]
/** More values than this are not canonicalised for a stranger (federation.md 4.28). */
const MAX_VALUES = 500
/** What decides what an activity does: it must read the same with the terms as they are known here. */
const DECISIVE = ['type', 'id', 'actor', 'object', 'to', 'cc', 'target'] as const

/** A document with an RsaSignature2017 of a local actor, as PeerTube and Mastodon check it when it is sent on by others. */
export async function signLd(document: object, { actor, privateKey }: Signer): Promise<JsonObject> {
  const options = { creator: actor, created: new Date().toISOString() }
  const text = await hashed({ '@context': SECURITY, ...options }) + await hashed(document)
  return { ...document as JsonObject, signature: { type: 'RsaSignature2017', ...options, signatureValue: signText(text, privateKey) } }
}

/** The actor whose RsaSignature2017 a document carries; null where it carries none that counts. Asks for no context. */
export async function verifyLd(document: JsonObject): Promise<string | null> {
  const { signature, ...rest } = document
  if (!isObject(signature) || signature.type !== 'RsaSignature2017' || typeof signature.signatureValue !== 'string') return null
  const creator = httpUrl(idOf(signature.creator))
  const actor = httpUrl(idOf(document.actor))
  if (!creator || !actor || !sameOrigin(creator, actor) || !isPlain(rest)) return null
  try {
    if (!await readsTheSame(rest)) return null
    const { type: _type, id: _id, signatureValue, ...options } = signature
    const text = await hashed({ ...options, '@context': SECURITY }) + await hashed(rest)
    for (const refresh of [false, true]) {
      const owner = await keyring.owner(creator, refresh)
      if (owner?.actor === actor && owner.key.asymmetricKeyType === 'rsa' && signedBy(text, String(signatureValue), owner.key)) return actor
    }
    return null
  } catch { return null }
}

/** Nothing in it but values: no keyword of JSON-LD outside of a harmless context, and not too many. */
function isPlain({ '@context': context, ...rest }: JsonObject): boolean {
  if (!isHarmless(context)) return false
  let values = 0
  const open: unknown[] = [rest]
  while (open.length > 0) {
    const value = open.pop()
    if (++values > MAX_VALUES) return false
    if (Array.isArray(value)) open.push(...value as unknown[])
    else if (isObject(value)) {
      for (const [key, inner] of Object.entries(value)) {
        if (key === '@context' ? !isHarmless(inner) : key.startsWith('@')) return false
        if (key !== '@context') open.push(inner)
      }
    }
  }
  return true
}

/** Whether the document says the same by the terms as they are known here as it says by its own context. */
async function readsTheSame(document: JsonObject): Promise<boolean> {
  const { default: jsonld } = await import('jsonld')
  const compacted = await jsonld.compact(document as never, { '@context': CONTEXT } as never, { documentLoader: loadContext as never, skipExpansion: false }) as unknown as JsonObject
  const core = (value: unknown): unknown => Array.isArray(value) ? value.map(core).sort() : isObject(value) ? `${idOf(value)} ${typeOf(value)}` : value
  const said = (value: unknown) => JSON.stringify([core(value)].flat().map(one => one === 'as:Public' || one === 'Public' ? 'https://www.w3.org/ns/activitystreams#Public' : one))
  return DECISIVE.every(name => said(document[name] ?? []) === said(compacted[name] ?? []))
}

async function hashed(document: object): Promise<string> {
  const { default: jsonld } = await import('jsonld')
  const quads = await jsonld.canonize(document as never, { algorithm: 'URDNA2015', format: 'application/n-quads', documentLoader: loadContext, safe: false } as never) as unknown as string
  return createHash('sha256').update(quads).digest('hex')
}
