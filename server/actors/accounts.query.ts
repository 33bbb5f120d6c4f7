import { z } from 'zod'
import { Account } from '../../shared/actors.ts'
import { notFound } from '../core/problem.ts'
import { queryAs, sql } from '../core/sql.ts'
import { accountSql } from './account.shape.ts'
import { matchesHandleSql } from './handle.ts'

const AccountRow = z.object({ account: Account })

/** Finds an account by `name` or `name@host`. Throws 404. */
export async function findAccount(handle: string): Promise<Account> {
  const [row] = await queryAs(
    AccountRow,
    sql`
    SELECT ${accountSql(sql`account`, sql`actor`)} AS account
    FROM accounts account JOIN actors actor ON actor.id = account.actor_id WHERE ${matchesHandleSql(sql`actor`, handle)}`
  )
  if (!row) throw notFound('Account')
  return row.account
}

const ORDERS = {
  id: sql`account.id`,
  '-id': sql`account.id DESC`,
  createdAt: sql`coalesce(actor.remote_created_at, actor.created_at), account.id`,
  '-createdAt': sql`coalesce(actor.remote_created_at, actor.created_at) DESC, account.id DESC`
}

/** Returns a page of all known accounts, newest first by default. */
export async function listAccounts({
  start,
  count,
  sort = '-createdAt'
}: {
  start: number
  count: number
  sort?: keyof typeof ORDERS
}): Promise<{ total: number; data: Account[] }> {
  const [row] = await queryAs(
    z.object({ total: z.int(), data: z.array(Account) }),
    sql`
    SELECT (SELECT count(*)::int FROM accounts) AS total, coalesce((SELECT json_agg(part.account) FROM (
      SELECT ${accountSql(sql`account`, sql`actor`)} AS account
      FROM accounts account JOIN actors actor ON actor.id = account.actor_id
      ORDER BY ${ORDERS[sort]} LIMIT ${count} OFFSET ${start}) part), '[]'::json) AS data`
  )
  return row!
}
