import { followsContract } from '../../shared/follows.ts'
import { instanceHost, instanceOrigin } from '../core/config.ts'
import { paging } from '../core/paging.ts'
import { Problem } from '../core/problem.ts'
import { implementContract } from '../core/route.ts'
import { sql } from '../core/sql.ts'
import { ActorModel } from './actor.model.ts'
import { decideFollowRequest, findFollow, removeFollower, unfollowActor, type FollowWithActors } from './follows.ts'
import { listFollows } from './follows.query.ts'
import { matchesHandleSql } from './handle.ts'
import { INSTANCE_ACTOR_NAME } from './instance-actor.ts'
import { listWantedFollows, cancelWantedFollow, followByHandle } from './wanted-follows.job.ts'

/** Routes of the followers of this instance and of the actors it follows. */
export const followsRoutes = implementContract(followsContract, {
  'GET /server/followers': async ({ query: { state, actorType, search, sort, ...rest } }) =>
    await listFollows([await instanceActorId()], 'followers', { ...paging(rest), state, actorType, search, sort }),
  'GET /server/following': async ({ query: { state, actorType, search, sort, ...rest } }) =>
    await listFollows([await instanceActorId()], 'following', { ...paging(rest), state, actorType, search, sort }),
  'GET /server/following/wanted': async ({ query }) => await listWantedFollows(await instanceActorId(), paging(query)),
  'POST /server/following': async ({ body: { hosts = [], handles = [] } }) => {
    const id = await instanceActorId()
    const hostsToFollow = hosts.map(one => one.toLowerCase()).filter(one => one !== instanceHost().toLowerCase())
    for (const handle of [...hostsToFollow.map(one => `${INSTANCE_ACTOR_NAME}@${one}`), ...handles])
      await followByHandle(id, handle.replace(/^@/, ''))
  },
  'DELETE /server/following/:hostOrHandle': async ({ params: { hostOrHandle } }) => {
    const handle = hostOrHandle.includes('@') ? hostOrHandle : `${INSTANCE_ACTOR_NAME}@${hostOrHandle}`
    // First, as a running search for the handle may end in a follow.
    const cancelled = await cancelWantedFollow(await instanceActorId(), handle)
    const found = await findFollow(sql`follows.actor_id = ${await instanceActorId()} AND ${matchesHandleSql(sql`target`, handle)}`)
    if (!found && !cancelled) throw new Problem(404, null, `Follow ${hostOrHandle} not found.`)
    if (found) await unfollowActor(found.follower.id, found.target.id)
  },
  'DELETE /server/followers/:handle': async ({ params }) => await removeFollower(await findFollower(params.handle)),
  'POST /server/followers/:handle/accept': async ({ params }) => await decideFollowRequest(await findFollower(params.handle), 'accepted'),
  'POST /server/followers/:handle/reject': async ({ params }) => await decideFollowRequest(await findFollower(params.handle), 'rejected')
})

async function instanceActorId(): Promise<number> {
  return (
    await ActorModel.findOne({
      where: { url: `${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}` },
      attributes: ['id'],
      rejectOnEmpty: true
    })
  ).id
}

async function findFollower(handle: string): Promise<FollowWithActors> {
  const found = await findFollow(sql`follows.target_id = ${await instanceActorId()} AND ${matchesHandleSql(sql`follower`, handle)}`)
  if (!found) throw new Problem(404, null, `Follower ${handle} not found.`)
  return found
}
