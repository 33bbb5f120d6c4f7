import { confirmAtOrigin, fetchCurrentObject, hasFollowsWithHost } from './confirm-at-origin.ts'
import { isCrossOriginDeleteAllowed } from './cross-origin-delete.ts'
import { setVerifiedActivityId, type IncomingActivityRow } from './incoming.query.ts'
import { parseUntrustedJson } from './untrusted-json.ts'
import { keyring } from './keyring.ts'
import { checkOrigin } from './origin-policy.ts'
import { hostOf, httpUrl, sameOrigin } from './origin.ts'
import { dispatchActivity, dispatchActivityBatch, hasBatchHandler, type IncomingActivity } from './activity-handlers.ts'
import { findTombstoned, addTombstone, isTombstoned, recordEarlyUndo, removeTombstone, consumeEarlyUndo } from './tombstones.ts'
import { idOf, isObject, typeOf } from './vocabulary.ts'

/** What an Undo may take back before it came. */
const REVOCABLE = new Set(['Like', 'Dislike', 'EmojiReact', 'Announce'])

/** Acts on a stored activity: who vouches, the origin law, what was deleted, then whoever listens. Says what became of it. */
export async function processActivity(row: IncomingActivityRow): Promise<string> {
  const incoming = incomingOf(row)
  if (await isBlocked(incoming)) return 'dropped: its actor is blocked here'
  if (incoming.proof === 'none') {
    incoming.proof = await vouch(incoming)
    if (incoming.proof !== 'none' && !(await setVerifiedActivityId(row.id, incoming.id, incoming.proof))) return 'known'
  }
  const lawful = await underLaw(incoming)
  if (typeof lawful === 'string') return `dropped: ${lawful}`
  // What was wrapped or forwarded speaks for somebody else than its sender.
  if (lawful.actor !== incoming.actor && (await isBlocked(lawful))) return 'dropped: its actor is blocked here'
  const alive = await amongTheLiving(lawful)
  if (typeof alive === 'string') return `dropped: ${alive}`
  const taken = await dispatchActivity(alive)
  await remember(alive, taken)
  return outcome(taken)
}

/**
 * Acts at once on those of several activities, each about something else, that are as usual: signed by their actors, lawful, about nothing
 * deleted. Says by the ids of their rows what became of them.
 */
export async function processActivityBatch(rows: IncomingActivityRow[]): Promise<Map<string, string>> {
  const usual = new Map<IncomingActivity, IncomingActivityRow>()
  for (const row of rows) {
    if (row.proof !== 'http' || !hasBatchHandler(row.type)) continue
    const incoming = incomingOf(row)
    const judgement = checkOrigin(incoming)
    if (judgement.kind === 'act' && judgement.incoming.actor === incoming.actor && !(await isBlocked(incoming)))
      usual.set(judgement.incoming, row)
  }
  const gone = await findTombstoned([...usual.keys()].map(({ object }) => httpUrl(idOf(object))).filter(url => url !== null))
  const through = await dispatchActivityBatch([...usual.keys()].filter(({ object }) => !gone.has(httpUrl(idOf(object)) ?? '')))
  return new Map([...through].map(([incoming, taken]) => [usual.get(incoming)!.id, outcome(taken)]))
}

const outcome = (taken: boolean) => (taken ? 'done' : 'nobody took it')

function incomingOf(row: IncomingActivityRow): IncomingActivity {
  const activity = parseUntrustedJson(Buffer.from(row.body))
  return {
    id: httpUrl(activity.id)!,
    type: row.type,
    actor: row.actor,
    activity,
    object: activity.object ?? null,
    proof: row.proof,
    signer: row.signer,
    body: row.body,
    receivedAt: row.created_at
  }
}

async function isBlocked({ actor }: IncomingActivity): Promise<boolean> {
  return await keyring.isBlocked(hostOf(actor), actor)
}

/** What inside the document vouches for its actor. Strangers do not make this instance ask for the keys of others. */
async function vouch({ activity, actor, signer }: IncomingActivity): Promise<IncomingActivity['proof']> {
  if (!isObject(activity.proof) && !isObject(activity.signature)) return 'none'
  if (!(await keyring.isKnown(actor)) && !(await hasFollowsWithHost(hostOf(signer)))) return 'none'
  // Rarely needed, and heavy.
  if (isObject(activity.proof) && (await (await import('./integrity-proof.ts')).verifyIntegrityProof(activity)) === actor)
    return 'integrity'
  if (isObject(activity.signature) && (await (await import('./ld-signature.ts')).verifyLdSignature(activity)) === actor) return 'ld'
  return 'none'
}

async function underLaw(incoming: IncomingActivity): Promise<IncomingActivity | string> {
  const judgement = checkOrigin(incoming)
  switch (judgement.kind) {
    case 'act':
      return judgement.incoming
    case 'drop':
      return judgement.reason
    case 'ask':
      return await confirmAtOrigin(judgement)
    case 'except':
      return (await isCrossOriginDeleteAllowed(judgement.incoming)) ? judgement.incoming : 'its object is of another origin'
  }
}

/**
 * What was deleted or taken back stays so, unless its origin serves it again (docs/federation.md#forwarded-activities,
 * docs/federation.md#order).
 */
async function amongTheLiving(incoming: IncomingActivity): Promise<IncomingActivity | string> {
  const { type, id, object } = incoming
  if (REVOCABLE.has(type) && (await consumeEarlyUndo(id))) return 'it was taken back'
  const url = httpUrl(idOf(object))
  if (!url || !['Create', 'Update', 'Announce'].includes(type) || !(await isTombstoned(url))) return incoming
  const again = await confirmAtOrigin({ kind: 'ask', url, expected: type === 'Announce' ? 'object' : 'document', incoming })
  if (typeof again === 'string') return 'it was deleted'
  await removeTombstone(url)
  return again
}

async function remember({ type, actor, object, signer }: IncomingActivity, taken: boolean): Promise<void> {
  const url = httpUrl(idOf(object))
  if (!url || url === actor) return
  // Whoever took it has buried what it deleted, if the sender might.
  if (taken) return
  if (type === 'Delete' && (await isTrulyGone(url, signer))) await addTombstone(url)
  const revocable = type === 'Undo' && REVOCABLE.has(typeOf(object) ?? '') && sameOrigin(url, actor)
  if (revocable && (await hasFollowsWithHost(hostOf(signer)))) await recordEarlyUndo(url)
}

/** Whether something that nobody here knows is deleted: a Delete may come before its Create, or from somebody who may not. */
async function isTrulyGone(url: string, signer: string): Promise<boolean> {
  if (!(await hasFollowsWithHost(hostOf(signer)))) return false
  const found = await fetchCurrentObject(url).catch(() => ({ type: 'Unknown' }))
  return found === null || found.type === 'Tombstone'
}
