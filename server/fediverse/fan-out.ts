import { logger } from '../core/logger.ts'
import { keyring } from './keyring.ts'
import { sha256Base64 } from './keys.ts'
import { createLdSignature } from './ld-signature.ts'
import { hostOf, httpUrl, isLocalUrl } from './origin.ts'
import {
  recordSigningFailure,
  withNextOutgoingActivities,
  writeDeliveries,
  type FannedOutActivity,
  type OutgoingActivityRow
} from './outgoing.query.ts'
import { isTransientError } from './transient-errors.ts'
import type { DeliveryAudience } from './outbox.ts'
import { typeOf } from './vocabulary.ts'

/** Types that no server forwards, so they need no embedded signature (docs/federation.md#http-signatures). */
const NEVER_FORWARDED = new Set(['Follow', 'Accept', 'Reject', 'Flag', 'ApproveReply', 'RejectReply', 'Like', 'Dislike'])

/** Creates the deliveries of activities that wait in the outbox. Returns whether there were any. */
export async function fanOutActivities(): Promise<boolean> {
  return await withNextOutgoingActivities(async (rows, tx) => {
    // Activities of one batch often have the same audience.
    const inboxesByAudience = new Map<string, Promise<string[]>>()
    const inboxesOf = async (actors: string[]) => {
      const key = actors.join(' ')
      if (!inboxesByAudience.has(key)) inboxesByAudience.set(key, keyring.inboxesOf(actors))
      return await inboxesByAudience.get(key)!
    }
    const fannedOut: FannedOutActivity[] = []
    for (const row of rows) {
      const body = await signedBodyOf(row).catch(async (error: unknown) => {
        if (isTransientError(error)) throw error
        const reason = (error as Error).message
        logger.warn('An activity cannot be signed', { type: row.type, actor: row.actor, reason })
        await recordSigningFailure(row.id, reason, tx)
        return null
      })
      if (body !== null) fannedOut.push(await fanOutActivity(row, body, inboxesOf))
    }
    if (fannedOut.length > 0) await writeDeliveries(fannedOut, tx)
  })
}

/** Returns the bytes that are sent: those of another server, or an activity of this one with its signature. */
async function signedBodyOf(row: OutgoingActivityRow): Promise<string> {
  return row.forwarded ? row.body! : JSON.stringify(await withLdSignature(row))
}

async function fanOutActivity(
  row: OutgoingActivityRow,
  body: string,
  inboxesOf: (actors: string[]) => Promise<string[]>
): Promise<FannedOutActivity> {
  const urls = await listRecipientInboxes(row.audience, inboxesOf)
  return { row, body, digest: sha256Base64(body), inboxes: urls.map(url => ({ url, host: hostOf(url) })) }
}

/** Returns the inboxes (URLs) of other servers that an audience means now, each once. */
export async function listRecipientInboxes(
  { inboxes = [], followersOf = [], except = [] }: DeliveryAudience,
  inboxesOf = async (actors: string[]) => await keyring.inboxesOf(actors)
): Promise<string[]> {
  const urls = [...inboxes, ...(followersOf.length > 0 ? await inboxesOf(followersOf) : [])].map(url => httpUrl(url))
  return [...new Set(urls.filter(url => url !== null && !isLocalUrl(url) && !except.includes(hostOf(url))) as string[])]
}

async function withLdSignature({ actor, type, activity }: OutgoingActivityRow): Promise<object> {
  if (NEVER_FORWARDED.has(type) || (type === 'Undo' && NEVER_FORWARDED.has(typeOf(activity.object) ?? ''))) return activity
  return await createLdSignature(activity, await keyring.signer(actor))
}
