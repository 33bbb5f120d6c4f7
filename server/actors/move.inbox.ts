import { runQuery, sql } from '../core/sql.ts'
import { FetchError, fetchRemoteDocument } from '../fediverse/remote-fetch.ts'
import { httpUrl, isLocalUrl } from '../fediverse/origin.ts'
import { RetryLaterError, onActivity, type IncomingActivity } from '../fediverse/activity-handlers.ts'
import { idOf, listOf } from '../fediverse/vocabulary.ts'
import { ActorModel } from './actor.model.ts'
import { followActor, unfollowActor } from './follows.ts'
import { resolveActor } from './resolve-actor.ts'

/** Hears that an actor has moved: who followed it here, follows where it is now. */
export function registerMoveInboxHandlers(): void {
  onActivity('Move', receiveMove)
}

async function receiveMove({ actor, activity }: IncomingActivity): Promise<boolean> {
  const old = await ActorModel.findOne({ where: { url: actor } })
  const target = httpUrl(idOf(activity.target))
  if (!old || old.host === null || !target || target === actor) return false
  const followers = await runQuery<{ id: number; url: string }>(sql`
    SELECT actors.id, actors.url FROM follows JOIN actors ON actors.id = follows.actor_id WHERE follows.target_id = ${old.id} AND actors.host IS NULL AND follows.state <> 'rejected' ORDER BY follows.id`)
  // Nobody is asked where nobody here is concerned.
  if (followers.length === 0) return true
  const moved = await newHome(target, actor)
  if (!moved || moved.type !== old.type) return true
  for (const follower of followers) {
    await followActor(follower, moved)
    await unfollowActor(follower.id, old.id)
  }
  return true
}

/** The actor at the new address, if its own document says that it was the old one. */
async function newHome(target: string, old: string): Promise<ActorModel | null> {
  if (isLocalUrl(target)) return null
  try {
    const { document } = await fetchRemoteDocument(target)
    if (!listOf(document.alsoKnownAs).some(one => httpUrl(one) === old)) return null
    return await resolveActor(target)
  } catch (error) {
    if (error instanceof FetchError && error.kind === 'unreachable') throw new RetryLaterError(error.message)
    if (error instanceof FetchError) return null
    throw error
  }
}
