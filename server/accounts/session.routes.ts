import type { accountsContract } from '../../shared/accounts.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { RouteHandlers, Viewer } from '../core/route.ts'
import { revokeUserSession, listUserSessions } from './sessions.query.ts'
import { readBearerToken, revokeCurrentSession, getLocalOAuthClient } from './session.ts'
import { UserModel } from './user.model.ts'
import { canSeeSessions } from './user.policy.ts'

/** Handlers of login, logout and sessions. */
export const sessionHandlers = {
  'GET /oauth-clients/local': async () => await getLocalOAuthClient(),
  'POST /users/token': async ({ request, response }) => {
    // The OAuth2 library is imported at the first login.
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
    await assertCanSeeSessions(viewer, params.id)
    return await listUserSessions(params.id, readBearerToken(request))
  },
  'POST /users/:id/token-sessions/:session/revoke': async ({ params, viewer }) => {
    await assertCanSeeSessions(viewer, params.id)
    if (!(await revokeUserSession(params.id, params.session))) throw notFound('Session')
  }
} satisfies Partial<RouteHandlers<typeof accountsContract>>

async function assertCanSeeSessions(viewer: Viewer, userId: number): Promise<void> {
  const user = await UserModel.findByPk(userId)
  // Ordinary users cannot tell an unknown id from that of another user.
  if (!user && viewer.role < 2) throw notFound('User')
  if (!user || !canSeeSessions(viewer, user)) throw new Problem(403, null, 'Cannot manage the sessions of another user.')
}
