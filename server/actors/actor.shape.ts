import { instanceHost, instanceOrigin } from '../core/config.ts'
import { sql, type Sql } from '../core/sql.ts'

/**
 * Serialization of actors in SQL: each function returns an SQL expression that evaluates to the JSON of the API (shared/actors.ts), to be
 * used in any SELECT. Arguments are table aliases, written with the tag:
 *
 *   const AccountRow = z.object({ account: ActorSummary })
 *   await queryAs(AccountRow, sql`SELECT ${actorSummarySql(sql`account`, sql`actor`)} AS account
 *     FROM accounts account JOIN actors actor ON actor.id = account.actor_id`)
 */

/** SQL of a timestamptz in the date format of the API: ISO 8601, UTC, milliseconds. */
export function isoTimestampSql(column: Sql): Sql {
  return sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
}

/** SQL of all sizes of an actor's avatar, smallest first: a JSON array of ActorImage, [] without one. */
export function avatarsSql(actor: Sql): Sql {
  return imagesSql(actor, sql`'avatar'`, '/lazy-static/avatars/')
}

/** SQL of all sizes of an actor's banner, smallest first: a JSON array of ActorImage, [] without one. */
export function bannersSql(actor: Sql): Sql {
  return imagesSql(actor, sql`'banner'`, '/lazy-static/banners/')
}

/** SQL of an ActorSummary; `owner` is the alias of the row in accounts or channels, `actor` that of its actor. */
export function actorSummarySql(owner: Sql, actor: Sql): Sql {
  return sql`json_build_object('id', ${owner}.id, 'name', ${actor}.preferred_username, 'displayName', ${owner}.name,
    'url', ${actor}.url, 'host', ${hostSql(actor)}, 'avatars', ${avatarsSql(actor)})`
}

/** SQL of the arguments of `json_build_object` that accounts and channels share. */
export function actorPairsSql(owner: Sql, actor: Sql): Sql {
  return sql`'url', ${actor}.url, 'name', ${actor}.preferred_username, 'host', ${hostSql(actor)}, 'avatars', ${avatarsSql(actor)},
    'id', ${owner}.id, 'hostRedundancyAllowed', false,
    'followingCount', ${actor}.following_count, 'followersCount', ${actor}.followers_count,
    'createdAt', ${isoTimestampSql(sql`coalesce(${actor}.remote_created_at, ${actor}.created_at)`)},
    'displayName', ${owner}.name, 'description', ${owner}.description, 'updatedAt', ${isoTimestampSql(sql`${owner}.updated_at`)}`
}

function hostSql(actor: Sql): Sql {
  return sql`coalesce(${actor}.host, ${instanceHost()}::text)`
}

function imagesSql(actor: Sql, kind: Sql, path: string): Sql {
  return sql`(SELECT coalesce(json_agg(json_build_object(
      'width', actor_image.width, 'height', actor_image.height, 'path', ${path}::text || actor_image.filename,
      'fileUrl', ${instanceOrigin() + path}::text || actor_image.filename, 'createdAt', ${isoTimestampSql(sql`actor_image.created_at`)},
      'updatedAt', ${isoTimestampSql(sql`actor_image.updated_at`)}) ORDER BY actor_image.width), '[]'::json)
    FROM actor_images actor_image WHERE actor_image.actor_id = ${actor}.id AND actor_image.kind = ${kind})`
}
