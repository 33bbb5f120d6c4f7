import type { accounts } from '../../shared/accounts.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { Handlers, Viewer } from '../core/route.ts'
import { endSessionOf, listSessions } from './sessions.query.ts'
import { bearer, endSession, localClient } from './session.ts'
import { User } from './user.model.ts'
import { canSeeSessions } from './user.policy.ts'

/** Logging in and out. */
export const sessionHandlers = {
  'GET /oauth-clients/local': async () => await localClient(),
  'POST /users/token': async ({ request, response }) => {
    // OAuth2's library comes in with the first login.
    const { grant } = await import('./oauth-grant.ts')
    const issued = await grant(request)
    response.setHeader('Cache-Control', 'no-store')
    response.setHeader('Pragma', 'no-cache')
    return issued
  },
  'POST /users/revoke-token': async ({ request }) => {
    await endSession(request)
    return { success: true as const }
  },
  'GET /users/:id/token-sessions': async ({ params, viewer, request }) => {
    await assertMaySee(viewer, params.id)
    return await listSessions(params.id, bearer(request))
  },
  'POST /users/:id/token-sessions/:session/revoke': async ({ params, viewer }) => {
    await assertMaySee(viewer, params.id)
    if (!(await endSessionOf(params.id, params.session))) throw notFound('Session')
  }
} satisfies Partial<Handlers<typeof accounts>>

async function assertMaySee(viewer: Viewer, userId: number): Promise<void> {
  const user = await User.findByPk(userId)
  // A stranger's number and nobody's look the same to somebody who may see neither.
  if (!user && viewer.role < 2) throw notFound('User')
  if (!user || !canSeeSessions(viewer, user)) throw new Problem(403, null, 'Cannot manage the sessions of another user.')
}
