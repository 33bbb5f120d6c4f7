import { z } from 'zod'
import { Account } from '../../shared/actors.ts'
import type { blocklistsContract } from '../../shared/blocklists.ts'
import { instanceHost } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { queryAs, runQuery, sql, type Sql } from '../core/sql.ts'
import { accountSql } from '../actors/account.shape.ts'
import { isoTimestampSql } from '../actors/actor.shape.ts'
import { runInstanceBlockHandlers } from '../actors/blocks.ts'
import { findFollow, removeFollower } from '../actors/follows.ts'
import { matchesHandleSql } from '../actors/handle.ts'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { clearKeyringCache } from '../actors/actors-keyring.ts'
import type { UserRole } from './user.model.ts'
import { canManageUser } from './user.policy.ts'

/** The owner of a blocklist: the id of a user, or null for the instance. */
export type BlocklistOwner = number | null
type BlocklistFilters = { start: number; count: number; sort?: 'createdAt' | '-createdAt'; search?: string }
type BlockStatus = z.output<(typeof blocklistsContract)['GET /blocklist/status']['response']>

const ownedBySql = (owner: BlocklistOwner): Sql => (owner === null ? sql`block.user_id IS NULL` : sql`block.user_id = ${owner}`)
const JOIN_OWNER_ACCOUNT = sql`JOIN actors by_actor ON by_actor.host IS NULL JOIN accounts by_account ON by_account.actor_id = by_actor.id
  AND CASE WHEN block.user_id IS NULL THEN by_actor.preferred_username = ${INSTANCE_ACTOR_NAME}::text
    ELSE by_account.user_id = block.user_id END`

/**
 * Blocks an account; a block by the instance removes its follows. Throws 403 where a moderator would block a moderator or administrator for the
 * instance, 404, 409 for the viewer's own account.
 */
export async function blockAccount(owner: BlocklistOwner, viewer: Viewer, handle: string): Promise<void> {
  const [found] = await runQuery<{ id: number; actor_id: number; local: boolean; role: UserRole | null }>(sql`
    SELECT account.id, actor.id AS actor_id, actor.host IS NULL AS local, users.role
    FROM accounts account JOIN actors actor ON actor.id = account.actor_id LEFT JOIN users ON users.id = account.user_id
    WHERE ${matchesHandleSql(sql`actor`, handle)}`)
  if (!found) throw notFound('Account')
  if (found.id === viewer.accountId) throw new Problem(409, null, 'You cannot block yourself.')
  if (owner === null && found.role !== null && !canManageUser(viewer, { role: found.role }))
    throw new Problem(403, null, 'A moderator can only block users who are neither moderators nor administrators.')
  await changeBlocks(
    owner,
    sql`INSERT INTO blocked_accounts (actor_id, user_id) VALUES (${found.actor_id}, ${owner}) ON CONFLICT DO NOTHING`,
    sql`actor.id = ${found.actor_id}`
  )
  if (owner === null && !found.local) await removeFollowers(sql`follower.id = ${found.actor_id}`)
  clearKeyringCache()
}

/** Unblocks an account. Throws 404 if it is not blocked. */
export async function unblockAccount(owner: BlocklistOwner, handle: string): Promise<void> {
  const isBlocked = matchesHandleSql(sql`actor`, handle)
  const removed = await changeBlocks(
    owner,
    sql`DELETE FROM blocked_accounts block USING actors actor
      WHERE actor.id = block.actor_id AND ${ownedBySql(owner)} AND ${isBlocked} RETURNING block.id`,
    isBlocked
  )
  if (removed.length === 0) throw new Problem(404, null, 'Account block entry not found.')
  clearKeyringCache()
}

/** Blocks a server; a block by the instance removes its follows. Throws 409 for this server. */
export async function blockServer(owner: BlocklistOwner, host: string): Promise<void> {
  const name = host.toLowerCase()
  if (name === instanceHost().toLowerCase()) throw new Problem(409, null, 'You cannot block your own server.')
  await changeBlocks(
    owner,
    sql`INSERT INTO blocked_hosts (host, user_id) VALUES (${name}, ${owner}) ON CONFLICT DO NOTHING`,
    sql`actor.host = ${name}`
  )
  if (owner === null) await removeFollowers(sql`follower.host = ${name}`)
  clearKeyringCache()
}

/** Unblocks a server. Throws 404 if it is not blocked. */
export async function unblockServer(owner: BlocklistOwner, host: string): Promise<void> {
  const name = host.toLowerCase()
  const removed = await changeBlocks(
    owner,
    sql`DELETE FROM blocked_hosts block WHERE ${ownedBySql(owner)} AND block.host = ${name} RETURNING block.id`,
    sql`actor.host = ${name}`
  )
  if (removed.length === 0) throw new Problem(404, null, 'Server block entry not found.')
  clearKeyringCache()
}

