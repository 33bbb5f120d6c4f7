import { transaction } from '../core/transaction.ts'
import { onEvent } from '../core/events.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import { registerObjectRefreshHandler } from '../fediverse/object-refreshes.ts'
import { FetchError, type FetchBudget } from '../fediverse/remote-fetch.ts'
import { httpUrl } from '../fediverse/origin.ts'
import { RetryLaterError, onActivity, onWithdrawal, type IncomingActivity } from '../fediverse/activity-handlers.ts'
import { isOutdated, recordOutdated } from '../fediverse/undone-activities.ts'
import { ACTOR_TYPES, idOf, isObject, type JsonObject } from '../fediverse/vocabulary.ts'
import { ActorModel } from './actor.model.ts'
import { findFollow, applyFollowResponse, deleteFollow, processFollowRequest } from './follows.ts'
import { removeRemoteActor, resolveActor, storeActorDocument } from './resolve-actor.ts'

/** Registers the inbox handlers of follows (Follow, Accept, Reject, Undo) and of actors (Update, Delete). */
export function registerFollowInboxHandlers(): void {
  onActivity('Follow', handleFollow)
  onActivity('Accept', async incoming => await handleFollowResponse(incoming, true))
  onActivity('Reject', async incoming => await handleFollowResponse(incoming, false))
  onActivity('Undo(Follow)', handleUndoFollow)
  onWithdrawal(async (id, { actor }) => await endFollow(sql`follower.url = ${actor} AND follows.url = ${id}`))
  for (const type of ACTOR_TYPES) onActivity(`Update(${type})`, handleActorUpdate)
  onActivity('Delete', handleActorDelete)
  registerObjectRefreshHandler({ types: ACTOR_TYPES, listOwners: async url => [url], store: storeKnownActor, remove: removeGoneActor })
  onEvent('inbox.gone', async ({ inboxUrl }) => await removeFollowsFromInbox(inboxUrl))
}

/** Resolves the actor of an activity. Throws RetryLaterError if its server is unreachable, FetchError otherwise. */
export async function resolveActivityActor({ actor }: IncomingActivity, refresh = false): Promise<ActorModel> {
  try {
    return await resolveActor(actor, { refresh })
  } catch (error) {
    if (error instanceof FetchError && error.kind === 'unreachable') throw new RetryLaterError(error.message)
    throw error
  }
}

async function handleFollow(incoming: IncomingActivity): Promise<boolean> {
  const url = httpUrl(idOf(incoming.object))
  const target = url ? await ActorModel.findOne({ where: { url, host: null } }) : null
  if (!target) return false
  await processFollowRequest(incoming.id, await resolveActivityActor(incoming), target)
  return true
}

/** Only the response to a Follow of a local actor is accepted (docs/federation.md#answers-to-a-follow). */
async function handleFollowResponse({ actor, object }: IncomingActivity, accepted: boolean): Promise<boolean> {
  const id = httpUrl(idOf(object))
  // Only an id: that of the Follow, or of who asked.
  return await applyFollowResponse(actor, id, isObject(object) ? httpUrl(idOf(object.actor)) : id, accepted)
}

/** Ends the follow that an Undo names. Where its id is unknown here, as with software that makes a new one for the Undo, its target decides. */
async function handleUndoFollow({ actor, object }: IncomingActivity): Promise<boolean> {
  if (!isObject(object)) return false
  const [url, target] = [httpUrl(object.id), httpUrl(idOf(object.object))]
  if (url && (await endFollow(sql`follower.url = ${actor} AND follows.url = ${url}`))) return true
  if (!target || (url && (await isOutdated(url, actor)))) return false
  return await endFollow(sql`follower.url = ${actor} AND target.url = ${target}`)
}

/** Ends one follow of a remote actor, by a condition as `findFollow` takes; returns false if there is none. */
async function endFollow(condition: Sql): Promise<boolean> {
  return await transaction(async tx => {
    const found = await findFollow(sql`follower.host IS NOT NULL AND ${condition}`, tx)
    if (!found) return false
    await deleteFollow(found, tx)
    await recordOutdated(found.url, found.follower.url, tx)
    return true
  })
}

/**
 * Refetches the actor from its origin and ignores the object of the activity: keys and inboxes are accepted from the origin only
 * (docs/federation.md#update-of-an-actor).
 */
async function handleActorUpdate(incoming: IncomingActivity): Promise<boolean> {
  if (httpUrl(idOf(incoming.object)) !== incoming.actor) return false
  if ((await runQuery(sql`SELECT 1 FROM actors WHERE url = ${incoming.actor} AND host IS NOT NULL`)).length === 0) return true
  await resolveActivityActor(incoming, true)
  return true
}

async function handleActorDelete({ actor, object }: IncomingActivity): Promise<boolean> {
  if (httpUrl(idOf(object)) !== actor) return false
  const known = await ActorModel.findOne({ where: { url: actor } })
  if (known && known.host !== null) await removeRemoteActor(known)
  return true
}

async function storeKnownActor(document: JsonObject, _: Date, budget: FetchBudget): Promise<void> {
  const url = httpUrl(document.id)
  const known = url ? await ActorModel.findOne({ where: { url } }) : null
  if (url && known) await storeActorDocument(url, document, budget)
}

/** An actor that is only missing (404) may be there again; only one that is gone takes its channels and videos with it. */
async function removeGoneActor(url: string, _: Date, answer: 'gone' | 'missing'): Promise<void> {
  const known = answer === 'gone' ? await ActorModel.findOne({ where: { url } }) : null
  if (known && known.host !== null) await removeRemoteActor(known)
}

/** Removes the follows of the remote actors behind an inbox that does not exist any more. */
async function removeFollowsFromInbox(inbox: string): Promise<void> {
  await runQuery(
    sql`DELETE FROM follows USING actors
      WHERE actors.id = follows.actor_id AND actors.host IS NOT NULL AND coalesce(actors.shared_inbox_url, actors.inbox_url) = ${inbox}`
  )
}
