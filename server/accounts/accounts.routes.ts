import { accountsContract } from '../../shared/accounts.ts'
import { paging } from '../core/paging.ts'
import { implementContract } from '../core/route.ts'
import { findAccount, listAccounts } from '../actors/accounts.query.ts'
import { meHandlers } from './me.routes.ts'
import { withPasswordLength } from './password.ts'
import { sessionHandlers } from './session.routes.ts'
import { usersHandlers } from './users.routes.ts'

/** Routes of sessions, registration, the user's own account, the administration of users, and public accounts. */
export const accountsRoutes = implementContract(withPasswordLength(accountsContract), {
  ...sessionHandlers,
  ...meHandlers,
  ...usersHandlers,
  'GET /accounts': async ({ query }) => await listAccounts({ ...paging(query), sort: query.sort }),
  'GET /accounts/:name': async ({ params }) => await findAccount(params.name)
})