/** Returns a page of the accounts on a blocklist, newest first by default. */
export async function listBlockedAccounts(owner: BlocklistOwner, filters: BlocklistFilters) {
  const from = sql`FROM blocked_accounts block JOIN actors actor ON actor.id = block.actor_id
    JOIN accounts account ON account.actor_id = actor.id ${JOIN_OWNER_ACCOUNT}
    WHERE ${ownedBySql(owner)} AND ${matchesSearchSql([sql`actor.preferred_username`, sql`account.name`], filters.search)}`
  const Row = z.object({ byAccount: Account, blockedAccount: Account, createdAt: z.string() })
  return await listBlocks(Row, from, sql`'blockedAccount', ${accountSql(sql`account`, sql`actor`)}`, filters)
}

/** Returns a page of the servers on a blocklist, newest first by default. */
export async function listBlockedServers(owner: BlocklistOwner, filters: BlocklistFilters) {
  const from = sql`FROM blocked_hosts block ${JOIN_OWNER_ACCOUNT}
    WHERE ${ownedBySql(owner)} AND ${matchesSearchSql([sql`block.host`], filters.search)}`
  const Row = z.object({ byAccount: Account, blockedServer: z.object({ host: z.string() }), createdAt: z.string() })
  return await listBlocks(Row, from, sql`'blockedServer', json_build_object('host', block.host)`, filters)
}

/** Returns whether accounts and servers are blocked, by the instance and by the viewer. */
export async function getBlockStatus(viewer: Viewer | null, accounts: string[], hosts: string[]): Promise<BlockStatus> {
  const flags = sql`coalesce(bool_or(block.user_id IS NULL), false) AS "blockedByServer",
    coalesce(bool_or(block.user_id = ${viewer?.id ?? null}), false) AS "blockedByUser"`
  const Row = z.object({ blockedByServer: z.boolean(), blockedByUser: z.boolean() })
  const readFlags = async (names: string[], from: (name: string) => Sql) =>
    Object.fromEntries(
      await Promise.all(
        [...new Set(names)].map(async name => [name, (await queryAs(Row, sql`SELECT ${flags} ${from(name)}`))[0]!] as const)
      )
    )
  return {
    accounts: await readFlags(
      accounts,
      name => sql`FROM blocked_accounts block JOIN actors actor ON actor.id = block.actor_id WHERE ${matchesHandleSql(sql`actor`, name)}`
    ),
    hosts: await readFlags(hosts, name => sql`FROM blocked_hosts block WHERE block.host = ${name.toLowerCase()}`)
  }
}

/** Stores or removes blocks of actors and, for the instance, what depends on them; returns the rows of the statement. */
async function changeBlocks(owner: BlocklistOwner, statement: Sql, isAffected: Sql): Promise<unknown[]> {
  return await transaction(async tx => {
    const rows = await runQuery(statement, tx)
    if (owner === null) await runInstanceBlockHandlers(isAffected, tx)
    return rows
  })
}

/** Removes the remote followers that match the condition; each gets a Reject, as far as the block allows deliveries. */
async function removeFollowers(condition: Sql): Promise<void> {
  for (;;) {
    const found = await transaction(
      async tx => await findFollow(sql`follower.host IS NOT NULL AND target.host IS NULL AND ${condition}`, tx)
    )
    if (!found) return
    await removeFollower(found)
  }
}

function matchesSearchSql(columns: Sql[], search: string | undefined): Sql {
  if (!search) return sql`TRUE`
  const pattern = `%${search.replace(/[\\%_]/g, '\\$&')}%`
  return sql`(${columns.map(column => sql`${column} ILIKE ${pattern}`).reduce((sum, one) => sql`${sum} OR ${one}`)})`
}

async function listBlocks<T extends z.ZodType>(
  row: T,
  from: Sql,
  blocked: Sql,
  { start, count, sort = '-createdAt' }: BlocklistFilters
): Promise<{ total: number; data: z.output<T>[] }> {
  const order = sort === 'createdAt' ? sql`block.id` : sql`block.id DESC`
  const [page] = await queryAs(
    z.object({ total: z.int(), data: z.array(row) }),
    sql`
    SELECT (SELECT count(*)::int ${from}) AS total, coalesce((SELECT json_agg(part.entry) FROM (
      SELECT json_build_object('byAccount', ${accountSql(sql`by_account`, sql`by_actor`)}, ${blocked},
        'createdAt', ${isoTimestampSql(sql`block.created_at`)}) AS entry
      ${from} ORDER BY ${order} LIMIT ${count} OFFSET ${start}) part), '[]'::json) AS data`
  )
  return page! as { total: number; data: z.output<T>[] }
}
