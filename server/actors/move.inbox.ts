import { runQuery, sql } from '../core/sql.ts'
import { FetchError, fetchRemoteDocument } from '../fediverse/remote-fetch.ts'
import { httpUrl, isLocalUrl } from '../fediverse/origin.ts'
import { RetryLaterError, onActivity, type IncomingActivity } from '../fediverse/activity-handlers.ts'
import { idOf, listOf } from '../fediverse/vocabulary.ts'
import { ActorModel } from './actor.model.ts'
import { followActor, unfollowActor } from './follows.ts'
import { resolveActor } from './resolve-actor.ts'

/** Registers the inbox handler of Move: local followers of the actor follow its new account instead. */
export function registerMoveInboxHandlers(): void {
  onActivity('Move', handleMove)
}

async function handleMove({ actor, activity }: IncomingActivity): Promise<boolean> {
  const oldActor = await ActorModel.findOne({ where: { url: actor } })
  const target = httpUrl(idOf(activity.target))
  if (!oldActor || oldActor.host === null || !target || target === actor) return false
  const followers = await runQuery<{ id: number; url: string }>(sql`
    SELECT actors.id, actors.url FROM follows JOIN actors ON actors.id = follows.actor_id
    WHERE follows.target_id = ${oldActor.id} AND actors.host IS NULL AND follows.state <> 'rejected' ORDER BY follows.id`)
  // Without local followers nothing has to be fetched.
  if (followers.length === 0) return true
  const successor = await resolveMoveTarget(target, actor)
  if (!successor || successor.type !== oldActor.type) return true
  for (const follower of followers) {
    await followActor(follower, successor)
    await unfollowActor(follower.id, oldActor.id)
  }
  return true
}

/** Resolves the actor at the new URL if its `alsoKnownAs` contains the old one; null otherwise. Throws RetryLaterError. */
async function resolveMoveTarget(target: string, old: string): Promise<ActorModel | null> {
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
