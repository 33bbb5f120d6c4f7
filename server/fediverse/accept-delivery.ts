import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { config } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql } from '../core/sql.ts'
import { enforceInboxCapacity, enforceSenderRateLimit } from './rate-limit.ts'
import { hasFollowsWithHost } from './confirm-at-origin.ts'
import { isOwnerOfObject, requestObjectRefresh } from './object-refreshes.ts'
import { parseUntrustedJson } from './untrusted-json.ts'
import { keyring } from './keyring.ts'
import { isVerifiableAtOrigin } from './origin-policy.ts'
import { hostOf, httpUrl, isLocalUrl, sameOrigin } from './origin.ts'
import { recordPeerContact } from './peers.ts'
import { RejectedRequestError } from './rejected-request.ts'
import { RewrittenHostError, hostOfKeyId, sha256Base64, verifyHttpSignature } from './http-signature.ts'
import { recordOwnHost, recordRewrittenHost } from './rewritten-host.ts'
import { storeIncomingActivity } from './store-incoming-activity.ts'
import { idOf, isObject, listOf, typeOf, type Json, type JsonObject } from './vocabulary.ts'

/** The longest text that safely fits into an index of Postgres. */
const MAX_INDEXED_LENGTH = 2300

/** An HTTP POST to an inbox. */
export type InboxRequest = { path: string; headers: IncomingHttpHeaders; body: Buffer }

/** The inbox queue whose activities are collected and processed in large batches. */
export const VIEWS_INBOX_QUEUE = 1
/**
 * Types that may be received repeatedly under one id, because they state how things are now: PeerTube gives a Like one id and sends it each
 * time.
 */
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

/** Types that come again under one id for another change (PeerTube): how the object is now, its origin says. */
const STATE_OF_ORIGIN = new Set(['Update', 'Delete'])

/** Checks and counts a delivery by what its headers say, before its body is read. Throws RejectedRequestError 401, 403, 429. */
export async function admitDelivery(headers: IncomingHttpHeaders, ip: string): Promise<void> {
  const claimedHost = hostOfKeyId(headers)
  enforceSenderRateLimit({ ip, host: claimedHost })
  if (await keyring.isBlocked(claimedHost, '')) throw new RejectedRequestError(403, 'This host is blocked here')
}

/**
 * Accepts an admitted activity: cheap checks first, then its signature. Resolves once it is stored; it is processed later (ARCHITECTURE.md,
 * rule 2). Throws RejectedRequestError.
 */
