import { z } from 'zod'
import { parseRemoteDate } from '../fediverse/dates.ts'
import { hostOf, httpUrl, sameOrigin } from '../fediverse/origin.ts'
import { parsePublicKeyPem } from '../fediverse/keys.ts'
import { formsOf, idOf, isObject, linksOf, listOf, textOf, typeOf, type JsonObject } from '../fediverse/vocabulary.ts'
import { cleanLine, cleanText } from '../fediverse/text-limits.ts'

/** A remote actor parsed from its document: its own URLs are of its origin, texts are limited. */
export type RemoteActor = {
  url: string
  type: 'Person' | 'Group' | 'Application' | 'Service' | 'Organization'
  preferredUsername: string
  host: string
  displayName: string
  summary: string | null
  support: string | null
  inboxUrl: string
  sharedInboxUrl: string | null
  outboxUrl: string | null
  followersUrl: string | null
  followingUrl: string | null
  playlistsUrl: string | null
  keyId: string
  publicKeyPem: string
  publishedAt: Date | null
  avatarUrl: string | null
  bannerUrl: string | null
  /** The owners of a Group (`attributedTo`). */
  owners: string[]
}

const MAX_TEXT = 1000
const MAX_NAME = 120
const IMAGE_TYPES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp'])

const ActorDocument = z.object({
  type: z.enum(['Person', 'Group', 'Application', 'Service', 'Organization']),
  // Letters of any script, in the one form in which equal names are equal (Unicode Standard Annex #15).
  preferredUsername: z
    .string()
    .max(200)
    .transform(name => name.normalize('NFC'))
    .pipe(z.string().regex(/^[\p{L}\p{M}\p{N}_.:-]+$/u))
})
const PublicKey = z.object({ id: z.string(), owner: z.string(), publicKeyPem: z.string().max(5000) })

/**
 * Parses an actor document (docs/federation.md#actors); null if it is not one, its inbox or key is of another origin, or its key is not
 * accepted.
 */
export function parseActorDocument(document: JsonObject): RemoteActor | null {
  const url = httpUrl(document.id)
  const parsed = ActorDocument.safeParse({ type: typeOf(document), preferredUsername: document.preferredUsername })
  if (!url || !parsed.success) return null
  const { type, preferredUsername } = parsed.data
  const ownUrl = (value: unknown) => {
    const address = httpUrl(value)
    return address && sameOrigin(address, url) ? address : null
  }
  const inboxUrl = ownUrl(document.inbox)
  const publicKey = formsOf(document.publicKey)
    .map(key => PublicKey.safeParse(key).data)
    .find(key => key && ownUrl(key.id) && httpUrl(key.owner) === url && parsePublicKeyPem(key.publicKeyPem))
  if (!inboxUrl || !publicKey) return null
  const endpoints = isObject(document.endpoints) ? document.endpoints : {}
  return {
    url,
    type,
    preferredUsername,
    host: hostOf(url),
    displayName: cleanLine(textOf(document, 'name') ?? '', MAX_NAME) || preferredUsername,
    summary: cleanText(textOf(document, 'summary') ?? '', MAX_TEXT),
    support: cleanText(textOf(document, 'support') ?? '', MAX_TEXT),
    inboxUrl,
    sharedInboxUrl: ownUrl(endpoints.sharedInbox),
    outboxUrl: ownUrl(document.outbox),
    followersUrl: ownUrl(document.followers),
    followingUrl: ownUrl(document.following),
    playlistsUrl: ownUrl(document.playlists),
    keyId: ownUrl(publicKey.id)!,
    publicKeyPem: publicKey.publicKeyPem,
    publishedAt: parseDate(document.published),
    avatarUrl: largestImageUrl(document.icon),
    bannerUrl: largestImageUrl(document.image),
    owners: listOf(document.attributedTo)
      .map(one => ownUrl(idOf(one)))
      .filter(one => one !== null)
  }
}

function parseDate(value: unknown): Date | null {
  const date = parseRemoteDate(value)
  return date && date.getTime() <= Date.now() + 86_400_000 ? date : null
}

/** Returns the URL of the widest image of a supported type, or the first if no width is given; null without one. */
function largestImageUrl(value: unknown): string | null {
  const width = ({ width: pixels }: JsonObject) => (typeof pixels === 'number' ? pixels : 0)
  const [largest] = linksOf(value)
    .filter(({ href, mediaType }) => httpUrl(href) && (mediaType === null || IMAGE_TYPES.has(mediaType)))
    .sort((a, b) => width(b.link) - width(a.link))
  return largest ? httpUrl(largest.href) : null
}
