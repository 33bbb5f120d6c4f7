import type { accountsContract } from '../../shared/accounts.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { RouteHandlers, Viewer } from '../core/route.ts'
import { revokeUserSession, listUserSessions } from './sessions.query.ts'
import { readBearerToken, revokeCurrentSession, getLocalOAuthClient } from './session.ts'
import { UserModel } from './user.model.ts'
import { canSeeSessions } from './user.policy.ts'

/** Logging in and out. */
export const sessionHandlers = {
  'GET /oauth-clients/local': async () => await getLocalOAuthClient(),
  'POST /users/token': async ({ request, response }) => {
    // OAuth2's library comes in with the first login.
    const { grantOAuthToken } = await import('./oauth-grant.ts')
    const issued = await grantOAuthToken(request)
    response.setHeader('Cache-Control', 'no-store')
    response.setHeader('Pragma', 'no-cache')
    return issued
  },
  'POST /users/revoke-token': async ({ request }) => {
    await revokeCurrentSession(request)
    return { success: true as const }
  },
  'GET /users/:id/token-sessions': async ({ params, viewer, request }) => {
    await assertMaySee(viewer, params.id)
    return await listUserSessions(params.id, readBearerToken(request))
  },
  'POST /users/:id/token-sessions/:session/revoke': async ({ params, viewer }) => {
    await assertMaySee(viewer, params.id)
    if (!(await revokeUserSession(params.id, params.session))) throw notFound('Session')
  }
} satisfies Partial<RouteHandlers<typeof accountsContract>>

async function assertMaySee(viewer: Viewer, userId: number): Promise<void> {
  const user = await UserModel.findByPk(userId)
  // A stranger's number and nobody's look the same to somebody who may see neither.
  if (!user && viewer.role < 2) throw notFound('User')
  if (!user || !canSeeSessions(viewer, user)) throw new Problem(403, null, 'Cannot manage the sessions of another user.')
}
