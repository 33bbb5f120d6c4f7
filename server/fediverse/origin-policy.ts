import { httpUrl, isLocalUrl, sameOrigin } from './origin.ts'
import type { IncomingActivity } from './activity-handlers.ts'
import { ACTOR_TYPES, idOf, isObject, listOf, typeOf, type Json, type JsonObject } from './vocabulary.ts'

/**
 * The decision about an activity: it is accepted as `incoming`; or it counts only if the origin of `url` confirms it (`document`: serves
 * the object, `object`: serves it at all, `gone`: no longer has it, `activity`: serves this very activity); or it needs a registered
 * exception; or it is dropped.
 */
export type OriginDecision =
  | { kind: 'accept'; incoming: IncomingActivity }
  | { kind: 'confirm'; url: string; expected: 'document' | 'object' | 'gone' | 'activity'; incoming: IncomingActivity }
  | { kind: 'exception'; incoming: IncomingActivity }
  | { kind: 'drop'; reason: string }

const ANNOUNCEABLE = new Set(['Create', 'Update', 'Delete'])
/** What others may forward, authenticated by a signature inside the document (docs/federation.md#forwarded-activities). */
const FORWARDABLE = new Set([
  'Create(Note)',
  'Create(CacheFile)',
  'Update(CacheFile)',
  'Undo(CacheFile)',
  'View',
  'Delete(Note)',
  'Delete(Tombstone)'
])

/**
 * Decides whether an actor may do what an activity says: an actor speaks only for its own origin (ARCHITECTURE.md, rule 3; FEP-fe34). Pure:
 * the decision does not depend on stored data. Handlers check ownership within one host.
 */
export function checkOrigin(received: IncomingActivity): OriginDecision {
  const incoming = unwrapAnnounce(received)
  if (!incoming) return drop('the announced activity is not one that may be announced')
  const error = envelopeError(incoming)
  if (error) return drop(error)
  switch (incoming.type) {
    case 'Create':
    case 'Update':
      return checkCreateOrUpdate(incoming)
    case 'Delete':
      return checkDelete(incoming)
    case 'Undo':
      return checkUndo(incoming)
    case 'Accept':
    case 'Reject':
      return checkFollowResponse(incoming)
    case 'Move':
      return isSameUrl(idOf(incoming.object), incoming.actor) ? decideByProof(incoming) : drop('it moves somebody else')
    default:
      return decideByProof(withObjectIds(incoming))
  }
}

/** Decides about an activity that its origin has confirmed, whatever its proof. */
export function checkConfirmedOrigin(incoming: IncomingActivity): OriginDecision {
  const decision = checkOrigin({ ...incoming, proof: 'http' })
  return decision.kind === 'accept' ? { kind: 'accept', incoming: { ...decision.incoming, proof: incoming.proof } } : decision
}

/** Whether an unauthenticated activity may still count, because it has an embedded proof or its origin can be asked. */
export function isVerifiableAtOrigin(type: string, activity: JsonObject): boolean {
  return 'signature' in activity || 'proof' in activity || type === 'Announce' || ANNOUNCEABLE.has(type)
}

const drop = (reason: string): OriginDecision => ({ kind: 'drop', reason })
const isSameUrl = (value: unknown, url: string) => httpUrl(value) === url

/** FEP-1b12: a group announces activities of others; the announced activity is checked on its own, as unauthenticated. */
function unwrapAnnounce(incoming: IncomingActivity): IncomingActivity | null {
  const inner = incoming.type === 'Announce' ? singleValue(incoming.object) : null
  if (!isObject(inner) || inner.actor === undefined || inner.object === undefined) return incoming
  const actor = httpUrl(idOf(inner.actor))
  const id = httpUrl(inner.id)
  if (envelopeError(incoming) || incoming.proof === 'none' || !actor || !id || !ANNOUNCEABLE.has(typeOf(inner) ?? '')) return null
  return { ...incoming, id, type: typeOf(inner)!, actor, activity: inner, object: inner.object, proof: 'none' }
}

function envelopeError({ id, type, actor, activity, object }: IncomingActivity): string | null {
  if (isLocalUrl(actor)) return 'its actor is ours'
  if (!isSameUrl(idOf(activity.actor), actor) || typeOf(activity) !== type) return 'it does not say what it is'
  // PeerTube derives the id of a Delete from the deleted object, which may be of another origin (see checkDelete).
  const hasDerivedId = type === 'Delete' && sameOrigin(id, httpUrl(idOf(singleValue(object))))
  if (!isSameUrl(activity.id, id) || !(sameOrigin(id, actor) || hasDerivedId)) return 'its id is of another origin than its actor'
  return null
}

/**
 * Create and Update: object, author and actor share one origin; only an actor updates itself (docs/federation.md#update-of-a-video,
 * docs/federation.md#update-of-an-actor, docs/federation.md#one-origin, docs/federation.md#playlists-of-others).
 */
