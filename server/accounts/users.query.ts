import { z } from 'zod'
import { SpecialPlaylist, User } from '../../shared/accounts.ts'
import { notFound } from '../core/problem.ts'
import { sqlAnd, queryAs, sql, type Sql } from '../core/sql.ts'
import { quotaUsageSql } from './quota.ts'
import { userSql } from './user.shape.ts'

/** Paging, order and filters of a list of users. */
export type UserFilters = { start: number; count: number; search?: string; blocked?: boolean; sort?: keyof typeof ORDERS }

const UserRow = z.object({ user: User })
const WITH_ACCOUNT = sql`JOIN accounts account ON account.user_id = u.id JOIN actors actor ON actor.id = account.actor_id`
const QUOTA_USAGE = sql`jsonb_build_object(
  'totalVideoFileSize', used.total, 'videoQuotaUsed', used.total, 'videoQuotaUsedDaily', used.daily)`
const TOTAL_BYTES = sql`(SELECT used.total FROM ${quotaUsageSql(sql`u.id`)} used)`
const ABUSE_ACCEPTED = 3
/** Videos, comments that are not deleted, reports of what the user has, those of them that were accepted, and reports by the user. */
const COUNTS = sql`(SELECT jsonb_build_object(
  'videosCount', (
    SELECT count(*) FROM videos video JOIN channels channel ON channel.id = video.channel_id WHERE channel.account_id = account.id),
  'abusesCount', count(*), 'abusesAcceptedCount', count(*) FILTER (WHERE abuse.state = ${ABUSE_ACCEPTED}),
  'abusesCreatedCount', (SELECT count(*) FROM abuses created WHERE created.reporter_id = account.id),
  'videoCommentsCount', (SELECT count(*) FROM comments comment WHERE comment.account_id = account.id AND comment.deleted_at IS NULL))
  FROM abuses abuse WHERE abuse.flagged_id = account.id)`

const ORDERS = {
  id: sql`u.id`,
  '-id': sql`u.id DESC`,
  username: sql`lower(u.username)`,
  '-username': sql`lower(u.username) DESC`,
  createdAt: sql`u.created_at, u.id`,
  '-createdAt': sql`u.created_at DESC, u.id DESC`,
  role: sql`u.role, u.id`,
  '-role': sql`u.role DESC, u.id DESC`,
  videoQuotaUsed: sql`${TOTAL_BYTES}, u.id`,
  '-videoQuotaUsed': sql`${TOTAL_BYTES} DESC, u.id DESC`,
  lastLoginDate: sql`u.last_login_date NULLS FIRST, u.id`,
  '-lastLoginDate': sql`u.last_login_date DESC NULLS LAST, u.id DESC`
}

/** Finds a user as shown to itself and to administrators; `withStats` adds quota usage and counts. Throws 404. */
export async function findUser(id: number, withStats = false): Promise<User> {
  const [row] = await queryAs(
    UserRow,
    withStats
      ? sql`SELECT ${userSql(sql`u`, sql`account`, sql`actor`, sql`${QUOTA_USAGE} || ${COUNTS}`)} AS user
          FROM users u ${WITH_ACCOUNT} CROSS JOIN LATERAL ${quotaUsageSql(sql`u.id`)} used WHERE u.id = ${id}`
      : sql`SELECT ${userSql(sql`u`, sql`account`, sql`actor`)} AS user FROM users u ${WITH_ACCOUNT} WHERE u.id = ${id}`
  )
  if (!row) throw notFound('User')
  return row.user
}

/** Returns the playlists of an account that are there for a purpose (`type` 2: to watch later). */
export async function listSpecialPlaylists(accountId: number): Promise<z.output<typeof SpecialPlaylist>[]> {
  return await queryAs(
    SpecialPlaylist,
    sql`SELECT id, name, type FROM playlists WHERE account_id = ${accountId} AND type <> 1 ORDER BY type`
  )
}

/** Returns a page of all users with their quota usage, oldest first by default. */
export async function listUsers({
  start,
  count,
  search,
  blocked,
  sort = 'createdAt'
}: UserFilters): Promise<{ total: number; data: User[] }> {
  const conditions: Sql[] = []
  if (blocked !== undefined) conditions.push(sql`u.blocked = ${blocked}`)
  if (search) conditions.push(sql`(u.username ILIKE ${containsPattern(search)} OR u.email ILIKE ${containsPattern(search)})`)
  const [row] = await queryAs(
    z.object({ total: z.int(), data: z.array(User) }),
    sql`
    SELECT (SELECT count(*)::int FROM users u WHERE ${sqlAnd(conditions)}) AS total,
      (SELECT coalesce(jsonb_agg(${userSql(sql`u`, sql`account`, sql`actor`, QUOTA_USAGE)} ORDER BY u.place), '[]'::jsonb)
        FROM (SELECT u.*, row_number() OVER (ORDER BY ${ORDERS[sort]}) AS place FROM users u WHERE ${sqlAnd(conditions)}
          ORDER BY place LIMIT ${count} OFFSET ${start}) u
        ${WITH_ACCOUNT} CROSS JOIN LATERAL ${quotaUsageSql(sql`u.id`)} used) AS data`
  )
  return row!
}

/** Returns at most `count` usernames with the given prefix. */
export async function autocompleteUsernames(prefix: string, count: number): Promise<string[]> {
  const rows = await queryAs(
    z.object({ username: z.string() }),
    sql`SELECT username FROM users WHERE username ILIKE ${escapeLike(prefix) + '%'} ORDER BY lower(username) LIMIT ${count}`
  )
  return rows.map(row => row.username)
}

function containsPattern(text: string): string {
  return `%${escapeLike(text)}%`
}

// Escapes the wildcards of LIKE.
function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}
