import { confirm, fetched, isConnected } from './confirm-at-origin.ts'
import { isPermitted } from './cross-origin-delete.ts'
import { settle, type Row } from './incoming.query.ts'
import { parseJson } from './untrusted-json.ts'
import { keyring } from './keyring.ts'
import { judge } from './origin-policy.ts'
import { hostOf, httpUrl, sameOrigin } from './origin.ts'
import { dispatch, dispatchTogether, isTakenTogether, type Incoming } from './activity-handlers.ts'
import { anyGone, bury, isGone, revoke, unbury, wasRevoked } from './tombstones.ts'
import { idOf, isObject, typeOf } from './vocabulary.ts'

/** What an Undo may take back before it came. */
const REVOCABLE = new Set(['Like', 'Dislike', 'EmojiReact', 'Announce'])

/** Acts on a stored activity: who vouches, the origin law, what was deleted, then whoever listens. Says what became of it. */
export async function act(row: Row): Promise<string> {
  const incoming = incomingOf(row)
  if (await isBlocked(incoming)) return 'dropped: its actor is blocked here'
  if (incoming.proof === 'none') {
    incoming.proof = await vouch(incoming)
    if (incoming.proof !== 'none' && !(await settle(row.id, incoming.id, incoming.proof))) return 'known'
  }
  const lawful = await underLaw(incoming)
  if (typeof lawful === 'string') return `dropped: ${lawful}`
  // What was wrapped or forwarded speaks for somebody else than its sender.
  if (lawful.actor !== incoming.actor && (await isBlocked(lawful))) return 'dropped: its actor is blocked here'
  const alive = await amongTheLiving(lawful)
  if (typeof alive === 'string') return `dropped: ${alive}`
  const taken = await dispatch(alive)
  await remember(alive, taken)
  return outcome(taken)
}

/**
 * Acts at once on those of several activities, each about something else, that are as usual: signed by their actors, lawful, about nothing
 * deleted. Says by the ids of their rows what became of them.
 */
export async function actTogether(rows: Row[]): Promise<Map<string, string>> {
  const usual = new Map<Incoming, Row>()
  for (const row of rows) {
    if (row.proof !== 'http' || !isTakenTogether(row.type)) continue
    const incoming = incomingOf(row)
    const judgement = judge(incoming)
    if (judgement.kind === 'act' && judgement.incoming.actor === incoming.actor && !(await isBlocked(incoming)))
      usual.set(judgement.incoming, row)
  }
  const gone = await anyGone([...usual.keys()].map(({ object }) => httpUrl(idOf(object))).filter(url => url !== null))
  const through = await dispatchTogether([...usual.keys()].filter(({ object }) => !gone.has(httpUrl(idOf(object)) ?? '')))
  return new Map([...through].map(([incoming, taken]) => [usual.get(incoming)!.id, outcome(taken)]))
}

const outcome = (taken: boolean) => (taken ? 'done' : 'nobody took it')

function incomingOf(row: Row): Incoming {
  const activity = parseJson(Buffer.from(row.body))
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

async function isBlocked({ actor }: Incoming): Promise<boolean> {
  return await keyring.isBlocked(hostOf(actor), actor)
}

/** What inside the document vouches for its actor. Strangers do not make this instance ask for the keys of others. */
async function vouch({ activity, actor, signer }: Incoming): Promise<Incoming['proof']> {
  if (!isObject(activity.proof) && !isObject(activity.signature)) return 'none'
  if (!(await keyring.isKnown(actor)) && !(await isConnected(hostOf(signer)))) return 'none'
  // Rarely needed, and heavy.
  if (isObject(activity.proof) && (await (await import('./integrity-proof.ts')).verifyIntegrity(activity)) === actor) return 'integrity'
  if (isObject(activity.signature) && (await (await import('./ld-signature.ts')).verifyLd(activity)) === actor) return 'ld'
  return 'none'
}

async function underLaw(incoming: Incoming): Promise<Incoming | string> {
  const judgement = judge(incoming)
  switch (judgement.kind) {
    case 'act':
      return judgement.incoming
    case 'drop':
      return judgement.reason
    case 'ask':
      return await confirm(judgement)
    case 'except':
      return (await isPermitted(judgement.incoming)) ? judgement.incoming : 'its object is of another origin'
  }
}

/** What was deleted or taken back stays so, unless its origin serves it again (federation.md 4.29, 4.44). */
async function amongTheLiving(incoming: Incoming): Promise<Incoming | string> {
  const { type, id, object } = incoming
  if (REVOCABLE.has(type) && (await wasRevoked(id))) return 'it was taken back'
  const url = httpUrl(idOf(object))
  if (!url || !['Create', 'Update', 'Announce'].includes(type) || !(await isGone(url))) return incoming
  const again = await confirm({ kind: 'ask', url, expected: type === 'Announce' ? 'object' : 'document', incoming })
  if (typeof again === 'string') return 'it was deleted'
  await unbury(url)
  return again
}

async function remember({ type, actor, object, signer }: Incoming, taken: boolean): Promise<void> {
  const url = httpUrl(idOf(object))
  if (!url || url === actor) return
  // Whoever took it has buried what it deleted, if the sender might.
  if (taken) return
  if (type === 'Delete' && (await isTrulyGone(url, signer))) await bury(url)
  const revocable = type === 'Undo' && REVOCABLE.has(typeOf(object) ?? '') && sameOrigin(url, actor)
  if (revocable && (await isConnected(hostOf(signer)))) await revoke(url)
}

/** Whether something that nobody here knows is deleted: a Delete may come before its Create, or from somebody who may not. */
async function isTrulyGone(url: string, signer: string): Promise<boolean> {
  if (!(await isConnected(hostOf(signer)))) return false
  const found = await fetched(url).catch(() => ({ type: 'Unknown' }))
  return found === null || found.type === 'Tombstone'
}