function checkCreateOrUpdate(incoming: IncomingActivity): OriginDecision {
  const object = singleValue(incoming.object)
  const id = httpUrl(idOf(object))
  if (!id || !sameOrigin(id, incoming.actor)) return drop('its object is of another origin')
  if (!isObject(object)) return confirmDocument(incoming, id)
  if (ACTOR_TYPES.includes(typeOf(object) ?? '') && id !== incoming.actor) return drop('it is about another actor')
  for (const author of [...listOf(object.attributedTo), ...listOf(object.actor)]) {
    if (!sameOrigin(httpUrl(idOf(author)) ?? '', id)) return drop('its object is of an author of another origin')
  }
  return decideByProof(withObject(incoming, object))
}

function checkDelete(incoming: IncomingActivity): OriginDecision {
  const object = singleValue(incoming.object)
  const id = httpUrl(idOf(object))
  if (!id) return drop('nothing is deleted')
  const objectType = typeOf(object)
  if (objectType !== null && ACTOR_TYPES.includes(objectType) && id !== incoming.actor) return drop('it is about another actor')
  const normalized = withObject(incoming, isObject(object) ? { ...object, id } : id)
  if (sameOrigin(id, incoming.actor)) return decideByProof(normalized)
  // The owner of a video may delete comments of others below it; only the comments feature can tell.
  const mayBeAllowed = isActorProven(incoming) && (objectType === null || objectType === 'Note' || objectType === 'Tombstone')
  return mayBeAllowed ? { kind: 'exception', incoming: normalized } : drop('its object is of another origin')
}

/** Only the actor of an activity undoes it (docs/federation.md#undo-and-delete). */
function checkUndo(incoming: IncomingActivity): OriginDecision {
  const object = singleValue(incoming.object)
  // What is only named is looked up among what this actor did.
  if (!isObject(object) || (object.actor === undefined && object.id !== undefined)) {
    const id = httpUrl(idOf(object))
    return id && sameOrigin(id, incoming.actor) ? decideByProof(withObject(incoming, id)) : drop('what is undone is of another origin')
  }
  if (!isSameUrl(idOf(object.actor), incoming.actor)) return drop('what is undone is somebody else’s')
  if (object.id !== undefined && !sameOrigin(httpUrl(object.id) ?? '', incoming.actor)) return drop('what is undone is of another origin')
  const inner = singleValue(object.object as Json)
  if (typeOf(object) === 'Create' && !sameOrigin(httpUrl(idOf(inner)) ?? '', incoming.actor))
    return drop('what is undone is of another origin')
  return decideByProof(withObject(incoming, object))
}

/** Only the target of a Follow answers it, and only a Follow of a local actor (docs/federation.md#answers-to-a-follow). */
function checkFollowResponse(incoming: IncomingActivity): OriginDecision {
  const object = singleValue(incoming.object)
  if (!isObject(object)) {
    const id = httpUrl(object)
    return id && isLocalUrl(id) ? decideByProof(withObject(incoming, id)) : drop('it answers what we never asked')
  }
  if (object.actor !== undefined && !isLocalUrl(httpUrl(idOf(object.actor)) ?? '')) return drop('it answers what we never asked')
  if (object.id !== undefined && !isLocalUrl(httpUrl(object.id) ?? '')) return drop('it answers what we never asked')
  if (object.object !== undefined && !isSameUrl(idOf(object.object), incoming.actor)) return drop('it answers for somebody else')
  return decideByProof(withObject(incoming, object))
}

/** Accepts an activity whose actor is authenticated; else has its origin confirm it where that is possible. */
function decideByProof(incoming: IncomingActivity): OriginDecision {
  if (isActorProven(incoming)) return { kind: 'accept', incoming }
  const id = httpUrl(idOf(incoming.object))
  if (incoming.type === 'Announce') return { kind: 'confirm', url: incoming.id, expected: 'activity', incoming }
  if (id && (incoming.type === 'Create' || incoming.type === 'Update')) return confirmDocument(incoming, id)
  if (id && incoming.type === 'Delete') return { kind: 'confirm', url: id, expected: 'gone', incoming }
  return drop('nothing vouches for its actor')
}

const confirmDocument = (incoming: IncomingActivity, url: string): OriginDecision => ({
  kind: 'confirm',
  url,
  expected: 'document',
  incoming
})

function isActorProven({ type, object, proof }: IncomingActivity): boolean {
  if (proof === 'http' || proof === 'none') return proof === 'http'
  const singleObject = singleValue(object)
  const objectType = type === 'Undo' && isObject(singleObject) ? typeOf(singleValue(singleObject.object as Json)) : typeOf(singleObject)
  return (
    FORWARDABLE.has(type) ||
    FORWARDABLE.has(`${type}(${objectType})`) ||
    (proof === 'integrity' && type === 'Update' && objectType === 'Note')
  )
}

/** The same activity with another object. */
function withObject(incoming: IncomingActivity, object: Json): IncomingActivity {
  return { ...incoming, object, activity: { ...incoming.activity, object } }
}

/** Reduces referenced objects to their ids: an actor does not describe objects of others. */
function withObjectIds(incoming: IncomingActivity): IncomingActivity {
  const ids = listOf(incoming.object)
    .map(entry => httpUrl(idOf(entry)))
    .filter(id => id !== null)
  return withObject(incoming, ids.length === 1 ? ids[0]! : ids)
}

function singleValue(value: Json): Json {
  return Array.isArray(value) ? (value.length === 1 ? value[0]! : null) : value
}
