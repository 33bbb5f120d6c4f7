import { transaction } from '../core/transaction.ts'
import { onEvent } from '../core/events.ts'
import { runQuery, sql } from '../core/sql.ts'
import { FetchError } from '../fediverse/remote-fetch.ts'
import { httpUrl } from '../fediverse/origin.ts'
import { RetryLaterError, onActivity, type IncomingActivity } from '../fediverse/activity-handlers.ts'
import { idOf, isObject } from '../fediverse/vocabulary.ts'
import { ActorModel } from './actor.model.ts'
import { findFollow, applyFollowResponse, deleteFollow, processFollowRequest } from './follows.ts'
import { removeRemoteActor, resolveActor } from './resolve-actor.ts'

/** Hears what other servers say about follows and about their actors. */
export function registerFollowInboxHandlers(): void {
  onActivity('Follow', receiveFollow)
  onActivity('Accept', async incoming => await receiveAnswer(incoming, true))
  onActivity('Reject', async incoming => await receiveAnswer(incoming, false))
  onActivity('Undo(Follow)', receiveUndo)
  for (const type of ['Person', 'Application', 'Service', 'Organization', 'Group']) onActivity(`Update(${type})`, receiveUpdate)
  onActivity('Delete', receiveFarewell)
  onEvent('inbox.gone', async ({ inboxUrl }) => await forgetInbox(inboxUrl))
}

/** The remote actor of an activity; what cannot be asked now is asked later. */
export async function resolveActivityActor({ actor }: IncomingActivity, refresh = false): Promise<ActorModel> {
  try {
    return await resolveActor(actor, { refresh })
  } catch (error) {
    if (error instanceof FetchError && error.kind === 'unreachable') throw new RetryLaterError(error.message)
    throw error
  }
}

async function receiveFollow(incoming: IncomingActivity): Promise<boolean> {
  const url = httpUrl(idOf(incoming.object))
  const target = url ? await ActorModel.findOne({ where: { url, host: null } }) : null
  if (!target) return false
  await processFollowRequest(incoming.id, await resolveActivityActor(incoming), target)
  return true
}

/** Only an answer to a Follow of ours counts (docs/federation.md#answers-to-a-follow). */
async function receiveAnswer({ actor, object }: IncomingActivity, accepted: boolean): Promise<boolean> {
  const follower = isObject(object) ? httpUrl(idOf(object.actor)) : null
  return await applyFollowResponse(actor, httpUrl(idOf(object)), follower, accepted)
}

async function receiveUndo({ actor, object }: IncomingActivity): Promise<boolean> {
  if (!isObject(object)) return false
  const target = httpUrl(idOf(object.object))
  return await transaction(async inside => {
    const found = await findFollow(
      sql`follower.url = ${actor} AND follower.host IS NOT NULL AND (target.url = ${target} OR follows.url = ${httpUrl(object.id)})`,
      inside
    )
    if (found) await deleteFollow(found, inside)
    return found !== null
  })
}

/** Whatever it says, the origin is asked: keys and inboxes are taken from nobody else (docs/federation.md#update-of-an-actor). */
async function receiveUpdate(incoming: IncomingActivity): Promise<boolean> {
  if (httpUrl(idOf(incoming.object)) !== incoming.actor) return false
  if ((await runQuery(sql`SELECT 1 FROM actors WHERE url = ${incoming.actor} AND host IS NOT NULL`)).length === 0) return true
  await resolveActivityActor(incoming, true)
  return true
}

async function receiveFarewell({ actor, object }: IncomingActivity): Promise<boolean> {
  if (httpUrl(idOf(object)) !== actor) return false
  const known = await ActorModel.findOne({ where: { url: actor } })
  if (known && known.host !== null) await removeRemoteActor(known)
  return true
}

/** Nobody is behind an inbox any more: whoever followed from there does not. */
async function forgetInbox(inbox: string): Promise<void> {
  await runQuery(
    sql`DELETE FROM follows USING actors WHERE actors.id = follows.actor_id AND actors.host IS NOT NULL AND coalesce(actors.shared_inbox_url, actors.inbox_url) = ${inbox}`
  )
}
