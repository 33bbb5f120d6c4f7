import { z } from 'zod'
import { hostOf, httpUrl, sameOrigin } from '../fediverse/origin.ts'
import { parsePublicKeyPem } from '../fediverse/keys.ts'
import { idOf, isObject, listOf, type JsonObject } from '../fediverse/vocabulary.ts'
import { cleanLine, cleanText } from '../fediverse/text-limits.ts'

/** A remote actor as its document says, checked; addresses are of its own origin, texts bounded. */
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
  /** Of a Group: who owns it. */
  owners: string[]
}

const MAX_TEXT = 1000
const MAX_NAME = 120
const IMAGES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp'])

const Wire = z.object({
  type: z.enum(['Person', 'Group', 'Application', 'Service', 'Organization']),
  preferredUsername: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[\w.:-]+$/),
  publicKey: z.object({ id: z.string(), owner: z.string(), publicKeyPem: z.string().max(5000) })
})

/**
 * Reads an actor's document (docs/federation.md#actors); null where it is none, names what is not its own, or has a key that is not taken.
 */
export function parseActorDocument(document: JsonObject): RemoteActor | null {
  const url = httpUrl(document.id)
  const wire = Wire.safeParse(document)
  if (!url || !wire.success) return null
  const { type, preferredUsername, publicKey } = wire.data
  const own = (value: unknown) => {
    const address = httpUrl(value)
    return address && sameOrigin(address, url) ? address : null
  }
  const inboxUrl = own(document.inbox)
  const keyId = own(publicKey.id)
  if (!inboxUrl || !keyId || httpUrl(publicKey.owner) !== url || !parsePublicKeyPem(publicKey.publicKeyPem)) return null
  const endpoints = isObject(document.endpoints) ? document.endpoints : {}
  return {
    url,
    type,
    preferredUsername,
    host: hostOf(url),
    displayName: (typeof document.name === 'string' && cleanLine(document.name, MAX_NAME)) || preferredUsername,
    summary: text(document.summary, MAX_TEXT),
    support: text(document.support, MAX_TEXT),
    inboxUrl,
    sharedInboxUrl: own(endpoints.sharedInbox),
    outboxUrl: own(document.outbox),
    followersUrl: own(document.followers),
    followingUrl: own(document.following),
    playlistsUrl: own(document.playlists),
    keyId,
    publicKeyPem: publicKey.publicKeyPem,
    publishedAt: date(document.published),
    avatarUrl: image(document.icon),
    bannerUrl: image(document.image),
    owners: listOf(document.attributedTo)
      .map(one => own(idOf(one)))
      .filter(one => one !== null)
  }
}

function text(value: unknown, max: number): string | null {
  return typeof value === 'string' ? cleanText(value, max) : null
}

function date(value: unknown): Date | null {
  const time = typeof value === 'string' ? Date.parse(value) : NaN
  return Number.isFinite(time) && time <= Date.now() + 86_400_000 ? new Date(time) : null
}

/** The largest of the pictures that says what it is, else the first. */
function image(value: unknown): string | null {
  const all = listOf(value)
    .filter(isObject)
    .filter(one => one.mediaType === undefined || IMAGES.has(String(one.mediaType)))
  const width = (one: JsonObject) => (typeof one.width === 'number' ? one.width : 0)
  const [best] = all.sort((a, b) => width(b) - width(a))
  return best ? httpUrl(idOf(best.url) ?? (isObject(best.url) ? best.url.href : null)) : null
}
