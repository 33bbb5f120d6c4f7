import { z } from 'zod'
import { Account, ActorHandle } from './actors.ts'
import { defineContract } from './contract.ts'
import { arrayParam, resultList, Paging, Timestamp } from './fields.ts'

const Sorted = Paging.extend({
  sort: z.enum(['createdAt', '-createdAt'], 'Invalid value').optional(),
  search: z.string().max(200).optional()
})
/** The name of a server: a host, with its port where that is not the usual one. */
const Host = z
  .string('Should have a valid host')
  .max(300)
  .regex(/^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(:\d{1,5})?$/i, 'Should have a valid host')
const AccountBlock = z.object({ byAccount: Account, blockedAccount: Account, createdAt: Timestamp })
const ServerBlock = z.object({ byAccount: Account, blockedServer: z.object({ host: z.string() }), createdAt: Timestamp })
const Status = z.object({ blockedByServer: z.boolean(), blockedByUser: z.boolean() })
const ByName = z.object({ accountName: ActorHandle })
const ByHost = z.object({ host: Host })
const refusals = { 409: 'You cannot block yourself or your own server' }

/** Whom users do not want to hear, and whom this instance has nothing to do with. */
export const blocklistsContract = defineContract({
  'GET /users/me/blocklist/accounts': {
    summary: 'Accounts I do not want to hear',
    tag: 'Blocklists',
    auth: 'user',
    query: Sorted,
    response: resultList(AccountBlock)
  },
  'POST /users/me/blocklist/accounts': { summary: 'Mute an account', tag: 'Blocklists', auth: 'user', body: ByName, refusals },
  'DELETE /users/me/blocklist/accounts/:accountName': { summary: 'Hear an account again', tag: 'Blocklists', auth: 'user', params: ByName },
  'GET /users/me/blocklist/servers': {
    summary: 'Servers I do not want to hear',
    tag: 'Blocklists',
    auth: 'user',
    query: Sorted,
    response: resultList(ServerBlock)
  },
  'POST /users/me/blocklist/servers': { summary: 'Mute a server', tag: 'Blocklists', auth: 'user', body: ByHost, refusals },
  'DELETE /users/me/blocklist/servers/:host': { summary: 'Hear a server again', tag: 'Blocklists', auth: 'user', params: ByHost },
  'GET /server/blocklist/accounts': {
    summary: 'Accounts this instance refuses',
    tag: 'Blocklists',
    auth: 'moderator',
    query: Sorted,
    response: resultList(AccountBlock)
  },
  'POST /server/blocklist/accounts': { summary: 'Refuse an account', tag: 'Blocklists', auth: 'moderator', body: ByName, refusals },
  'DELETE /server/blocklist/accounts/:accountName': {
    summary: 'Take an account again',
    tag: 'Blocklists',
    auth: 'moderator',
    params: ByName
  },
  'GET /server/blocklist/servers': {
    summary: 'Servers this instance refuses',
    tag: 'Blocklists',
    auth: 'moderator',
    query: Sorted,
    response: resultList(ServerBlock)
  },
  'POST /server/blocklist/servers': {
    summary: 'Refuse a server',
    description: 'Nothing of it is taken, nothing is sent to it; who follows from there does not any more.',
    tag: 'Blocklists',
    auth: 'moderator',
    body: ByHost,
    refusals
  },
  'DELETE /server/blocklist/servers/:host': { summary: 'Take a server again', tag: 'Blocklists', auth: 'moderator', params: ByHost },
  'GET /blocklist/status': {
    summary: 'Whether accounts and servers are blocked',
    tag: 'Blocklists',
    auth: 'optional',
    query: z.object({ accounts: arrayParam(ActorHandle).optional(), hosts: arrayParam(Host).optional() }),
    response: z.object({ accounts: z.record(z.string(), Status), hosts: z.record(z.string(), Status) })
  }
})
