import { httpUrl, isLocalUrl, sameOrigin } from './origin.ts'
import type { IncomingActivity } from './activity-handlers.ts'
import { idOf, isObject, listOf, typeOf, type Json, type JsonObject } from './vocabulary.ts'

/**
 * What the origin law says of an activity: it may be acted on as `incoming` reads; or it counts only if the origin of `url` says the
 * same (serves the document, serves it at all, has it no more, serves this very activity); or an exception would be needed; or it has no
 * effect.
 */
export type OriginDecision =
  | { kind: 'act'; incoming: IncomingActivity }
  | { kind: 'ask'; url: string; expected: 'document' | 'object' | 'gone' | 'activity'; incoming: IncomingActivity }
  | { kind: 'except'; incoming: IncomingActivity }
  | { kind: 'drop'; reason: string }

const ACTORS = new Set(['Person', 'Group', 'Application', 'Service', 'Organization'])
const WRAPPED = new Set(['Create', 'Update', 'Delete'])
/** What somebody may send on for its author on the word of a signature inside the document (docs/federation.md#forwarded-activities). */
const CARRIED = new Set([
  'Create(Note)',
  'Create(CacheFile)',
  'Update(CacheFile)',
  'Undo(CacheFile)',
  'View',
  'Delete(Note)',
  'Delete(Tombstone)'
])

/**
 * The origin law (law 3 of the house; FEP-fe34): an actor speaks only for its own origin. Pure: the same activity is judged the same,
 * whatever is stored. Ownership within one host is for the receivers to check.
 */
export function checkOrigin(given: IncomingActivity): OriginDecision {
  const incoming = unwrapped(given)
  if (!incoming) return drop('the announced activity is not one that may be announced')
  const broken = brokenEnvelope(incoming)
  if (broken) return drop(broken)
  switch (incoming.type) {
    case 'Create':
    case 'Update':
      return judgeStatement(incoming)
    case 'Delete':
      return judgeDelete(incoming)
    case 'Undo':
      return judgeUndo(incoming)
    case 'Accept':
    case 'Reject':
      return judgeAnswer(incoming)
    case 'Move':
      return same(idOf(incoming.object), incoming.actor) ? proven(incoming) : drop('it moves somebody else')
    default:
      return proven(withIds(incoming))
  }
}

/** Judges what its origin has confirmed: the proof is no question any more. */
export function checkConfirmedOrigin(incoming: IncomingActivity): OriginDecision {
  const judgement = checkOrigin({ ...incoming, proof: 'http' })
  return judgement.kind === 'act' ? { kind: 'act', incoming: { ...judgement.incoming, proof: incoming.proof } } : judgement
}

/** Whether an activity can count though nothing vouches for its actor: its origin can be asked. */
export function isVerifiableAtOrigin(type: string, activity: JsonObject): boolean {
  return 'signature' in activity || 'proof' in activity || type === 'Announce' || WRAPPED.has(type)
}

const drop = (reason: string): OriginDecision => ({ kind: 'drop', reason })
const same = (one: unknown, other: string) => httpUrl(one) === other

/** FEP-1b12: a group announces activities of others; what is inside is taken by itself, with nothing that vouches for it. */
function unwrapped(incoming: IncomingActivity): IncomingActivity | null {
  const inner = incoming.type === 'Announce' ? single(incoming.object) : null
  if (!isObject(inner) || inner.actor === undefined || inner.object === undefined) return incoming
  const actor = httpUrl(idOf(inner.actor))
  const id = httpUrl(inner.id)
  if (brokenEnvelope(incoming) || incoming.proof === 'none' || !actor || !id || !WRAPPED.has(String(inner.type))) return null
  return { ...incoming, id, type: String(inner.type), actor, activity: inner, object: inner.object, proof: 'none' }
}

function brokenEnvelope({ id, type, actor, activity, object }: IncomingActivity): string | null {
  if (isLocalUrl(actor)) return 'its actor is ours'
  if (!same(idOf(activity.actor), actor) || activity.type !== type) return 'it does not say what it is'
  // PeerTube derives the id of a Delete from what is deleted, which may be somebody else's (see judgeDelete).
  const derived = type === 'Delete' && sameOrigin(id, httpUrl(idOf(single(object))))
  if (!same(activity.id, id) || !(sameOrigin(id, actor) || derived)) return 'its id is of another origin than its actor'
  return null
}

/**
 * Create and Update: object, author and actor share one origin; an actor is updated only by itself (docs/federation.md#update-of-a-video,
 * docs/federation.md#update-of-an-actor, docs/federation.md#one-origin, docs/federation.md#playlists-of-others).
 */
