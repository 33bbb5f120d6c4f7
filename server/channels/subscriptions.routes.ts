import { z } from 'zod'
import { Channel } from '../../shared/actors.ts'
import { subscriptionsContract } from '../../shared/follows.ts'
import { paging } from '../core/paging.ts'
import { notFound, Problem } from '../core/problem.ts'
import { implementContract, type Viewer } from '../core/route.ts'
import { sqlAnd, queryAs, runQuery, sql, type Sql } from '../core/sql.ts'
import { accountSql } from '../actors/account.shape.ts'
import { AccountModel } from '../actors/account.model.ts'
import { ActorModel } from '../actors/actor.model.ts'
import { followActor, unfollowActor } from '../actors/follows.ts'
import { listFollows } from '../actors/follows.query.ts'
import { matchesHandleSql } from '../actors/handle.ts'
import { followByHandle } from '../actors/wanted-follows.job.ts'
import { channelSql } from './channel.shape.ts'
import { findManagedChannel } from './channels.ts'

/** Routes of subscriptions, and of the followers of accounts and channels. */
export const subscriptionsRoutes = implementContract(subscriptionsContract, {
  'GET /users/me/subscriptions': async ({ viewer, query: { search, sort, ...rest } }) =>
    await listSubscriptions(viewer, { ...paging(rest), search, sort }),
  'POST /users/me/subscriptions': async ({ viewer, body }) => {
    const actor = await findOwnActor(viewer)
    const uri = body.uri.replace(/^@/, '')
    const [known] = await runQuery<{ id: number }>(
      sql`SELECT actor.id FROM actors actor JOIN channels ON channels.actor_id = actor.id WHERE ${matchesHandleSql(sql`actor`, uri)}`
    )
    if (known) await followActor(actor, await ActorModel.findByPk(known.id, { rejectOnEmpty: true }))
    else await followByHandle(actor.id, uri)
  },
  'GET /users/me/subscriptions/exist': async ({ viewer, query: { uris } }) => {
    const found = await Promise.all(uris.map(async uri => [uri, (await findSubscribedActorId(viewer, uri)) !== null] as const))
    return Object.fromEntries(found)
  },
  'GET /users/me/subscriptions/:uri': async ({ viewer, params: { uri } }) => {
    const target = await findSubscribedActorId(viewer, uri)
    const { data } = target === null ? { data: [] } : await listSubscriptions(viewer, { start: 0, count: 1 }, sql`actor.id = ${target}`)
    if (!data[0]) throw subscriptionNotFound(uri)
    return data[0]
  },
  'DELETE /users/me/subscriptions/:uri': async ({ viewer, params: { uri } }) => {
    const target = await findSubscribedActorId(viewer, uri)
    if (target === null) throw subscriptionNotFound(uri)
    await unfollowActor((await findOwnActor(viewer)).id, target)
  },
  'GET /accounts/:name/followers': async ({ viewer, params: { name }, query: { search, sort, ...rest } }) => {
    const actors = await runQuery<{ id: number; own: boolean }>(sql`
      SELECT one.id, account.id = ${viewer.accountId} AS own FROM accounts account JOIN actors actor ON actor.id = account.actor_id
        JOIN LATERAL (SELECT actor.id UNION ALL SELECT channels.actor_id FROM channels WHERE channels.account_id = account.id) one ON TRUE
      WHERE ${matchesHandleSql(sql`actor`, name)}`)
    if (actors.length === 0) throw notFound('Account')
    if (!actors[0]!.own) throw new Problem(403, null, 'Only the owner of an account sees who follows it.')
    return await listFollows(
      actors.map(({ id }) => id),
      'followers',
      { ...paging(rest), search, sort }
    )
  },
  'GET /video-channels/:channelHandle/followers': async ({ viewer, params, query: { search, sort, ...rest } }) =>
    await listFollows([(await findManagedChannel(params.channelHandle, viewer)).actorId], 'followers', { ...paging(rest), search, sort })
})

const subscriptionNotFound = (uri: string) => new Problem(404, null, `Subscription ${uri} not found.`)

async function findOwnActor(viewer: Viewer): Promise<ActorModel> {
  const { actorId } = await AccountModel.findByPk(viewer.accountId, { rejectOnEmpty: true })
  return await ActorModel.findByPk(actorId, { rejectOnEmpty: true })
}

/** Returns the actor id of a channel that the viewer follows, accepted or pending, by its handle; null otherwise. */
async function findSubscribedActorId(viewer: Viewer, uri: string): Promise<number | null> {
  const [row] = await runQuery<{ id: number }>(sql`
    SELECT actor.id FROM follows JOIN actors actor ON actor.id = follows.target_id JOIN accounts me ON me.actor_id = follows.actor_id
    WHERE me.id = ${viewer.accountId} AND follows.state <> 'rejected' AND ${matchesHandleSql(sql`actor`, uri)}`)
  return row?.id ?? null
}

type SubscriptionFilters = { start: number; count: number; search?: string; sort?: string }

async function listSubscriptions(
  viewer: Viewer,
  { start, count, search, sort = '-createdAt' }: SubscriptionFilters,
  targetCondition?: Sql
): Promise<{ total: number; data: Channel[] }> {
  const conditions = [sql`me.id = ${viewer.accountId}`, sql`follows.state = 'accepted'`, ...(targetCondition ? [targetCondition] : [])]
  if (targetCondition) conditions[1] = sql`follows.state <> 'rejected'`
  if (search) {
    const pattern = `%${search.replace(/[\\%_]/g, '\\$&')}%`
    conditions.push(sql`(channel.name ILIKE ${pattern} OR actor.preferred_username ILIKE ${pattern})`)
  }
  const from = sql`FROM follows JOIN accounts me ON me.actor_id = follows.actor_id JOIN actors actor ON actor.id = follows.target_id
    JOIN channels channel ON channel.actor_id = actor.id JOIN accounts account ON account.id = channel.account_id
    JOIN actors owner ON owner.id = account.actor_id WHERE ${sqlAnd(conditions)}`
  const [row] = await queryAs(
    z.object({ total: z.int(), data: z.array(Channel) }),
    sql`
    SELECT (SELECT count(*)::int ${from}) AS total, coalesce((SELECT json_agg(part.channel) FROM (
      SELECT ${channelSql(sql`channel`, sql`actor`, accountSql(sql`account`, sql`owner`))} AS channel ${from}
      ORDER BY ${orderBy(sort)} LIMIT ${count} OFFSET ${start}) part), '[]'::json) AS data`
  )
  return row!
}

const ORDERS: Record<string, Sql> = {
  id: sql`channel.id`,
  createdAt: sql`follows.created_at`,
  channelUpdatedAt: sql`greatest(channel.updated_at, (SELECT max(v.published_at) FROM videos v WHERE v.channel_id = channel.id
    AND v.privacy = 1 AND v.state = 1))`
}

function orderBy(sort: string): Sql {
  const column = ORDERS[sort.replace('-', '')]!
  return sort.startsWith('-') ? sql`${column} DESC, follows.id DESC` : sql`${column}, follows.id`
}
