import type { accounts } from '../../shared/accounts.ts'
import { config } from '../core/config.ts'
import { paging } from '../core/paging.ts'
import { Problem } from '../core/problem.ts'
import type { Handlers } from '../core/route.ts'
import { assertLongEnough } from './password.ts'
import { createUser } from './registration.ts'
import type { Role } from './user.model.ts'
import { canGiveRole, isRoot } from './user.policy.ts'
import { blockUser, managedUser, removeUser, unblockUser, updateUser } from './users.ts'
import { completeUsername, findUser, listUsers } from './users.query.ts'

/** The administration of users. */
export const usersHandlers = {
  'GET /users': async ({ query: { search, blocked, sort, ...rest } }) => await listUsers({ ...paging(rest), search, blocked, sort }),
  'POST /users': async ({ body, viewer }) => {
    assertLongEnough(body.password)
    const role = body.role as Role
    if (!canGiveRole(viewer, role))
      throw new Problem(403, null, 'A moderator can only create users who are neither moderators nor administrators.')
    const { id, accountId } = await createUser({ ...body, role })
    return { user: { id, account: { id: accountId } } }
  },
  'GET /users/autocomplete': async ({ query }) => await completeUsername(query.search, config.pagination.count),
  'GET /users/:id': async ({ params, query }) => await findUser(params.id, query.withStats),
  'PUT /users/:id': async ({ params, body: { role, pluginAuth: _none, ...changes }, viewer }) => {
    assertLongEnough(changes.password)
    await updateUser(await managedUser(params.id, viewer), { ...changes, role: role as Role | undefined }, viewer)
  },
  'DELETE /users/:id': async ({ params, viewer }) => {
    const user = await managedUser(params.id, viewer)
    if (isRoot(user)) throw new Problem(400, null, 'Cannot remove the root user')
    await removeUser(user)
  },
  'POST /users/:id/block': async ({ params, body, viewer }) => await blockUser(await managedUser(params.id, viewer), viewer, body?.reason),
  'POST /users/:id/unblock': async ({ params, viewer }) => await unblockUser(await managedUser(params.id, viewer))
} satisfies Partial<Handlers<typeof accounts>>
