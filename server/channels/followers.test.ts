import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestInstance, type TestInstance } from '../test/instance.ts'

let site: TestInstance
let ada: { token: string }
let bob: { token: string }
beforeAll(async () => {
  site = await startTestInstance({}, ['web'])
  ada = await site.user('ada')
  bob = await site.user('bob')
})
afterAll(async () => {
  await site?.stop()
})

test('owners can list the followers of their account and channels, others cannot', async () => {
  const host = new URL(site.url).host
  expect((await site.call('POST /users/me/subscriptions', { token: bob.token, body: { uri: `ada_channel@${host}` } })).status).toBe(204)
  for (const path of ['/accounts/ada/followers', '/video-channels/ada_channel/followers']) {
    expect((await site.call(`GET ${path}`, { token: ada.token })).json).toMatchObject({
      total: 1,
      data: [{ follower: { name: 'bob' }, following: { name: 'ada_channel' }, state: 'accepted' }]
    })
    expect((await site.call(`GET ${path}`, { token: bob.token })).status).toBe(403)
    expect((await site.call(`GET ${path}`)).status).toBe(401)
  }
  expect((await site.call('GET /accounts/nobody/followers', { token: ada.token })).status).toBe(404)
})