export async function acceptDelivery({ path, headers, body }: InboxRequest): Promise<void> {
  const signature = String(headers.signature ?? headers.authorization)
  const activity = parseUntrustedJson(body)
  const envelope = parseEnvelope(activity)
  if (!envelope) throw new RejectedRequestError(400, 'This is not an activity: it needs an id, a type and an actor')
  const { id, type, actor } = envelope
  // The same request again has no effect, whatever else it contains. Two Deletes of one second may have the same signature.
  if (!STATE_OF_ORIGIN.has(type) && recentSignatures.has(sha256(signature))) return
  if (await isDeleteOfUnknownActor(type, actor, activity)) return
  await enforceInboxCapacity()
  const { actor: signer } = await verifyHttpSignature({ method: 'POST', path, headers, body }).catch((error: unknown) => {
    if (error instanceof RewrittenHostError) recordRewrittenHost(String(headers.host))
    throw error
  })
  recordOwnHost()
  const host = hostOf(signer)
  enforceSenderRateLimit({ host })
  if (isLocalUrl(signer)) throw new RejectedRequestError(409, 'This message is from ourselves')
  if (await keyring.isBlocked(host, signer)) throw new RejectedRequestError(403, 'This actor is blocked here')
  recordPeerContact(host).catch(error => logger.warn('That a peer is there again could not be noted', { host, error }))
  if (signer !== actor && !isVerifiableAtOrigin(type, activity))
    throw new RejectedRequestError(401, 'The signature is not of the actor of this activity')
  const proof = signer === actor ? 'http' : 'none'
  const digest = sha256Base64(body)
  // A sender cannot block ids of other origins.
  const dedupKey = fitIndex(
    proof === 'none' || !sameOrigin(id, actor) ? `${signer} ${id}` : dedupKeyOf(id, type, activity, digest, signature)
  )
  const subject = `${host} ${fitIndex(subjectOf(activity, type, actor))}`
  if (
    !(await storeIncomingActivity({
      key: dedupKey,
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
    await handleRepeatedId({ id, type, actor, host, activity, dedupKey, digest })
  rememberSignature(signature)
}

/**
 * Accepts an activity that was fetched from the origin of its actor, such as one in an outbox: it is processed as if the actor had sent it.
 * Has no effect where it was received before, or is not of that actor.
 */
export async function acceptFetchedActivity(activity: JsonObject, actor: string): Promise<void> {
  const envelope = parseEnvelope(activity)
  const host = hostOf(actor)
  if (envelope?.actor !== actor || !sameOrigin(envelope.id, actor) || (await keyring.isBlocked(host, actor))) return
  const body = JSON.stringify(activity)
  const digest = sha256Base64(Buffer.from(body))
  await storeIncomingActivity({
    key: fitIndex(dedupKeyOf(envelope.id, envelope.type, activity, digest, digest)),
    digest,
    type: envelope.type,
    actor,
    signer: actor,
    proof: 'http',
    host,
    subject: `${host} ${fitIndex(subjectOf(activity, envelope.type, actor))}`,
    lane: 0,
    body
  })
}

function parseEnvelope(activity: JsonObject): { id: string; type: string; actor: string } | null {
  const id = httpUrl(activity.id)
  const actor = httpUrl(idOf(activity.actor))
  const type = typeOf(activity)
  return id && actor && type !== null && /^[\w:/.#-]{1,100}$/.test(type) ? { id, type, actor } : null
}

/** Whether an activity deletes an actor that is unknown here; its key is not fetched (docs/federation.md#delete-of-unknown-actors). */
async function isDeleteOfUnknownActor(type: string, actor: string, { object }: JsonObject): Promise<boolean> {
  return type === 'Delete' && httpUrl(idOf(object)) === actor && !isLocalUrl(actor) && !(await keyring.isKnown(actor))
}

function dedupKeyOf(id: string, type: string, { object }: JsonObject, digest: string, signature: string): string {
  const objectType = typeOf(object)
  if (type === 'View') return `${id} ${digest}`
  if (REPEATABLE_ACTIVITIES.has(type) || REPEATABLE_ACTIVITIES.has(`${type}(${objectType})`)) return `${id} ${sha256(signature)}`
  // An approved comment is sent again under the same id (docs/federation.md#forwarding).
  if (type === 'Create' && isObject(object) && typeof object.replyApproval === 'string') return `${id} ${sha256(object.replyApproval)}`
  return id
}

/** The URLs an activity is about: activities of one host with the same subject keep their order. */
function subjectOf(activity: JsonObject, type: string, actor: string): string {
  const object = listOf(activity.object)[0] as Json
  const objectId = httpUrl(idOf(object)) ?? ''
  if (type === 'Create' || type === 'Update' || type === 'Delete') return objectId
  const innerType = typeOf(object)
  if (isObject(object) && object.object !== undefined && innerType !== null) return subjectOf(object, innerType, actor)
  return `${actor} ${objectId}`
}

type RepeatedActivity = { id: string; type: string; actor: string; host: string; activity: JsonObject; dedupKey: string; digest: string }

/**
 * Handles an activity whose id came before. PeerTube reuses the ids of Update and Delete, so that neither the first nor the second content
 * tells how the object is now: its origin is asked (docs/federation.md#replays). Of other types the first one stays.
 */
async function handleRepeatedId({ id, type, actor, host, activity, dedupKey, digest }: RepeatedActivity): Promise<void> {
  const object = httpUrl(idOf(listOf(activity.object)[0]))
  if (STATE_OF_ORIGIN.has(type)) {
    if (object && sameOrigin(object, actor) && !isLocalUrl(object) && (await hasFollowsWithHost(host)))
      await requestObjectRefresh(object, { withdrawn: type === 'Delete' && (await isOwnerOfObject(actor, object)) })
    return
  }
  const [stored] = await runQuery<{ digest: string }>(sql`SELECT digest FROM incoming WHERE activity_id = ${dedupKey}`)
  if (stored && stored.digest !== digest) logger.warn('An activity came again with other words; the first ones stay', { id })
}

const recentSignatures = new Set<string>()

/** Remembers the signature of an accepted request; the number of signatures is bounded. */
function rememberSignature(signature: string): void {
  recentSignatures.add(sha256(signature))
  if (recentSignatures.size > config.federation.inbox.per_host.max) recentSignatures.delete(recentSignatures.values().next().value!)
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64')
const fitIndex = (text: string) => (text.length <= MAX_INDEXED_LENGTH ? text : sha256(text))
