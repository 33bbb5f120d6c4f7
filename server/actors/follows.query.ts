import { z } from 'zod'
import { ActorFollow } from '../../shared/follows.ts'
import { instanceHost } from '../core/config.ts'
import { sqlAnd, queryAs, sql, type Sql } from '../core/sql.ts'
import { avatarsSql, bannersSql, isoTimestampSql } from './actor.shape.ts'

/** Paging, order and filters of a list of follows; `search` and `actorType` apply to the other actor. */
export type FollowFilters = { start: number; count: number; state?: string; actorType?: string; search?: string; sort?: string }

const FROM = sql`FROM follows JOIN actors follower ON follower.id = follows.actor_id JOIN actors target ON target.id = follows.target_id`
const ORDERS: Record<string, Sql> = {
  createdAt: sql`follows.created_at`,
  state: sql`follows.state`,
  score: sql`follows.score`,
  redundancyAllowed: sql`follows.created_at`
}

/** Returns a page of the followers of the given actors, or of the actors that they follow. */
export async function listFollows(
  actorIds: number[],
  side: 'followers' | 'following',
  { start, count, state, actorType, search, sort = '-createdAt' }: FollowFilters
): Promise<{ total: number; data: ActorFollow[] }> {
  const [ownColumn, other] = side === 'followers' ? [sql`follows.target_id`, sql`follower`] : [sql`follows.actor_id`, sql`target`]
  const conditions = [sql`${ownColumn} = ANY(${actorIds}::int[])`]
  if (state) conditions.push(sql`follows.state = ${state}`)
  if (actorType) conditions.push(sql`${other}.type = ${actorType}`)
  if (search) {
    const pattern = `%${search.replace(/[\\%_]/g, '\\$&')}%`
    conditions.push(
      sql`(${other}.preferred_username ILIKE ${pattern} OR coalesce(${other}.host, ${instanceHost()}::text) ILIKE ${pattern})`
    )
  }
  const column = ORDERS[sort.replace(/^-/, '')] ?? sql`follows.created_at`
  const order = sort.startsWith('-') ? sql`${column} DESC, follows.id DESC` : sql`${column}, follows.id`
  const [row] = await queryAs(
    z.object({ total: z.int(), data: z.array(ActorFollow) }),
    sql`
    SELECT (SELECT count(*)::int ${FROM} WHERE ${sqlAnd(conditions)}) AS total,
      coalesce((SELECT json_agg(part.follow) FROM (
        SELECT json_build_object('id', follows.id,
            'follower', ${followActorSql(sql`follower`)}, 'following', ${followActorSql(sql`target`)},
            'score', follows.score, 'state', follows.state,
            'createdAt', ${isoTimestampSql(sql`follows.created_at`)}, 'updatedAt', ${isoTimestampSql(sql`follows.updated_at`)}) AS follow
        ${FROM} WHERE ${sqlAnd(conditions)} ORDER BY ${order} LIMIT ${count} OFFSET ${start}) part), '[]'::json) AS data`
  )
  return row!
}

function followActorSql(actor: Sql): Sql {
  return sql`json_build_object('url', ${actor}.url, 'name', ${actor}.preferred_username,
    'host', coalesce(${actor}.host, ${instanceHost()}::text), 'avatars', ${avatarsSql(actor)}, 'banners', ${bannersSql(actor)},
    'id', ${actor}.id, 'hostRedundancyAllowed', false, 'followingCount', ${actor}.following_count,
    'followersCount', ${actor}.followers_count,
    'createdAt', ${isoTimestampSql(sql`coalesce(${actor}.remote_created_at, ${actor}.created_at)`)})`
}
