import { confirmAtOrigin, fetchCurrentObject, hasFollowsWithHost } from './confirm-at-origin.ts'
import { isCrossOriginDeleteAllowed } from './cross-origin-delete.ts'
import { isWaiting, setVerifiedActivityId, type IncomingActivityRow } from './incoming.query.ts'
import { withCanonicalReferences } from './local-addresses.ts'
import { parseUntrustedJson } from './untrusted-json.ts'
import { requestObjectRefresh } from './object-refreshes.ts'
import { keyring } from './keyring.ts'
import { checkOrigin } from './origin-policy.ts'
import { hostOf, httpUrl, sameOrigin } from './origin.ts'
import { RetryLaterError, dispatchActivity, dispatchActivityBatch, hasBatchHandler, type IncomingActivity } from './activity-handlers.ts'
import { FetchError } from './remote-fetch.ts'
import { findTombstoned, addTombstone, isTombstoned, removeTombstone } from './tombstones.ts'
import { isTakenBack, recordEffectiveUndo, recordUndo } from './undone-activities.ts'
import { idOf, isObject, typeOf } from './vocabulary.ts'

/** Types that an Undo may revoke before they arrive. */
const UNDOABLE = new Set(['Follow', 'Like', 'Dislike', 'EmojiReact', 'Announce'])

/** Objects that may be private for a while and public again. */
const MAY_BE_HIDDEN = new Set(['Video', 'Playlist'])

/**
 * Processes a stored activity: embedded proof, origin policy, tombstones, then its handlers. Returns its outcome as stored in `incoming`.
 */
export async function processActivity(row: IncomingActivityRow): Promise<string> {
  const incoming = toIncomingActivity(row)
  if (await isBlocked(incoming)) return 'dropped: its actor is blocked here'
  if (incoming.proof === 'none') {
    incoming.proof = await verifyEmbeddedProof(incoming)
    if (incoming.proof !== 'none' && !(await setVerifiedActivityId(row.id, incoming.id, incoming.proof))) return 'known'
  }
  // After the proof, which covers what was written.
  const [referring] = await withCanonicalIds([incoming])
  const permitted = await applyOriginPolicy(referring!)
  if (typeof permitted === 'string') return `dropped: ${permitted}`
  // An announced or forwarded activity has another actor than its sender.
  if (permitted.actor !== incoming.actor && (await isBlocked(permitted))) return 'dropped: its actor is blocked here'
  const current = await checkNotDeleted(permitted)
  if (typeof current === 'string') return `dropped: ${current}`
  if (UNDOABLE.has(current.type) && (await isTakenBack(current))) return TAKEN_BACK
  await checkUndoneProcessed(current, row.subject)
  const wasHandled = await dispatchActivity(current)
  if (current.type === 'Undo') return await outcomeOfUndo(current, wasHandled)
  // Its Undo may have been processed at the same time.
  if (UNDOABLE.has(current.type) && (await isTakenBack(current))) {
    await withdraw(current.id, current)
    return TAKEN_BACK
  }
  await recordUnhandledDelete(current, wasHandled)
  return outcomeText(wasHandled)
}

/**
 * Processes together those of several activities, each about a different object, that need no special treatment: signed by their actors,
 * permitted, their objects not deleted. Returns their outcomes by the ids of their rows.
 */
export async function processActivityBatch(rows: IncomingActivityRow[]): Promise<Map<string, string>> {
  const rowByActivity = new Map<IncomingActivity, IncomingActivityRow>()
  const candidates = rows.filter(row => row.proof === 'http' && hasBatchHandler(row.type))
  const referring = await withCanonicalIds(candidates.map(toIncomingActivity))
  for (const [index, incoming] of referring.entries()) {
    const decision = checkOrigin(incoming)
    if (decision.kind === 'accept' && decision.incoming.actor === incoming.actor && !(await isBlocked(incoming)))
      rowByActivity.set(decision.incoming, candidates[index]!)
  }
  const tombstoned = await findTombstoned([...rowByActivity.keys()].map(({ object }) => httpUrl(idOf(object))).filter(url => url !== null))
  const handled = await dispatchActivityBatch(
    [...rowByActivity.keys()].filter(({ object }) => !tombstoned.has(httpUrl(idOf(object)) ?? ''))
  )
  return new Map([...handled].map(([incoming, wasHandled]) => [rowByActivity.get(incoming)!.id, outcomeText(wasHandled)]))
}

const TAKEN_BACK = 'dropped: it was taken back'
const outcomeText = (wasHandled: boolean) => (wasHandled ? 'done' : 'it concerns nothing here')

