import { z } from 'zod'
import { queryAs, sql, sqlInterval } from '../core/sql.ts'
import { hashToken } from './tokens.ts'

const SessionRow = z.object({
  id: z.int(),
  currentSession: z.boolean(),
  loginDate: z.date(),
  lastActivityDate: z.date(),
  expiresAt: z.date()
})

/** Lists the sessions of a user that can still be refreshed, last used first; `token` marks the current one. */
export async function listUserSessions(userId: number, token: string | null) {
  const rows = await queryAs(
    SessionRow,
    sql`
    SELECT id, access_token_hash = ${hashToken(token ?? '')} AS "currentSession", created_at AS "loginDate",
      updated_at AS "lastActivityDate", refresh_token_expires_at AS "expiresAt"
    FROM oauth_tokens WHERE user_id = ${userId} AND refresh_token_expires_at > now() ORDER BY updated_at DESC, id DESC`
  )
  const data = rows.map(row => ({
    ...row,
    loginDate: row.loginDate.toISOString(),
    lastActivityDate: row.lastActivityDate.toISOString(),
    expiresAt: row.expiresAt.toISOString()
  }))
  return { total: data.length, data }
}

/** How long (ms) after a login the password need not be asked again. */
const FRESH_LOGIN = 15 * 60_000

/** Whether the session of an access token began by a login of the last fifteen minutes; a refresh makes no login younger. */
export async function isFreshLogin(token: string): Promise<boolean> {
  const [row] = await queryAs(
    z.object({ fresh: z.boolean().nullable() }),
    sql`SELECT created_at BETWEEN now() - ${sqlInterval(FRESH_LOGIN)} AND now() AS fresh
      FROM oauth_tokens WHERE access_token_hash = ${hashToken(token)}`
  )
  return row?.fresh === true
}

/** Ends one session of a user; returns false if the user has no session with this id. */
export async function revokeUserSession(userId: number, id: number): Promise<boolean> {
  const rows = await queryAs(z.object({ id: z.int() }), sql`DELETE FROM oauth_tokens WHERE id = ${id} AND user_id = ${userId} RETURNING id`)
  return rows.length > 0
}
