import { follows } from '../../shared/follows.ts'
import { host, origin } from '../core/config.ts'
import { paging } from '../core/paging.ts'
import { Problem } from '../core/problem.ts'
import { implement } from '../core/route.ts'
import { sql } from '../core/sql.ts'
import { Actor } from './actor.model.ts'
import { answerFollower, findFollow, removeFollower, unfollow, type Follow } from './follows.ts'
import { listFollows } from './follows.query.ts'
import { hasHandle } from './handle.ts'
import { INSTANCE_ACTOR } from './instance-actor.ts'
import { listWanted, unwant, wantFollow } from './wanted-follows.job.ts'

/** Who follows this instance, and whom it follows. */
export const followsRoutes = implement(follows, {
  'GET /server/followers': async ({ query: { state, actorType, search, sort, ...rest } }) =>
    await listFollows([await instanceId()], 'followers', { ...paging(rest), state, actorType, search, sort }),
  'GET /server/following': async ({ query: { state, actorType, search, sort, ...rest } }) =>
    await listFollows([await instanceId()], 'following', { ...paging(rest), state, actorType, search, sort }),
  'GET /server/following/wanted': async ({ query }) => await listWanted(await instanceId(), paging(query)),
  'POST /server/following': async ({ body: { hosts = [], handles = [] } }) => {
    const id = await instanceId()
    const others = [...new Set(hosts.map(one => one.toLowerCase()))].filter(one => one !== host().toLowerCase())
    for (const handle of [...others.map(one => `${INSTANCE_ACTOR}@${one}`), ...handles]) await wantFollow(id, handle.replace(/^@/, ''))
  },
  'DELETE /server/following/:hostOrHandle': async ({ params: { hostOrHandle } }) => {
    const handle = hostOrHandle.includes('@') ? hostOrHandle : `${INSTANCE_ACTOR}@${hostOrHandle}`
    // First: what is being looked for right now may be followed a moment later.
    const dropped = await unwant(await instanceId(), handle)
    const found = await findFollow(sql`follows.actor_id = ${await instanceId()} AND ${hasHandle(sql`target`, handle)}`)
    if (!found && !dropped) throw new Problem(404, null, `Follow ${hostOrHandle} not found.`)
    if (found) await unfollow(found.follower.id, found.target.id)
  },
  'DELETE /server/followers/:handle': async ({ params }) => await removeFollower(await follower(params.handle)),
  'POST /server/followers/:handle/accept': async ({ params }) => await answerFollower(await follower(params.handle), 'accepted'),
  'POST /server/followers/:handle/reject': async ({ params }) => await answerFollower(await follower(params.handle), 'rejected')
})

async function instanceId(): Promise<number> {
  return (await Actor.findOne({ where: { url: `${origin()}/accounts/${INSTANCE_ACTOR}` }, attributes: ['id'], rejectOnEmpty: true })).id
}

async function follower(handle: string): Promise<Follow> {
  const found = await findFollow(sql`follows.target_id = ${await instanceId()} AND ${hasHandle(sql`follower`, handle)}`)
  if (!found) throw new Problem(404, null, `Follower ${handle} not found.`)
  return found
}