function judgeStatement(incoming: IncomingActivity): OriginDecision {
  const object = single(incoming.object)
  const id = httpUrl(idOf(object))
  if (!id || !sameOrigin(id, incoming.actor)) return drop('its object is of another origin')
  if (!isObject(object)) return ask(incoming, id)
  if (ACTORS.has(String(object.type)) && id !== incoming.actor) return drop('it is about another actor')
  for (const author of [...listOf(object.attributedTo), ...listOf(object.actor)]) {
    if (!sameOrigin(httpUrl(idOf(author)) ?? '', id)) return drop('its object is of an author of another origin')
  }
  return proven(of(incoming, object))
}

function judgeDelete(incoming: IncomingActivity): OriginDecision {
  const object = single(incoming.object)
  const id = httpUrl(idOf(object))
  if (!id) return drop('nothing is deleted')
  const kind = typeOf(object)
  if (kind !== null && ACTORS.has(kind) && id !== incoming.actor) return drop('it is about another actor')
  const rewritten = of(incoming, isObject(object) ? { ...object, id } : id)
  if (sameOrigin(id, incoming.actor)) return proven(rewritten)
  // Whoever owns a video may take others' comments off it; only the floor of comments knows.
  const perhaps = vouched(incoming) && (kind === null || kind === 'Note' || kind === 'Tombstone')
  return perhaps ? { kind: 'except', incoming: rewritten } : drop('its object is of another origin')
}

/** Only whoever did something takes it back (docs/federation.md#undo-and-delete). */
function judgeUndo(incoming: IncomingActivity): OriginDecision {
  const object = single(incoming.object)
  if (!isObject(object)) {
    const id = httpUrl(object)
    return id && sameOrigin(id, incoming.actor) ? proven(of(incoming, id)) : drop('what is undone is of another origin')
  }
  if (!same(idOf(object.actor), incoming.actor)) return drop('what is undone is somebody else’s')
  if (object.id !== undefined && !sameOrigin(httpUrl(object.id) ?? '', incoming.actor)) return drop('what is undone is of another origin')
  const inner = single(object.object as Json)
  if (object.type === 'Create' && !sameOrigin(httpUrl(idOf(inner)) ?? '', incoming.actor))
    return drop('what is undone is of another origin')
  return proven(of(incoming, object))
}

/** Only who was asked answers, and only what we asked (docs/federation.md#answers-to-a-follow). */
function judgeAnswer(incoming: IncomingActivity): OriginDecision {
  const object = single(incoming.object)
  if (!isObject(object)) {
    const id = httpUrl(object)
    return id && isLocalUrl(id) ? proven(of(incoming, id)) : drop('it answers what we never asked')
  }
  if (object.actor !== undefined && !isLocalUrl(httpUrl(idOf(object.actor)) ?? '')) return drop('it answers what we never asked')
  if (object.id !== undefined && !isLocalUrl(httpUrl(object.id) ?? '')) return drop('it answers what we never asked')
  if (object.object !== undefined && !same(idOf(object.object), incoming.actor)) return drop('it answers for somebody else')
  return proven(of(incoming, object))
}

/** Acted on where the actor's word is proven, else asked about where its origin can tell. */
function proven(incoming: IncomingActivity): OriginDecision {
  if (vouched(incoming)) return { kind: 'act', incoming }
  const id = httpUrl(idOf(incoming.object))
  if (incoming.type === 'Announce') return { kind: 'ask', url: incoming.id, expected: 'activity', incoming }
  if (id && (incoming.type === 'Create' || incoming.type === 'Update')) return ask(incoming, id)
  if (id && incoming.type === 'Delete') return { kind: 'ask', url: id, expected: 'gone', incoming }
  return drop('nothing vouches for its actor')
}

const ask = (incoming: IncomingActivity, url: string): OriginDecision => ({ kind: 'ask', url, expected: 'document', incoming })

function vouched({ type, object, proof }: IncomingActivity): boolean {
  if (proof === 'http' || proof === 'none') return proof === 'http'
  const one = single(object)
  const kind = type === 'Undo' && isObject(one) ? typeOf(single(one.object as Json)) : typeOf(one)
  return CARRIED.has(type) || CARRIED.has(`${type}(${kind})`) || (proof === 'integrity' && type === 'Update' && kind === 'Note')
}

/** The same activity about `object`. */
function of(incoming: IncomingActivity, object: Json): IncomingActivity {
  return { ...incoming, object, activity: { ...incoming.activity, object } }
}

/** What is only pointed at is taken by its address: nobody describes others' things. */
function withIds(incoming: IncomingActivity): IncomingActivity {
  const ids = listOf(incoming.object)
    .map(one => httpUrl(idOf(one)))
    .filter(id => id !== null)
  return of(incoming, ids.length === 1 ? ids[0]! : ids)
}

function single(value: Json): Json {
  return Array.isArray(value) ? (value.length === 1 ? value[0]! : null) : value
}
