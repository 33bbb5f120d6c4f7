import type { Request as HttpRequest } from 'express'
import { z } from 'zod'
import { config } from '../core/config.ts'
import { Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { queryAs, runQuery, sql } from '../core/sql.ts'
import { hashToken } from './tokens.ts'

const ClientRow = z.object({ client_id: z.string(), client_secret: z.string() })
/** The public credentials of the web client. */
export type OAuthClient = z.output<typeof ClientRow>

/** Returns the credentials of the web client. */
export async function getLocalOAuthClient(): Promise<OAuthClient> {
  const [row] = await queryAs(ClientRow, sql`SELECT client_id, client_secret FROM instances`)
  return row!
}

const ViewerRow = z.object({
  id: z.int(),
  username: z.string(),
  role: z.union([z.literal(0), z.literal(1), z.literal(2)]),
  accountId: z.int(),
  nsfwPolicy: z.string(),
  videoLanguages: z.array(z.string()).nullable()
})

/**
 * Returns the viewer of a request by its Bearer token (RFC 6750); null without an Authorization header.
 * Throws 401 invalid_token for a token that is unknown, expired or of a blocked user, 400 invalid_request for another Authorization header.
 */
export async function authenticateRequest(request: HttpRequest): Promise<Viewer | null> {
  const token = readBearerToken(request)
  if (token === null) return null
  const [viewer] = await queryAs(
    ViewerRow,
    sql`
    WITH seen AS (
      UPDATE oauth_tokens SET updated_at = now()
      WHERE access_token_hash = ${hashToken(token)} AND updated_at < now() - ${config.oauth2.activity_interval} * interval '1 millisecond'
    )
    SELECT u.id, u.username, u.role, account.id AS "accountId", u.nsfw_policy AS "nsfwPolicy", u.video_languages AS "videoLanguages"
    FROM oauth_tokens token JOIN users u ON u.id = token.user_id JOIN accounts account ON account.user_id = u.id
    WHERE token.access_token_hash = ${hashToken(token)} AND token.access_token_expires_at > now() AND NOT u.blocked`
  )
  if (!viewer) throw new Problem(401, 'invalid_token', 'Token is invalid')
  return viewer
}

/** Returns the Bearer token of a request; null without an Authorization header. Throws 400 invalid_request. */
export function readBearerToken(request: HttpRequest): string | null {
  const header = request.headers.authorization
  if (header === undefined) return null
  const [, token] = /^Bearer +([\w.~+/=-]{1,500})$/i.exec(header) ?? []
  if (token === undefined) throw new Problem(400, 'invalid_request', 'Token is invalid')
  return token
}

/** Ends the session of the access token in the request. */
export async function revokeCurrentSession(request: HttpRequest): Promise<void> {
  await runQuery(sql`DELETE FROM oauth_tokens WHERE access_token_hash = ${hashToken(readBearerToken(request) ?? '')}`)
}
