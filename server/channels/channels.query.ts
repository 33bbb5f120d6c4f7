import { z } from 'zod'
import { Channel } from '../../shared/actors.ts'
import type { channelsContract } from '../../shared/channels.ts'
import { instanceHost } from '../core/config.ts'
import { notFound } from '../core/problem.ts'
import { sqlAnd, queryAs, sql, type Sql } from '../core/sql.ts'
import { accountSql } from '../actors/account.shape.ts'
import { isoTimestampSql } from '../actors/actor.shape.ts'
import { matchesHandleSql } from '../actors/handle.ts'
import { channelSql } from './channel.shape.ts'

/** Paging, order and filters of a list of channels. */
export type ChannelFilters = {
  start: number
  count: number
  sort?: keyof typeof ORDERS | 'match' | '-match'
  search?: string
  withStats?: boolean
}
type ChannelPage = z.output<(typeof channelsContract)['GET /accounts/:name/video-channels']['response']>

const FROM = sql`FROM channels channel JOIN actors actor ON actor.id = channel.actor_id
  JOIN accounts account ON account.id = channel.account_id JOIN actors owner ON owner.id = account.actor_id`
/** The number of days of the view chart of PeerTube's clients. */
const VIEW_CHART_DAYS = 30
const ORDERS = {
  id: sql`channel.id`,
  '-id': sql`channel.id DESC`,
  createdAt: sql`channel.created_at, channel.id`,
  '-createdAt': sql`channel.created_at DESC, channel.id DESC`,
  updatedAt: sql`channel.updated_at, channel.id`,
  '-updatedAt': sql`channel.updated_at DESC, channel.id DESC`,
  name: sql`lower(actor.preferred_username), channel.id`,
  '-name': sql`lower(actor.preferred_username) DESC, channel.id DESC`,
  displayName: sql`lower(channel.name), channel.id`,
  '-displayName': sql`lower(channel.name) DESC, channel.id DESC`
}

/** Finds a channel with its owner by `name` or `name@host`. Throws 404. */
export async function findChannel(handle: string): Promise<Channel> {
  const [row] = await queryAs(
    z.object({ channel: Channel }),
    sql`SELECT ${channelWithOwnerSql()} AS channel ${FROM} WHERE ${matchesHandleSql(sql`actor`, handle)}`
  )
  if (!row) throw notFound('Video channel')
  return row.channel
}

/** Returns a page of the channels of this instance, newest first by default. */
export async function listLocalChannels(filters: ChannelFilters): Promise<{ total: number; data: Channel[] }> {
  return await listMatchingChannels([sql`actor.host IS NULL`], filters)
}

/** Returns a page of the channels of an account. Throws 404 for an unknown account. */
export async function listAccountChannels(handle: string, { search, ...filters }: ChannelFilters): Promise<ChannelPage> {
  const [account] = await queryAs(
    z.object({ id: z.int() }),
    sql`SELECT account.id FROM accounts account JOIN actors actor ON actor.id = account.actor_id
      WHERE ${matchesHandleSql(sql`actor`, handle)}`
  )
  if (!account) throw notFound('Account')
  const conditions = [sql`channel.account_id = ${account.id}`]
  if (search) {
    const pattern = `%${search.replace(/[\\%_]/g, '\\$&')}%`
    conditions.push(sql`(channel.name ILIKE ${pattern} OR actor.preferred_username ILIKE ${pattern})`)
  }
  return await listMatchingChannels(conditions, filters)
}

/** Returns a page of all known channels, filtered by name, host, handles or id. */
export async function listChannels({
  id,
  host,
  handles,
  search,
  ...filters
}: ChannelFilters & { id?: number; host?: string; handles?: string[] }): Promise<ChannelPage> {
  const conditions: Sql[] = []
  if (id !== undefined) conditions.push(sql`channel.id = ${id}`)
  if (host !== undefined) conditions.push(sql`lower(coalesce(actor.host, ${instanceHost()}::text)) = ${host.toLowerCase()}`)
  if (handles)
    conditions.push(
      sql`lower(actor.preferred_username || '@' || coalesce(actor.host, ${instanceHost()}::text)) = ANY(${handles.map(withHost)})`
    )
  if (search) {
    const pattern = `%${search.replace(/[\\%_]/g, '\\$&')}%`
    conditions.push(sql`(channel.name ILIKE ${pattern} OR actor.preferred_username ILIKE ${pattern})`)
  }
  return await listMatchingChannels(conditions, { ...filters, search })
}

function withHost(handle: string): string {
  const name = handle.replace(/^@/, '').normalize('NFC').toLowerCase()
  return name.includes('@') ? name : `${name}@${instanceHost().toLowerCase()}`
}

async function listMatchingChannels(
  conditions: Sql[],
  { start, count, sort = '-createdAt', search, withStats = false }: ChannelFilters
): Promise<ChannelPage> {
  const [row] = await queryAs(
    z.object({ total: z.int(), data: z.array(Channel.loose()) }),
    sql`
    SELECT (SELECT count(*)::int ${FROM} WHERE ${sqlAnd(conditions)}) AS total,
      coalesce((SELECT json_agg(part.channel) FROM (
        SELECT ${withStats ? sql`(${channelWithOwnerSql()} || ${statisticsSql()})` : channelWithOwnerSql()} AS channel
        ${FROM} WHERE ${sqlAnd(conditions)} ORDER BY ${orderOf(sort, search)} LIMIT ${count} OFFSET ${start}) part), '[]'::json) AS data`
  )
  return row!
}

/** `-match`: the names nearest to the searched text first; without a text, the newest. */
function orderOf(sort: NonNullable<ChannelFilters['sort']>, search: string | undefined): Sql {
  if (sort !== 'match' && sort !== '-match') return ORDERS[sort]
  if (!search) return sort === '-match' ? ORDERS['-createdAt'] : ORDERS.createdAt
  const nearness = sql`greatest(similarity(channel.name, ${search}), similarity(actor.preferred_username, ${search}))`
  return sort === '-match' ? sql`${nearness} DESC, channel.id DESC` : sql`${nearness}, channel.id`
}

function channelWithOwnerSql(): Sql {
  return channelSql(sql`channel`, sql`actor`, accountSql(sql`account`, sql`owner`))
}

/** SQL of the statistics of public videos. Views are not counted by day in this version, so every day has 0. */
function statisticsSql(): Sql {
  const day = isoTimestampSql(sql`day AT TIME ZONE 'UTC'`)
  return sql`(SELECT jsonb_build_object('videosCount', count(*), 'totalViews', coalesce(sum(video.views), 0),
      'viewsPerDay', (SELECT jsonb_agg(jsonb_build_object('date', ${day}, 'views', 0) ORDER BY day)
        FROM generate_series(date_trunc('day', now() AT TIME ZONE 'UTC') - ${VIEW_CHART_DAYS} * interval '1 day',
          date_trunc('day', now() AT TIME ZONE 'UTC'), interval '1 day') day))
    FROM videos video WHERE video.channel_id = channel.id AND video.privacy = 1 AND video.state = 1)`
}
