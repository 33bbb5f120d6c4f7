import { transaction } from '../core/transaction.ts'
import { on } from '../core/events.ts'
import { run, sql } from '../core/sql.ts'
import { FetchError } from '../fediverse/remote-fetch.ts'
import { httpUrl } from '../fediverse/origin.ts'
import { Later, receive, type Incoming } from '../fediverse/activity-handlers.ts'
import { idOf, isObject } from '../fediverse/vocabulary.ts'
import { Actor } from './actor.model.ts'
import { findFollow, heedAnswer, removeFollow, takeFollow } from './follows.ts'
import { forgetActor, resolveActor } from './resolve-actor.ts'

/** Hears what other servers say about follows and about their actors. */
export function receiveFollows(): void {
  receive('Follow', receiveFollow)
  receive('Accept', async incoming => await receiveAnswer(incoming, true))
  receive('Reject', async incoming => await receiveAnswer(incoming, false))
  receive('Undo(Follow)', receiveUndo)
  for (const type of ['Person', 'Application', 'Service', 'Organization', 'Group']) receive(`Update(${type})`, receiveUpdate)
  receive('Delete', receiveFarewell)
  on('inbox.gone', async ({ inboxUrl }) => await forgetInbox(inboxUrl))
}

/** The remote actor of an activity; what cannot be asked now is asked later. */
export async function actorOf({ actor }: Incoming, refresh = false): Promise<Actor> {
  try {
    return await resolveActor(actor, { refresh })
  } catch (error) {
    if (error instanceof FetchError && error.kind === 'unreachable') throw new Later(error.message)
    throw error
  }
}

async function receiveFollow(incoming: Incoming): Promise<boolean> {
  const url = httpUrl(idOf(incoming.object))
  const target = url ? await Actor.findOne({ where: { url, host: null } }) : null
  if (!target) return false
  await takeFollow(incoming.id, await actorOf(incoming), target)
  return true
}

/** Only an answer to a Follow of ours counts (federation.md 4.11). */
async function receiveAnswer({ actor, object }: Incoming, accepted: boolean): Promise<boolean> {
  const follower = isObject(object) ? httpUrl(idOf(object.actor)) : null
  return await heedAnswer(actor, httpUrl(idOf(object)), follower, accepted)
}

async function receiveUndo({ actor, object }: Incoming): Promise<boolean> {
  if (!isObject(object)) return false
  const target = httpUrl(idOf(object.object))
  return await transaction(async inside => {
    const found = await findFollow(
      sql`follower.url = ${actor} AND follower.host IS NOT NULL AND (target.url = ${target} OR follows.url = ${httpUrl(object.id)})`,
      inside
    )
    if (found) await removeFollow(found, inside)
    return found !== null
  })
}

/** Whatever it says, the origin is asked: keys and inboxes are taken from nobody else (federation.md 4.5b). */
async function receiveUpdate(incoming: Incoming): Promise<boolean> {
  if (httpUrl(idOf(incoming.object)) !== incoming.actor) return false
  if ((await run(sql`SELECT 1 FROM actors WHERE url = ${incoming.actor} AND host IS NOT NULL`)).length === 0) return true
  await actorOf(incoming, true)
  return true
}

async function receiveFarewell({ actor, object }: Incoming): Promise<boolean> {
  if (httpUrl(idOf(object)) !== actor) return false
  const known = await Actor.findOne({ where: { url: actor } })
  if (known && known.host !== null) await forgetActor(known)
  return true
}

/** Nobody is behind an inbox any more: whoever followed from there does not. */
async function forgetInbox(inbox: string): Promise<void> {
  await run(
    sql`DELETE FROM follows USING actors WHERE actors.id = follows.actor_id AND actors.host IS NOT NULL AND coalesce(actors.shared_inbox_url, actors.inbox_url) = ${inbox}`
  )
}
