import { blocklistsContract } from '../../shared/blocklists.ts'
import { paging } from '../core/paging.ts'
import { implementContract } from '../core/route.ts'
import {
  blockAccount,
  blockServer,
  getBlockStatus,
  listBlockedAccounts,
  listBlockedServers,
  unblockAccount,
  unblockServer
} from './blocklist.ts'

/** Routes of the blocklists of users and of the instance. */
export const blocklistRoutes = implementContract(blocklistsContract, {
  'GET /users/me/blocklist/accounts': async ({ viewer, query: { sort, search, ...rest } }) =>
    await listBlockedAccounts(viewer.id, { ...paging(rest), sort, search }),
  'POST /users/me/blocklist/accounts': async ({ viewer, body }) => await blockAccount(viewer.id, viewer, body.accountName),
  'DELETE /users/me/blocklist/accounts/:accountName': async ({ viewer, params }) => await unblockAccount(viewer.id, params.accountName),
  'GET /users/me/blocklist/servers': async ({ viewer, query: { sort, search, ...rest } }) =>
    await listBlockedServers(viewer.id, { ...paging(rest), sort, search }),
  'POST /users/me/blocklist/servers': async ({ viewer, body }) => await blockServer(viewer.id, body.host),
  'DELETE /users/me/blocklist/servers/:host': async ({ viewer, params }) => await unblockServer(viewer.id, params.host),
  'GET /server/blocklist/accounts': async ({ query: { sort, search, ...rest } }) =>
    await listBlockedAccounts(null, { ...paging(rest), sort, search }),
  'POST /server/blocklist/accounts': async ({ viewer, body }) => await blockAccount(null, viewer, body.accountName),
  'DELETE /server/blocklist/accounts/:accountName': async ({ params }) => await unblockAccount(null, params.accountName),
  'GET /server/blocklist/servers': async ({ query: { sort, search, ...rest } }) =>
    await listBlockedServers(null, { ...paging(rest), sort, search }),
  'POST /server/blocklist/servers': async ({ body }) => await blockServer(null, body.host),
  'DELETE /server/blocklist/servers/:host': async ({ params }) => await unblockServer(null, params.host),
  'GET /blocklist/status': async ({ viewer, query: { accounts = [], hosts = [] } }) => await getBlockStatus(viewer, accounts, hosts)
})
