import { keyring } from './keyring.ts'
import { sha256Base64 } from './keys.ts'
import { createLdSignature } from './ld-signature.ts'
import { hostOf, httpUrl, isLocalUrl } from './origin.ts'
import { withNextOutgoingActivities, writeDeliveries, type FannedOutActivity, type OutgoingActivityRow } from './outgoing.query.ts'
import { typeOf } from './vocabulary.ts'

/** What nobody ever sends on for us needs no signature inside (docs/federation.md#http-signatures). */
const PRIVATE = new Set(['Follow', 'Accept', 'Reject', 'Flag', 'ApproveReply', 'RejectReply', 'Like', 'Dislike'])

/** Makes deliveries of everything that waits in the outbox. Gives whether there was anything. */
export async function fanOutActivities(): Promise<boolean> {
  return await withNextOutgoingActivities(async (rows, inside) => {
    // What happens at once often has the same audience.
    const known = new Map<string, Promise<string[]>>()
    const inboxesOf = async (actors: string[]) => {
      const key = actors.join(' ')
      if (!known.has(key)) known.set(key, keyring.inboxesOf(actors))
      return await known.get(key)!
    }
    const spread: FannedOutActivity[] = []
    for (const row of rows) spread.push(await spreadOut(row, inboxesOf))
    await writeDeliveries(spread, inside)
  })
}

async function spreadOut(row: OutgoingActivityRow, inboxesOf: (actors: string[]) => Promise<string[]>): Promise<FannedOutActivity> {
  const body = row.forwarded ? row.body! : JSON.stringify(await signed(row))
  const { inboxes = [], followersOf = [], except = [] } = row.audience
  const all = [...inboxes, ...(followersOf.length > 0 ? await inboxesOf(followersOf) : [])]
  const urls = new Set(
    all.map(url => httpUrl(url)).filter(url => url !== null && !isLocalUrl(url) && !except.includes(hostOf(url))) as string[]
  )
  return { row, body, digest: sha256Base64(body), inboxes: [...urls].map(url => ({ url, host: hostOf(url) })) }
}

async function signed({ actor, type, activity }: OutgoingActivityRow): Promise<object> {
  if (PRIVATE.has(type) || (type === 'Undo' && PRIVATE.has(typeOf(activity.object) ?? ''))) return activity
  return await createLdSignature(activity, await keyring.signer(actor))
}
