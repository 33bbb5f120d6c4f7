import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'

let site: TestInstance
let hostile: HostilePeer
let root: string
let ada: { id: number; token: string; channelId: number }
beforeAll(async () => {
  ;[site, hostile] = await Promise.all([
    startTestInstance({ internals: { outbox: { retryDelay: 200, checkInterval: 300 } } }),
    startHostilePeer()
  ])
  root = await site.login()
  ada = await site.user('ada')
  await site.user('bob')
})
afterAll(async () => {
  await Promise.all([site?.stop(), hostile?.stop()])
})

const bobHandle = () => `bob@${new URL(site.url).host}`
const status = async (token?: string) =>
  (await site.call(`GET /blocklist/status?accounts[]=${bobHandle()}&hosts[]=${hostile.host}&hosts[]=ok.example`, { token })).json
const follow = async (fan: HostileActor) =>
  await hostile.post(`${site.url}/inbox`, {
    '@context': 'https://www.w3.org/ns/activitystreams',
    type: 'Follow',
    id: hostile.id('follow'),
    actor: fan.url,
    object: `${site.url}/accounts/ada`
  })
const followers = async () =>
  (
    await runQuery<{ url: string }>(
      sql`SELECT actors.url FROM follows JOIN actors ON actors.id = actor_id WHERE state = 'accepted' ORDER BY follows.id`
    )
  ).map(({ url }) => url)

test('users block accounts and servers for themselves', async () => {
  const block = async (body: object, kind = 'accounts') => await site.call(`POST /users/me/blocklist/${kind}`, { token: ada.token, body })
  expect((await block({ accountName: 'bob' })).status).toBe(204)
  expect((await block({ accountName: 'bob' })).status).toBe(204)
  expect((await block({ accountName: 'ada' })).json).toMatchObject({ status: 409, detail: 'You cannot block yourself.' })
  expect((await block({ accountName: 'nobody' })).json).toMatchObject({ status: 404, detail: 'Account not found' })
  expect((await block({ host: hostile.host }, 'servers')).status).toBe(204)
  expect((await block({ host: new URL(site.url).host }, 'servers')).json).toMatchObject({
    status: 409,
    detail: 'You cannot block your own server.'
  })
  expect((await block({ host: 'http://x' }, 'servers')).status).toBe(400)
  const { json } = await site.call('GET /users/me/blocklist/accounts?sort=-createdAt', { token: ada.token })
  expect(json).toMatchObject({ total: 1, data: [{ byAccount: { name: 'ada' }, blockedAccount: { name: 'bob' } }] })
  expect((await site.call('GET /users/me/blocklist/accounts?search=zzz', { token: ada.token })).json).toEqual({ total: 0, data: [] })
  expect((await site.call('GET /users/me/blocklist/servers', { token: ada.token })).json).toMatchObject({
    total: 1,
    data: [{ byAccount: { name: 'ada' }, blockedServer: { host: hostile.host } }]
  })
  const none = { blockedByServer: false, blockedByUser: false }
  expect(await status()).toEqual({ accounts: { [bobHandle()]: none }, hosts: { [hostile.host]: none, 'ok.example': none } })
  expect(await status(root)).toEqual({ accounts: { [bobHandle()]: none }, hosts: { [hostile.host]: none, 'ok.example': none } })
  expect(await status(ada.token)).toEqual({
    accounts: { [bobHandle()]: { ...none, blockedByUser: true } },
    hosts: { [hostile.host]: { ...none, blockedByUser: true }, 'ok.example': none }
  })
  expect((await site.call('DELETE /users/me/blocklist/accounts/bob', { token: ada.token })).status).toBe(204)
  expect((await site.call('DELETE /users/me/blocklist/accounts/bob', { token: ada.token })).json).toMatchObject({
    status: 404,
    detail: 'Account block entry not found.'
  })
  expect((await site.call(`DELETE /users/me/blocklist/servers/${hostile.host}`, { token: ada.token })).status).toBe(204)
  expect((await site.call('GET /users/me/blocklist/servers')).status).toBe(401)
})

test('a block by the instance rejects followers and refuses activities until it is removed', async () => {
  const [one, other] = [await hostile.actor('one'), await hostile.actor('other')]
  for (const fan of [one, other]) expect((await follow(fan)).status).toBe(202)
  await eventually(async () => (await followers()).length === 2, 10, 'the followers')
  expect(
    (await site.call('POST /server/blocklist/accounts', { token: ada.token, body: { accountName: `one@${hostile.host}` } })).status
  ).toBe(403)
  expect((await site.call('POST /server/blocklist/accounts', { token: root, body: { accountName: `one@${hostile.host}` } })).status).toBe(
    204
  )
  expect(await followers()).toEqual([other.url])
  await eventually(
    async () => hostile.received.some(({ path, activity }) => activity.type === 'Reject' && path === new URL(one.inbox).pathname),
    10,
    'the Reject'
  )
  expect((await follow(one)).status).toBe(403)
  expect((await site.call('POST /server/blocklist/servers', { token: root, body: { host: hostile.host } })).status).toBe(204)
  expect(await followers()).toEqual([])
  expect((await follow(other)).status).toBe(403)
  expect((await site.call('GET /server/blocklist/accounts', { token: root })).json).toMatchObject({
    total: 1,
    data: [{ byAccount: { name: 'peertube' }, blockedAccount: { name: 'one', host: hostile.host } }]
  })
  expect((await site.call('GET /server/blocklist/servers?search=127', { token: root })).json).toMatchObject({
    total: 1,
    data: [{ byAccount: { name: 'peertube' }, blockedServer: { host: hostile.host } }]
  })
  expect((await status()).hosts[hostile.host]).toEqual({ blockedByServer: true, blockedByUser: false })
  expect((await site.call(`DELETE /server/blocklist/servers/${hostile.host}`, { token: root })).status).toBe(204)
  expect((await follow(other)).status).toBe(202)
  await eventually(async () => (await followers()).length === 1, 10, 'the follower')
})
