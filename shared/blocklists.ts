import { z } from 'zod'
import { Account, ActorHandle, FullActorHandle } from './actors.ts'
import { defineContract } from './contract.ts'
import { arrayParam, resultList, Paging, Timestamp } from './fields.ts'
import { hostParam } from './hosts.ts'

const BlocklistQuery = Paging.extend({
  sort: z.enum(['createdAt', '-createdAt'], 'Invalid value').optional(),
  search: z.string().max(200).optional()
})
const AccountBlock = z.object({ byAccount: Account, blockedAccount: Account, createdAt: Timestamp })
const ServerBlock = z.object({ byAccount: Account, blockedServer: z.object({ host: z.string() }), createdAt: Timestamp })
const BlockStatus = z.object({ blockedByServer: z.boolean(), blockedByUser: z.boolean() })
const AccountParam = z.object({ accountName: ActorHandle })
const HostParam = z.object({ host: hostParam() })
const refusals = { 409: 'You cannot block yourself or your own server' }

/** Routes for the blocklists of users and of the instance. */
export const blocklistsContract = defineContract({
  'GET /users/me/blocklist/accounts': {
    summary: 'Muted accounts',
    tag: 'Blocklists',
    auth: 'user',
    query: BlocklistQuery,
    response: resultList(AccountBlock)
  },
  'POST /users/me/blocklist/accounts': { summary: 'Mute an account', tag: 'Blocklists', auth: 'user', body: AccountParam, refusals },
  'DELETE /users/me/blocklist/accounts/:accountName': {
    summary: 'Unmute an account',
    tag: 'Blocklists',
    auth: 'user',
    params: AccountParam
  },
  'GET /users/me/blocklist/servers': {
    summary: 'Muted servers',
    tag: 'Blocklists',
    auth: 'user',
    query: BlocklistQuery,
    response: resultList(ServerBlock)
  },
  'POST /users/me/blocklist/servers': { summary: 'Mute a server', tag: 'Blocklists', auth: 'user', body: HostParam, refusals },
  'DELETE /users/me/blocklist/servers/:host': { summary: 'Unmute a server', tag: 'Blocklists', auth: 'user', params: HostParam },
  'GET /server/blocklist/accounts': {
    summary: 'Accounts blocked by this instance',
    tag: 'Blocklists',
    auth: 'moderator',
    query: BlocklistQuery,
    response: resultList(AccountBlock)
  },
  'POST /server/blocklist/accounts': {
    summary: 'Block an account',
    tag: 'Blocklists',
    auth: 'moderator',
    body: AccountParam,
    refusals: { 403: 'Moderators cannot block moderators and administrators', ...refusals }
  },
  'DELETE /server/blocklist/accounts/:accountName': {
    summary: 'Unblock an account',
    tag: 'Blocklists',
    auth: 'moderator',
    params: AccountParam
  },
  'GET /server/blocklist/servers': {
    summary: 'Servers blocked by this instance',
    tag: 'Blocklists',
    auth: 'moderator',
    query: BlocklistQuery,
    response: resultList(ServerBlock)
  },
  'POST /server/blocklist/servers': {
    summary: 'Block a server',
    description: 'Its activities are rejected, nothing is sent to it, and follows from it are removed.',
    tag: 'Blocklists',
    auth: 'moderator',
    body: HostParam,
    refusals
  },
  'DELETE /server/blocklist/servers/:host': { summary: 'Unblock a server', tag: 'Blocklists', auth: 'moderator', params: HostParam },
  'GET /blocklist/status': {
    summary: 'Whether accounts and servers are blocked',
    tag: 'Blocklists',
    auth: 'optional',
    query: z.object({ accounts: arrayParam(FullActorHandle).optional(), hosts: arrayParam(hostParam()).optional() }),
    response: z.object({ accounts: z.record(z.string(), BlockStatus), hosts: z.record(z.string(), BlockStatus) })
  }
})
