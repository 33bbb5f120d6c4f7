import activitystreams from './contexts/activitystreams.json' with { type: 'json' }
import did from './contexts/did-v1.json' with { type: 'json' }
import gotosocial from './contexts/gotosocial.json' with { type: 'json' }
import identity from './contexts/identity-v1.json' with { type: 'json' }
import lemmy from './contexts/join-lemmy.json' with { type: 'json' }
import mastodon from './contexts/joinmastodon.json' with { type: 'json' }
import integrity1 from './contexts/security-data-integrity-v1.json' with { type: 'json' }
import integrity2 from './contexts/security-data-integrity-v2.json' with { type: 'json' }
import multikey from './contexts/security-multikey-v1.json' with { type: 'json' }
import security from './contexts/security-v1.json' with { type: 'json' }
import webfinger from './contexts/webfinger.json' with { type: 'json' }
import { isObject, listOf } from './vocabulary.ts'

/** The contexts that are known; none is ever fetched (docs/federation.md#contexts). */
const KNOWN: Record<string, { '@context': unknown }> = {
  'https://www.w3.org/ns/activitystreams': activitystreams,
  'http://www.w3.org/ns/activitystreams': activitystreams,
  'https://w3id.org/security/v1': security,
  'https://w3id.org/identity/v1': identity,
  'https://w3id.org/security/data-integrity/v1': integrity1,
  'https://w3id.org/security/data-integrity/v2': integrity2,
  'https://w3id.org/security/multikey/v1': multikey,
  'https://www.w3.org/ns/did/v1': did,
  'https://purl.archive.org/socialweb/webfinger': webfinger,
  'https://gotosocial.org/ns': gotosocial,
  'https://join-lemmy.org/context.json': lemmy,
  'http://joinmastodon.org/ns': mastodon,
  'https://joinmastodon.org/ns': mastodon
}

/** Gives jsonld a known context; throws for any other. */
export async function loadJsonLdContext(
  url: string
): Promise<{ contextUrl: undefined; documentUrl: string; document: { '@context': unknown } }> {
  const document = KNOWN[url]
  if (!document) throw new Error(`The context ${url.slice(0, 200)} is not known`)
  return { contextUrl: undefined, documentUrl: url, document }
}

/** The terms that must mean what they mean: those of ActivityStreams and of the signatures. */
const FIXED = new Set(
  [activitystreams, security].flatMap(({ '@context': context }) => Object.keys(context as object)).filter(term => !term.startsWith('@'))
)
// PeerTube's copies of videos expire in schema.org's sense; nothing that is checked here does.
FIXED.delete('expires')
/** Whether a term is one of these. */
export function isProtectedTerm(term: string): boolean {
  return FIXED.has(term)
}

/** What a definition of a term may say. */
const SAYABLE = new Set(['@id', '@type', '@container', '@language', '@version', '@vocab', '@base'])

/** Whether every context of a document is known, or only adds terms to the known ones without changing what any of those means. */
export function isSafeJsonLdContext(context: unknown): boolean {
  return listOf(context).every(one => {
    if (typeof one === 'string') return one in KNOWN
    if (!isObject(one)) return false
    return Object.entries(one).every(([term, definition]) => {
      if (term === '@language') return typeof definition === 'string' || definition === null
      if (term === '@vocab') return definition === '_:'
      if (term.startsWith('@')) return false
      // Saying again what ActivityStreams says is common.
      if (FIXED.has(term)) return restates(term, definition)
      return typeof definition === 'string'
        ? !definition.startsWith('@')
        : isObject(definition) &&
            Object.entries(definition).every(
              ([key, value]) =>
                SAYABLE.has(key) &&
                key !== '@vocab' &&
                key !== '@base' &&
                (key === '@type' || key === '@container' || !String(value).startsWith('@'))
            )
    })
  })
}

function restates(term: string, definition: unknown): boolean {
  const known = [activitystreams, security]
    .map(({ '@context': context }) => (context as Record<string, unknown>)[term])
    .filter(one => one !== undefined)
  const plain = (one: unknown) => JSON.stringify(isObject(one) ? Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)) : [['@id', one]])
  return known.some(one => plain(one) === plain(definition) || expanded(one) === expanded(definition))
}

/** A definition with its prefix written out, as far as that is needed to compare. */
function expanded(definition: unknown): string {
  const id = String(isObject(definition) ? definition['@id'] : definition)
  const type = isObject(definition) ? (definition['@type'] ?? '') : ''
  return `${id.replace(/^https?:\/\/www\.w3\.org\/ns\/activitystreams#/, 'as:').replace(/^https:\/\/w3id\.org\/security#/, 'sec:')} ${String(type)}`
}
