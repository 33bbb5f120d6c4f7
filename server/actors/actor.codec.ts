import { z } from 'zod'
import { hostOf, httpUrl, sameOrigin } from '../fediverse/origin.ts'
import { parsePublicKeyPem } from '../fediverse/keys.ts'
import { idOf, isObject, listOf, type JsonObject } from '../fediverse/vocabulary.ts'
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
  preferredUsername: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[\w.:-]+$/),
  publicKey: z.object({ id: z.string(), owner: z.string(), publicKeyPem: z.string().max(5000) })
})

/**
 * Parses an actor document (docs/federation.md#actors); null if it is not one, its inbox or key is of another origin, or its key is not
 * accepted.
 */
export function parseActorDocument(document: JsonObject): RemoteActor | null {
  const url = httpUrl(document.id)
  const parsed = ActorDocument.safeParse(document)
  if (!url || !parsed.success) return null
  const { type, preferredUsername, publicKey } = parsed.data
  const ownUrl = (value: unknown) => {
    const address = httpUrl(value)
    return address && sameOrigin(address, url) ? address : null
  }
  const inboxUrl = ownUrl(document.inbox)
  const keyId = ownUrl(publicKey.id)
  if (!inboxUrl || !keyId || httpUrl(publicKey.owner) !== url || !parsePublicKeyPem(publicKey.publicKeyPem)) return null
  const endpoints = isObject(document.endpoints) ? document.endpoints : {}
  return {
    url,
    type,
    preferredUsername,
    host: hostOf(url),
    displayName: (typeof document.name === 'string' && cleanLine(document.name, MAX_NAME)) || preferredUsername,
    summary: cleanedText(document.summary, MAX_TEXT),
    support: cleanedText(document.support, MAX_TEXT),
    inboxUrl,
    sharedInboxUrl: ownUrl(endpoints.sharedInbox),
    outboxUrl: ownUrl(document.outbox),
    followersUrl: ownUrl(document.followers),
    followingUrl: ownUrl(document.following),
    playlistsUrl: ownUrl(document.playlists),
    keyId,
    publicKeyPem: publicKey.publicKeyPem,
    publishedAt: parseDate(document.published),
    avatarUrl: largestImageUrl(document.icon),
    bannerUrl: largestImageUrl(document.image),
    owners: listOf(document.attributedTo)
      .map(one => ownUrl(idOf(one)))
      .filter(one => one !== null)
  }
}

function cleanedText(value: unknown, max: number): string | null {
  return typeof value === 'string' ? cleanText(value, max) : null
}

function parseDate(value: unknown): Date | null {
  const time = typeof value === 'string' ? Date.parse(value) : NaN
  return Number.isFinite(time) && time <= Date.now() + 86_400_000 ? new Date(time) : null
}

/** Returns the URL of the widest image of a supported type, or the first if no width is given; null without one. */
function largestImageUrl(value: unknown): string | null {
  const images = listOf(value)
    .filter(isObject)
    .filter(one => one.mediaType === undefined || IMAGE_TYPES.has(String(one.mediaType)))
  const width = (one: JsonObject) => (typeof one.width === 'number' ? one.width : 0)
  const [largest] = images.sort((a, b) => width(b) - width(a))
  return largest ? httpUrl(idOf(largest.url) ?? (isObject(largest.url) ? largest.url.href : null)) : null
}
