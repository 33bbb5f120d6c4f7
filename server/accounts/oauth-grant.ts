import { timingSafeEqual } from 'node:crypto'
import OAuth2Server from '@node-oauth/oauth2-server'
import type { Request as HttpRequest } from 'express'
import type { Transaction } from 'sequelize'
import { z } from 'zod'
import { config } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { Problem } from '../core/problem.ts'
import { queryAs, sql } from '../core/sql.ts'
import { checkUserPassword } from './check-password.ts'
import { getLocalOAuthClient } from './session.ts'
import { hashToken, createTokenPair, createSession, rotateSessionTokens, type TokenResponse } from './tokens.ts'

const { AccessDeniedError, InvalidGrantError, OAuthError, Request, Response } = OAuth2Server
const LoginRow = z.object({ id: z.int(), passwordHash: z.string(), blocked: z.boolean() })

/** Issues tokens for a token request (RFC 6749 §4.3 and §6). Throws the errors of the RFC as Problems with status 400. */
export async function grantOAuthToken(request: HttpRequest): Promise<TokenResponse> {
  // A refresh locks its session; a login must not hold a connection while the password is hashed.
  if (request.body?.grant_type === 'refresh_token') return await transaction(async tx => await issueTokens(request, tx))
  return await issueTokens(request)
}

async function issueTokens(request: HttpRequest, tx?: Transaction): Promise<TokenResponse> {
  const { access_token, refresh_token } = config.oauth2.token_lifetime
  const server = new OAuth2Server({
    model: createModel(request.ip, tx),
    accessTokenLifetime: access_token / 1000,
    refreshTokenLifetime: refresh_token / 1000
  })
  try {
    const { accessToken, accessTokenExpiresAt, refreshToken, refreshTokenExpiresAt } = await server.token(
      new Request({ headers: request.headers as Record<string, string>, method: request.method, query: {}, body: request.body ?? {} }),
      new Response()
    )
    return {
      token_type: 'Bearer',
      access_token: accessToken,
      refresh_token: refreshToken!,
      expires_in: secondsUntil(accessTokenExpiresAt!),
      refresh_token_expires_in: secondsUntil(refreshTokenExpiresAt!)
    }
  } catch (error) {
    if (error instanceof OAuthError && error.code < 500) throw new Problem(error.code, error.name, error.message)
    throw (error as { inner?: Error }).inner ?? error
  }
}

/** The model of the OAuth2 library for a request from an IP address; `tx` is the transaction of a refresh. */
function createModel(ip: string | undefined, tx?: Transaction): OAuth2Server.PasswordModel & OAuth2Server.RefreshTokenModel {
  let refreshedSessionId: number | null = null
  return {
    getClient: async (id, secret) => {
      const client = await getLocalOAuthClient()
      return equalsInConstantTime(id, client.client_id) && equalsInConstantTime(secret, client.client_secret)
        ? { id, grants: ['password', 'refresh_token'] }
        : null
    },
    getUser: async (name: string, password: string) => {
      const [user] = await queryAs(
        LoginRow,
        sql`
        SELECT id, password_hash AS "passwordHash", blocked FROM users
        WHERE lower(username) = lower(${name}) OR lower(email) = lower(${name}) ORDER BY lower(username) = lower(${name}) DESC LIMIT 1`
      )
      if (!(await checkUserPassword(user, password, ip))) return null
      if (user!.blocked) throw new AccessDeniedError('User is blocked.')
      return user
    },
    getRefreshToken: async token => {
      // The lock serializes two refreshes with one token: the second does not find it.
      const [row] = await queryAs(
        z.object({ id: z.int(), userId: z.int(), expires: z.date() }),
        sql`
        SELECT token.id, token.user_id AS "userId", token.refresh_token_expires_at AS expires
        FROM oauth_tokens token JOIN users u ON u.id = token.user_id AND NOT u.blocked
        WHERE token.refresh_token_hash = ${hashToken(token)} FOR UPDATE OF token`,
        tx
      )
      if (!row) return null
      refreshedSessionId = row.id
      const client = await getLocalOAuthClient()
      return {
        refreshToken: token,
        refreshTokenExpiresAt: row.expires,
        client: { id: client.client_id, grants: [] },
        user: { id: row.userId }
      }
    },
    revokeToken: async () => true,
    saveToken: async (token, client, user) => {
      const pair = createTokenPair()
      if (refreshedSessionId !== null) await rotateSessionTokens(refreshedSessionId, pair, tx!)
      else if (!(await createSession(user as z.output<typeof LoginRow>, pair)))
        throw new InvalidGrantError('Invalid grant: user credentials are invalid')
      return {
        ...token,
        accessToken: pair.access,
        accessTokenExpiresAt: pair.accessExpires,
        refreshToken: pair.refresh,
        refreshTokenExpiresAt: pair.refreshExpires,
        client,
        user
      }
    },
    getAccessToken: async () => null
  }
}

function equalsInConstantTime(given: unknown, expected: string): boolean {
  return typeof given === 'string' && timingSafeEqual(Buffer.from(hashToken(given)), Buffer.from(hashToken(expected)))
}

function secondsUntil(date: Date): number {
  return Math.max(0, Math.floor((date.getTime() - Date.now()) / 1000))
}
