import activitystreams from './contexts/activitystreams.json' with { type: 'json' }
import didV1 from './contexts/did-v1.json' with { type: 'json' }
import gotosocial from './contexts/gotosocial.json' with { type: 'json' }
import identity from './contexts/identity-v1.json' with { type: 'json' }
import lemmy from './contexts/join-lemmy.json' with { type: 'json' }
import mastodon from './contexts/joinmastodon.json' with { type: 'json' }
import integrityV1 from './contexts/security-data-integrity-v1.json' with { type: 'json' }
import integrityV2 from './contexts/security-data-integrity-v2.json' with { type: 'json' }
import multikey from './contexts/security-multikey-v1.json' with { type: 'json' }
import security from './contexts/security-v1.json' with { type: 'json' }
import webfinger from './contexts/webfinger.json' with { type: 'json' }
import { isObject, listOf } from './vocabulary.ts'

/** The bundled contexts; none is ever fetched (docs/federation.md#contexts). */
const BUNDLED_CONTEXTS: Record<string, { '@context': unknown }> = {
  'https://www.w3.org/ns/activitystreams': activitystreams,
  'http://www.w3.org/ns/activitystreams': activitystreams,
  'https://w3id.org/security/v1': security,
  'https://w3id.org/identity/v1': identity,
  'https://w3id.org/security/data-integrity/v1': integrityV1,
  'https://w3id.org/security/data-integrity/v2': integrityV2,
  'https://w3id.org/security/multikey/v1': multikey,
  'https://www.w3.org/ns/did/v1': didV1,
  'https://purl.archive.org/socialweb/webfinger': webfinger,
  'https://gotosocial.org/ns': gotosocial,
  'https://join-lemmy.org/context.json': lemmy,
  'http://joinmastodon.org/ns': mastodon,
  'https://joinmastodon.org/ns': mastodon
}

/** The document loader of jsonld: returns a bundled context; throws for any other URL. */
export async function loadJsonLdContext(
  url: string
): Promise<{ contextUrl: undefined; documentUrl: string; document: { '@context': unknown } }> {
  const document = BUNDLED_CONTEXTS[url]
  if (!document) throw new Error(`The context ${url.slice(0, 200)} is not known`)
  return { contextUrl: undefined, documentUrl: url, document }
}

/** Terms that no context may redefine: those of ActivityStreams and security/v1. */
const PROTECTED_TERMS = new Set(
  [activitystreams, security].flatMap(({ '@context': context }) => Object.keys(context as object)).filter(term => !term.startsWith('@'))
)
// A CacheFile of PeerTube uses `expires` of schema.org; nothing that is verified here depends on the term.
PROTECTED_TERMS.delete('expires')
/** Whether no context may redefine a term. */
export function isProtectedTerm(term: string): boolean {
  return PROTECTED_TERMS.has(term)
}

/** The keys that a term definition may have. */
const ALLOWED_DEFINITION_KEYS = new Set(['@id', '@type', '@container', '@language', '@version', '@vocab', '@base'])

/** Whether every context of a document is bundled, or only adds terms without redefining any of the protected ones. */
export function isSafeJsonLdContext(context: unknown): boolean {
  return listOf(context).every(entry => {
    if (typeof entry === 'string') return entry in BUNDLED_CONTEXTS
    if (!isObject(entry)) return false
    return Object.entries(entry).every(([term, definition]) => {
      if (term === '@language') return typeof definition === 'string' || definition === null
      if (term === '@vocab') return definition === '_:'
      if (term.startsWith('@')) return false
      // Many servers repeat definitions of ActivityStreams.
      if (PROTECTED_TERMS.has(term)) return equalsStandardDefinition(term, definition)
      return typeof definition === 'string'
        ? !definition.startsWith('@')
        : isObject(definition) &&
            Object.entries(definition).every(
              ([key, value]) =>
                // Terms that hold inside of a property only (JSON-LD 1.1, 4.1.8) are under the same rules.
                (key === '@context' && isSafeJsonLdContext(value)) ||
                (ALLOWED_DEFINITION_KEYS.has(key) &&
                  key !== '@vocab' &&
                  key !== '@base' &&
                  (key === '@type' || key === '@container' || !String(value).startsWith('@')))
            )
    })
  })
}

function equalsStandardDefinition(term: string, definition: unknown): boolean {
  const standardDefinitions = [activitystreams, security]
    .map(({ '@context': context }) => (context as Record<string, unknown>)[term])
    .filter(standard => standard !== undefined)
  const serialized = (standard: unknown) =>
    JSON.stringify(isObject(standard) ? Object.entries(standard).sort(([a], [b]) => (a < b ? -1 : 1)) : [['@id', standard]])
  return standardDefinitions.some(
    standard => serialized(standard) === serialized(definition) || abbreviated(standard) === abbreviated(definition)
  )
}

/** A definition with the IRIs of ActivityStreams and security abbreviated to their prefixes, for comparison. */
function abbreviated(definition: unknown): string {
  const id = String(isObject(definition) ? definition['@id'] : definition)
  const type = isObject(definition) ? (definition['@type'] ?? '') : ''
  const abbreviatedId = id
    .replace(/^https?:\/\/www\.w3\.org\/ns\/activitystreams#/, 'as:')
    .replace(/^https:\/\/w3id\.org\/security#/, 'sec:')
  return `${abbreviatedId} ${String(type)}`
}