function toIncomingActivity(row: IncomingActivityRow): IncomingActivity {
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

/** The same activities, where they name objects by other addresses of this instance with their ids. */
async function withCanonicalIds(incoming: IncomingActivity[]): Promise<IncomingActivity[]> {
  const activities = await withCanonicalReferences(incoming.map(({ activity }) => activity))
  return incoming.map((one, index) => ({ ...one, activity: activities[index]!, object: activities[index]!.object ?? null }))
}

async function isBlocked({ actor }: IncomingActivity): Promise<boolean> {
  return await keyring.isBlocked(hostOf(actor), actor)
}

/** Verifies the proof inside an activity. Unknown senders cannot make this instance fetch keys of others. */
async function verifyEmbeddedProof({ activity, actor, signer, receivedAt }: IncomingActivity): Promise<IncomingActivity['proof']> {
  if (!isObject(activity.proof) && !isObject(activity.signature)) return 'none'
  if (!(await keyring.isKnown(actor)) && !(await hasFollowsWithHost(hostOf(signer)))) return 'none'
  // Imported on demand: rarely needed, and large.
  if (isObject(activity.proof) && (await (await import('./integrity-proof.ts')).verifyIntegrityProof(activity, receivedAt)) === actor)
    return 'integrity'
  if (isObject(activity.signature) && (await (await import('./ld-signature.ts')).verifyLdSignature(activity)) === actor) return 'ld'
  return 'none'
}

async function applyOriginPolicy(incoming: IncomingActivity): Promise<IncomingActivity | string> {
  const decision = checkOrigin(incoming)
  switch (decision.kind) {
    case 'accept':
      return decision.incoming
    case 'drop':
      return decision.reason
    case 'confirm':
      return await confirmAtOrigin(decision)
    case 'exception':
      return (await isCrossOriginDeleteAllowed(decision.incoming)) ? decision.incoming : 'its object is of another origin'
  }
}

/**
 * Drops activities about deleted objects, unless the origin serves the object again (docs/federation.md#forwarded-activities).
 */
async function checkNotDeleted(incoming: IncomingActivity): Promise<IncomingActivity | string> {
  const { type, object, signer } = incoming
  const url = httpUrl(idOf(object))
  if (!url || !['Create', 'Update', 'Announce'].includes(type) || !(await isTombstoned(url))) return incoming
  // What may be private for a while is stored as its origin serves it now; the activity may be older.
  if (type !== 'Announce' && MAY_BE_HIDDEN.has(typeOf(object) ?? '')) {
    if (await hasFollowsWithHost(hostOf(signer))) await requestObjectRefresh(url)
    return 'it was deleted, and its origin is asked whether it is there again'
  }
  const confirmed = await confirmAtOrigin({ kind: 'confirm', url, expected: type === 'Announce' ? 'object' : 'document', incoming })
  if (typeof confirmed === 'string') return 'it was deleted'
  await removeTombstone(url)
  return confirmed
}

/** An Undo that says nothing or something else of what it undoes has another subject, so that their order is not kept. Throws RetryLaterError. */
async function checkUndoneProcessed({ type, actor, object }: IncomingActivity, subject: string): Promise<void> {
  const undone = type === 'Undo' ? httpUrl(idOf(object)) : null
  if (undone && (await isWaiting(undone, actor, subject))) throw new RetryLaterError('What is undone is not processed yet')
}

/** Takes back, by its id, what an actor did. */
async function withdraw(id: string, incoming: IncomingActivity): Promise<boolean> {
  return await dispatchActivity({ ...incoming, type: 'Undo', object: id })
}

/** Remembers an Undo, of what was done and of what is yet to come (docs/federation.md#order). Returns its outcome. */
async function outcomeOfUndo(incoming: IncomingActivity, wasHandled: boolean): Promise<string> {
  const { actor, object } = incoming
  const url = httpUrl(idOf(object))
  // What is named by its id only may be of any type.
  if (!url || (isObject(object) && !UNDOABLE.has(typeOf(object) ?? '')) || !sameOrigin(url, actor)) return outcomeText(wasHandled)
  if (!wasHandled) {
    if ((await recordUndo(url, incoming)) === 'late') return 'known'
    // Processed at the same time, it may not have seen what is recorded now.
    if (!(await withdraw(url, incoming))) return 'done'
  }
  await recordEffectiveUndo(url, incoming)
  return 'done'
}

async function recordUnhandledDelete({ type, actor, object, signer }: IncomingActivity, wasHandled: boolean): Promise<void> {
  const url = httpUrl(idOf(object))
  if (!url || url === actor) return
  // The handler has recorded the deletion, if the sender was allowed to.
  if (!wasHandled && type === 'Delete' && (await isDeletedAtOrigin(url, signer))) await addTombstone(url)
}

/**
 * Whether an object that is unknown here is deleted at its origin: a Delete may arrive before its Create, or from a sender without
 * permission. Throws RetryLaterError where the origin does not answer.
 */
async function isDeletedAtOrigin(url: string, signer: string): Promise<boolean> {
  if (!(await hasFollowsWithHost(hostOf(signer)))) return false
  const document = await fetchCurrentObject(url).catch((error: unknown) => {
    if (error instanceof FetchError && error.kind === 'unreachable') throw new RetryLaterError(error.message)
    return { type: 'Unknown' }
  })
  return document === null || typeOf(document) === 'Tombstone'
}
