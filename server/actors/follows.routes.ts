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

/** Who follows this instance, and whom it follows. */
export const followsRoutes = implementContract(followsContract, {
  'GET /server/followers': async ({ query: { state, actorType, search, sort, ...rest } }) =>
    await listFollows([await instanceId()], 'followers', { ...paging(rest), state, actorType, search, sort }),
  'GET /server/following': async ({ query: { state, actorType, search, sort, ...rest } }) =>
    await listFollows([await instanceId()], 'following', { ...paging(rest), state, actorType, search, sort }),
  'GET /server/following/wanted': async ({ query }) => await listWantedFollows(await instanceId(), paging(query)),
  'POST /server/following': async ({ body: { hosts = [], handles = [] } }) => {
    const id = await instanceId()
    const others = [...new Set(hosts.map(one => one.toLowerCase()))].filter(one => one !== instanceHost().toLowerCase())
    for (const handle of [...others.map(one => `${INSTANCE_ACTOR_NAME}@${one}`), ...handles])
      await followByHandle(id, handle.replace(/^@/, ''))
  },
  'DELETE /server/following/:hostOrHandle': async ({ params: { hostOrHandle } }) => {
    const handle = hostOrHandle.includes('@') ? hostOrHandle : `${INSTANCE_ACTOR_NAME}@${hostOrHandle}`
    // First: what is being looked for right now may be followed a moment later.
    const dropped = await cancelWantedFollow(await instanceId(), handle)
    const found = await findFollow(sql`follows.actor_id = ${await instanceId()} AND ${matchesHandleSql(sql`target`, handle)}`)
    if (!found && !dropped) throw new Problem(404, null, `Follow ${hostOrHandle} not found.`)
    if (found) await unfollowActor(found.follower.id, found.target.id)
  },
  'DELETE /server/followers/:handle': async ({ params }) => await removeFollower(await follower(params.handle)),
  'POST /server/followers/:handle/accept': async ({ params }) => await decideFollowRequest(await follower(params.handle), 'accepted'),
  'POST /server/followers/:handle/reject': async ({ params }) => await decideFollowRequest(await follower(params.handle), 'rejected')
})

async function instanceId(): Promise<number> {
  return (
    await ActorModel.findOne({
      where: { url: `${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}` },
      attributes: ['id'],
      rejectOnEmpty: true
    })
  ).id
}

async function follower(handle: string): Promise<FollowWithActors> {
  const found = await findFollow(sql`follows.target_id = ${await instanceId()} AND ${matchesHandleSql(sql`follower`, handle)}`)
  if (!found) throw new Problem(404, null, `Follower ${handle} not found.`)
  return found
}
