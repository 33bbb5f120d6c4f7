import type { accountsContract } from '../../shared/accounts.ts'
import { config } from '../core/config.ts'
import { paging } from '../core/paging.ts'
import { Problem } from '../core/problem.ts'
import type { RouteHandlers } from '../core/route.ts'
import { assertMayGiveName } from '../actors/reserved-names.ts'
import { createUser } from './registration.ts'
import { readBearerToken } from './session.ts'
import type { UserRole } from './user.model.ts'
import { canGiveRole, isRootUser } from './user.policy.ts'
import { blockUser, findManagedUser, removeUser, unblockUser, updateUser } from './users.ts'
import { autocompleteUsernames, findUser, listUsers } from './users.query.ts'

/** Handlers of the administration of users. */
export const usersHandlers = {
  'GET /users': async ({ query: { search, blocked, sort, ...rest } }) => await listUsers({ ...paging(rest), search, blocked, sort }),
  'POST /users': async ({ body, viewer }) => {
    const role = body.role as UserRole
    if (!canGiveRole(viewer, role))
      throw new Problem(403, null, 'A moderator can only create users who are neither moderators nor administrators.')
    for (const name of [body.username, body.channelName]) if (name !== undefined) assertMayGiveName(viewer, name)
    const { id, accountId } = await createUser({ ...body, role })
    return { user: { id, account: { id: accountId } } }
  },
  'GET /users/autocomplete': async ({ query }) => await autocompleteUsernames(query.search, config.pagination.count),
  'GET /users/:id': async ({ params, query }) => await findUser(params.id, query.withStats),
  'PUT /users/:id': async ({ params, body: { role, pluginAuth: _none, ...changes }, viewer, request }) => {
    await updateUser(
      await findManagedUser(params.id, viewer),
      { ...changes, role: role as UserRole | undefined },
      { viewer, token: readBearerToken(request) }
    )
  },
  'DELETE /users/:id': async ({ params, viewer }) => {
    const user = await findManagedUser(params.id, viewer)
    if (isRootUser(user)) throw new Problem(400, null, 'Cannot remove the root user')
    await removeUser(user)
  },
  'POST /users/:id/block': async ({ params, body, viewer }) =>
    await blockUser(await findManagedUser(params.id, viewer), viewer, body?.reason),
  'POST /users/:id/unblock': async ({ params, viewer }) => await unblockUser(await findManagedUser(params.id, viewer))
} satisfies Partial<RouteHandlers<typeof accountsContract>>
