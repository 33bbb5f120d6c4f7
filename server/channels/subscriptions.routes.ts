import { z } from 'zod'
import { Channel } from '../../shared/actors.ts'
import { subscriptions } from '../../shared/follows.ts'
import { paging } from '../core/paging.ts'
import { notFound, Problem } from '../core/problem.ts'
import { implement, type Viewer } from '../core/route.ts'
import { all, query, run, sql, type Sql } from '../core/sql.ts'
import { accountSql } from '../actors/account.shape.ts'
import { Account } from '../actors/account.model.ts'
import { Actor } from '../actors/actor.model.ts'
import { follow, unfollow } from '../actors/follows.ts'
import { listFollows } from '../actors/follows.query.ts'
import { hasHandle } from '../actors/handle.ts'
import { wantFollow } from '../actors/wanted-follows.job.ts'
import { channelSql } from './channel.shape.ts'
import { managedChannel } from './channels.ts'

/** The channels a user follows. */
export const subscriptionsRoutes = implement(subscriptions, {
  'GET /users/me/subscriptions': async ({ viewer, query: { search, sort, ...rest } }) =>
    await listSubscriptions(viewer, { ...paging(rest), search, sort }),
  'POST /users/me/subscriptions': async ({ viewer, body }) => {
    const me = await ownActor(viewer)
    const uri = body.uri.replace(/^@/, '')
    const [known] = await run<{ id: number }>(
      sql`SELECT actor.id FROM actors actor JOIN channels ON channels.actor_id = actor.id WHERE ${hasHandle(sql`actor`, uri)}`
    )
    if (known) await follow(me, await Actor.findByPk(known.id, { rejectOnEmpty: true }))
    else await wantFollow(me.id, uri)
  },
  'GET /users/me/subscriptions/exist': async ({ viewer, query: { uris } }) => {
    const found = await Promise.all(uris.map(async uri => [uri, (await subscribed(viewer, uri)) !== null] as const))
    return Object.fromEntries(found)
  },
  'GET /users/me/subscriptions/:uri': async ({ viewer, params: { uri } }) => {
    const target = await subscribed(viewer, uri)
    const { data } = target === null ? { data: [] } : await listSubscriptions(viewer, { start: 0, count: 1 }, sql`actor.id = ${target}`)
    if (!data[0]) throw notSubscribed(uri)
    return data[0]
  },
  'DELETE /users/me/subscriptions/:uri': async ({ viewer, params: { uri } }) => {
    const target = await subscribed(viewer, uri)
    if (target === null) throw notSubscribed(uri)
    await unfollow((await ownActor(viewer)).id, target)
  },
  'GET /accounts/:name/followers': async ({ viewer, params: { name }, query: { search, sort, ...rest } }) => {
    const actors = await run<{ id: number; own: boolean }>(sql`
      SELECT one.id, account.id = ${viewer.accountId} AS own FROM accounts account JOIN actors actor ON actor.id = account.actor_id
        JOIN LATERAL (SELECT actor.id UNION ALL SELECT channels.actor_id FROM channels WHERE channels.account_id = account.id) one ON TRUE WHERE ${hasHandle(sql`actor`, name)}`)
    if (actors.length === 0) throw notFound('Account')
    if (!actors[0]!.own) throw new Problem(403, null, 'Only the owner of an account sees who follows it.')
    return await listFollows(
      actors.map(({ id }) => id),
      'followers',
      { ...paging(rest), search, sort }
    )
  },
  'GET /video-channels/:channelHandle/followers': async ({ viewer, params, query: { search, sort, ...rest } }) =>
    await listFollows([(await managedChannel(params.channelHandle, viewer)).actorId], 'followers', { ...paging(rest), search, sort })
})

const notSubscribed = (uri: string) => new Problem(404, null, `Subscription ${uri} not found.`)

async function ownActor(viewer: Viewer): Promise<Actor> {
  const { actorId } = await Account.findByPk(viewer.accountId, { rejectOnEmpty: true })
  return await Actor.findByPk(actorId, { rejectOnEmpty: true })
}

/** The actor of the channel with this handle that the viewer follows, accepted or not yet; null otherwise. */
async function subscribed(viewer: Viewer, uri: string): Promise<number | null> {
  const [row] = await run<{ id: number }>(sql`
    SELECT actor.id FROM follows JOIN actors actor ON actor.id = follows.target_id JOIN accounts me ON me.actor_id = follows.actor_id
    WHERE me.id = ${viewer.accountId} AND follows.state <> 'rejected' AND ${hasHandle(sql`actor`, uri)}`)
  return row?.id ?? null
}

type Filters = { start: number; count: number; search?: string; sort?: string }

async function listSubscriptions(
  viewer: Viewer,
  { start, count, search, sort = '-createdAt' }: Filters,
  only?: Sql
): Promise<{ total: number; data: Channel[] }> {
  const conditions = [sql`me.id = ${viewer.accountId}`, sql`follows.state = 'accepted'`, ...(only ? [only] : [])]
  if (only) conditions[1] = sql`follows.state <> 'rejected'`
  if (search) {
    const pattern = `%${search.replace(/[\\%_]/g, '\\$&')}%`
    conditions.push(sql`(channel.name ILIKE ${pattern} OR actor.preferred_username ILIKE ${pattern})`)
  }
  const from = sql`FROM follows JOIN accounts me ON me.actor_id = follows.actor_id JOIN actors actor ON actor.id = follows.target_id JOIN channels channel ON channel.actor_id = actor.id
    JOIN accounts account ON account.id = channel.account_id JOIN actors owner ON owner.id = account.actor_id WHERE ${all(conditions)}`
  const [row] = await query(
    z.object({ total: z.int(), data: z.array(Channel) }),
    sql`
    SELECT (SELECT count(*)::int ${from}) AS total, coalesce((SELECT json_agg(part.channel) FROM (
      SELECT ${channelSql(sql`channel`, sql`actor`, accountSql(sql`account`, sql`owner`))} AS channel ${from} ORDER BY ${sort.startsWith('-') ? sql`follows.id DESC` : sql`follows.id`} LIMIT ${count} OFFSET ${start}) part), '[]'::json) AS data`
  )
  return row!
}
