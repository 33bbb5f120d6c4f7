import { createHash, randomBytes } from 'node:crypto'
import type { Transaction } from 'sequelize'
import type { z } from 'zod'
import type { accountsContract } from '../../shared/accounts.ts'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'

/** The response of a successful token request. */
export type TokenResponse = z.output<(typeof accountsContract)['POST /users/token']['response']>

type TokenPair = { access: string; refresh: string; accessHash: string; refreshHash: string; accessExpires: Date; refreshExpires: Date }

/** Returns the hash under which a token is stored: SHA-256, hexadecimal. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** Creates two random tokens with their hashes and expiry dates. */
export function createTokenPair(): TokenPair {
  const access = randomBytes(20).toString('hex')
  const refresh = randomBytes(20).toString('hex')
  const { access_token, refresh_token } = config.oauth2.token_lifetime
  return {
    access,
    refresh,
    accessHash: hashToken(access),
    refreshHash: hashToken(refresh),
    accessExpires: new Date(Date.now() + access_token),
    refreshExpires: new Date(Date.now() + refresh_token)
  }
}

/**
 * Creates a session for a user whose password was just verified and updates the date of the last login, in one statement.
 * Returns false if the user was blocked or the password changed meanwhile.
 */
export async function createSession(user: { id: number; passwordHash: string }, pair: TokenPair): Promise<boolean> {
  const rows = await runQuery(sql`
    WITH login AS (
      UPDATE users SET last_login_date = now() WHERE id = ${user.id} AND password_hash = ${user.passwordHash} AND NOT blocked RETURNING id
    )
    INSERT INTO oauth_tokens (access_token_hash, access_token_expires_at, refresh_token_hash, refresh_token_expires_at, user_id,
      created_at, updated_at)
    SELECT ${pair.accessHash}, ${pair.accessExpires}::timestamptz, ${pair.refreshHash}, ${pair.refreshExpires}::timestamptz, id,
      now(), now() FROM login
    RETURNING id`)
  return rows.length > 0
}

/** Replaces the tokens of a session; the old ones become invalid. */
export async function rotateSessionTokens(id: number, pair: TokenPair, tx: Transaction): Promise<void> {
  await runQuery(
    sql`
    UPDATE oauth_tokens SET access_token_hash = ${pair.accessHash}, access_token_expires_at = ${pair.accessExpires},
      refresh_token_hash = ${pair.refreshHash}, refresh_token_expires_at = ${pair.refreshExpires}, updated_at = now()
    WHERE id = ${id}`,
    tx
  )
}

/** Ends all sessions of a user, except the one with the access token `keptToken` if it is given. */
export async function revokeAllUserSessions(userId: number, tx: Transaction, keptToken: string | null = null): Promise<void> {
  const kept = keptToken === null ? null : hashToken(keptToken)
  await runQuery(sql`DELETE FROM oauth_tokens WHERE user_id = ${userId} AND access_token_hash IS DISTINCT FROM ${kept}`, tx)
}
