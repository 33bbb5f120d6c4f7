import { keyring } from './keyring.ts'
import { digestOf } from './keys.ts'
import { signLd } from './ld-signature.ts'
import { hostOf, httpUrl, isLocal } from './origin.ts'
import { takeWaiting, writeDeliveries, type Spread, type Waiting } from './outgoing.query.ts'
import { typeOf } from './vocabulary.ts'

/** What nobody ever sends on for us needs no signature inside (federation.md 1.10). */
const PRIVATE = new Set(['Follow', 'Accept', 'Reject', 'Flag', 'ApproveReply', 'RejectReply', 'Like', 'Dislike'])

/** Makes deliveries of everything that waits in the outbox. Gives whether there was anything. */
export async function fanOut(): Promise<boolean> {
  return await takeWaiting(async (rows, inside) => {
    // What happens at once often has the same audience.
    const known = new Map<string, Promise<string[]>>()
    const inboxesOf = async (actors: string[]) => {
      const key = actors.join(' ')
      if (!known.has(key)) known.set(key, keyring.inboxesOf(actors))
      return await known.get(key)!
    }
    const spread: Spread[] = []
    for (const row of rows) spread.push(await spreadOut(row, inboxesOf))
    await writeDeliveries(spread, inside)
  })
}

async function spreadOut(row: Waiting, inboxesOf: (actors: string[]) => Promise<string[]>): Promise<Spread> {
  const body = row.forwarded ? row.body! : JSON.stringify(await signed(row))
  const { inboxes = [], followersOf = [], except = [] } = row.audience
  const all = [...inboxes, ...(followersOf.length > 0 ? await inboxesOf(followersOf) : [])]
  const urls = new Set(
    all.map(url => httpUrl(url)).filter(url => url !== null && !isLocal(url) && !except.includes(hostOf(url))) as string[]
  )
  return { row, body, digest: digestOf(body), inboxes: [...urls].map(url => ({ url, host: hostOf(url) })) }
}

async function signed({ actor, type, activity }: Waiting): Promise<object> {
  if (PRIVATE.has(type) || (type === 'Undo' && PRIVATE.has(typeOf(activity.object) ?? ''))) return activity
  return await signLd(activity, await keyring.signer(actor))
}
