import { run, sql } from '../core/sql.ts'
import { FetchError, getDocument } from '../fediverse/remote-fetch.ts'
import { httpUrl, isLocal } from '../fediverse/origin.ts'
import { Later, receive, type Incoming } from '../fediverse/activity-handlers.ts'
import { idOf, listOf } from '../fediverse/vocabulary.ts'
import { Actor } from './actor.model.ts'
import { follow, unfollow } from './follows.ts'
import { resolveActor } from './resolve-actor.ts'

/** Hears that an actor has moved: who followed it here, follows where it is now. */
export function receiveMoves(): void {
  receive('Move', receiveMove)
}

async function receiveMove({ actor, activity }: Incoming): Promise<boolean> {
  const old = await Actor.findOne({ where: { url: actor } })
  const target = httpUrl(idOf(activity.target))
  if (!old || old.host === null || !target || target === actor) return false
  const followers = await run<{ id: number; url: string }>(sql`
    SELECT actors.id, actors.url FROM follows JOIN actors ON actors.id = follows.actor_id WHERE follows.target_id = ${old.id} AND actors.host IS NULL AND follows.state <> 'rejected' ORDER BY follows.id`)
  // Nobody is asked where nobody here is concerned.
  if (followers.length === 0) return true
  const moved = await newHome(target, actor)
  if (!moved || moved.type !== old.type) return true
  for (const follower of followers) {
    await follow(follower, moved)
    await unfollow(follower.id, old.id)
  }
  return true
}

/** The actor at the new address, if its own document says that it was the old one. */
async function newHome(target: string, old: string): Promise<Actor | null> {
  if (isLocal(target)) return null
  try {
    const { document } = await getDocument(target)
    if (!listOf(document.alsoKnownAs).some(one => httpUrl(one) === old)) return null
    return await resolveActor(target)
  } catch (error) {
    if (error instanceof FetchError && error.kind === 'unreachable') throw new Later(error.message)
    if (error instanceof FetchError) return null
    throw error
  }
}
