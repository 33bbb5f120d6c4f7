import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { config } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql } from '../core/sql.ts'
import { enforceInboxCapacity, enforceSenderRateLimit } from './rate-limit.ts'
import { parseUntrustedJson } from './untrusted-json.ts'
import { keyring } from './keyring.ts'
import { isVerifiableAtOrigin } from './origin-policy.ts'
import { hostOf, httpUrl, isLocalUrl, sameOrigin } from './origin.ts'
import { recordPeerContact } from './peers.ts'
import { RejectedRequestError } from './rejected-request.ts'
import { digestOf, verifyHttpSignature } from './http-signature.ts'
import { storeIncomingActivity } from './store-incoming-activity.ts'
import { idOf, isObject, listOf, typeOf, type Json, type JsonObject } from './vocabulary.ts'

/** What fits into an index of Postgres, with room to spare. */
const LONGEST_KEY = 2300

/** A POST to an inbox. */
export type InboxRequest = { path: string; headers: IncomingHttpHeaders; body: Buffer; ip: string }

/** Activities waiting in this lane are counted together. */
export const VIEWS_INBOX_QUEUE = 1
/** What may come again under the same id, because it says how things are now: PeerTube numbers a like once and sends it each time. */
export const REPEATABLE_ACTIVITIES = new Set([
  'View',
  'Follow',
  'Like',
  'Dislike',
  'EmojiReact',
  'Announce',
  'Undo',
  'Accept',
  'Reject',
  'Create(Video)',
  'Create(Playlist)'
])

/**
 * Takes a posted activity: cheap checks first, then who signed it; it is stored when this resolves, and that is all that is promised
 * (law 2). Throws `Refused`.
 */
export async function acceptDelivery({ path, headers, body, ip }: InboxRequest): Promise<void> {
  const claimed = claimedHost(headers)
  enforceSenderRateLimit(`${ip} ${claimed}`)
  if (await keyring.isBlocked(claimed, '')) throw new RejectedRequestError(403, 'This host is blocked here')
  const signature = String(headers.signature ?? headers.authorization)
  // The same request once more has no effect, whatever else it says.
  if (seen.has(hash(signature))) return
  const activity = parseUntrustedJson(body)
  const { id, type, actor } = envelope(activity)
  if (await isFarewellOfStranger(type, actor, activity)) return
  await enforceInboxCapacity()
  const { actor: signer } = await verifyHttpSignature({ method: 'POST', path, headers, body })
  const host = hostOf(signer)
  enforceSenderRateLimit(host)
  if (isLocalUrl(signer)) throw new RejectedRequestError(409, 'This message is from ourselves')
  if (await keyring.isBlocked(host, signer)) throw new RejectedRequestError(403, 'This actor is blocked here')
  recordPeerContact(host).catch(error => logger.warn('That a peer is there again could not be noted', { host, error }))
  if (signer !== actor && !isVerifiableAtOrigin(type, activity))
    throw new RejectedRequestError(401, 'The signature is not of the actor of this activity')
  const proof = signer === actor ? 'http' : 'none'
  const digest = digestOf(body)
  // Nobody uses up the ids of others.
  const key = bounded(proof === 'none' || !sameOrigin(id, actor) ? `${signer} ${id}` : keyOf(id, type, activity, digest, signature))
  const subject = `${host} ${bounded(subjectOf(activity, type, actor))}`
  if (
    !(await storeIncomingActivity({
      key,
      digest,
      type,
      actor,
      signer,
      proof,
      host,
      subject,
      lane: type === 'View' ? VIEWS_INBOX_QUEUE : 0,
      body: body.toString()
    }))
  )
    await noteRepetition(key, digest, id)
  remember(signature)
}

/** The host of the key that a request names, before anything is proven. Throws 401 where there is none. */
function claimedHost(headers: IncomingHttpHeaders): string {
  const text = String(headers['signature-input'] ?? headers.signature ?? headers.authorization ?? '')
  const keyId = /\bkeyid\s*=\s*"([^"]+)"/i.exec(text)?.[1] ?? ''
  const url = httpUrl(keyId)
  const host = url ? hostOf(url) : /^acct:[^@]+@([\w.:[\]-]+)$/.exec(keyId)?.[1]?.toLowerCase()
  if (!host) throw new RejectedRequestError(401, 'The request is not signed')
  return host
}

function envelope(activity: JsonObject): { id: string; type: string; actor: string } {
  const id = httpUrl(activity.id)
  const actor = httpUrl(idOf(activity.actor))
  const { type } = activity
  if (!id || !actor || typeof type !== 'string' || !/^[\w:/.#-]{1,100}$/.test(type))
    throw new RejectedRequestError(400, 'This is not an activity: it needs an id, a type and an actor')
  return { id, type, actor }
}

/**
 * Whether a server tells everybody that an actor is gone of whom nothing is known here: no key is asked for
 * (docs/federation.md#delete-of-unknown-actors).
 */
async function isFarewellOfStranger(type: string, actor: string, { object }: JsonObject): Promise<boolean> {
  return type === 'Delete' && httpUrl(idOf(object)) === actor && !isLocalUrl(actor) && !(await keyring.isKnown(actor))
}

function keyOf(id: string, type: string, { object }: JsonObject, digest: string, signature: string): string {
  const kind = typeOf(object)
  if (type === 'View') return `${id} ${digest}`
  if (REPEATABLE_ACTIVITIES.has(type) || REPEATABLE_ACTIVITIES.has(`${type}(${kind})`)) return `${id} ${hash(signature)}`
  // An approved comment is sent once more under the same id (docs/federation.md#forwarding).
  if (type === 'Create' && isObject(object) && typeof object.replyApproval === 'string') return `${id} ${hash(object.replyApproval)}`
  return id
}

/** What an activity is about: messages of one host about the same thing keep their order. */
function subjectOf(activity: JsonObject, type: string, actor: string): string {
  const object = listOf(activity.object)[0] as Json
  const id = httpUrl(idOf(object)) ?? ''
  if (type === 'Create' || type === 'Update' || type === 'Delete') return id
  if (isObject(object) && object.object !== undefined && typeof object.type === 'string') return subjectOf(object, object.type, actor)
  return `${actor} ${id}`
}

/** The same id with other words is somebody's mistake or malice: what came first stays (docs/federation.md#replays). */
async function noteRepetition(key: string, digest: string, id: string): Promise<void> {
  const [first] = await runQuery<{ digest: string }>(sql`SELECT digest FROM incoming WHERE activity_id = ${key}`)
  if (first && first.digest !== digest) logger.warn('An activity came again with other words; the first ones stay', { id })
}

const seen = new Set<string>()

/** Signatures taken of late; how many, is bounded. */
function remember(signature: string): void {
  seen.add(hash(signature))
  if (seen.size > config.federation.inbox.per_host.max) seen.delete(seen.values().next().value!)
}

const hash = (text: string) => createHash('sha256').update(text).digest('base64')
const bounded = (text: string) => (text.length <= LONGEST_KEY ? text : hash(text))
