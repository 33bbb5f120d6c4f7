import { afterAll, beforeAll, expect, test } from 'vitest'
import { startHostilePeer, type HostilePeer } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'

let site: TestInstance
let hostile: HostilePeer
beforeAll(async () => {
  ;[site, hostile] = await Promise.all([
    startTestInstance({
      followers: { instance: { enabled: true, manual_approval: true } },
      followings: { instance: { auto_follow_back: { enabled: true } } },
      internals: { outbox: { retryDelay: 200, checkInterval: 300 } }
    }),
    startHostilePeer()
  ])
})
afterAll(async () => {
  await Promise.all([site?.stop(), hostile?.stop()])
})

test('with manual approval an administrator rejects and accepts an instance, which is then followed back', async () => {
  const root = await site.login()
  const remoteInstance = await hostile.actor('peertube', 'Application')
  const localInstance = `${site.url}/accounts/peertube`
  const sendFollow = async () =>
    await hostile.post(`${site.url}/inbox`, {
      '@context': 'https://www.w3.org/ns/activitystreams',
      type: 'Follow',
      id: `${hostile.url}/follow/1`,
      actor: remoteInstance.url,
      object: localInstance
    })
  const state = async () => (await site.call('GET /server/followers')).json.data[0]?.state
  const countReceived = (type: string) =>
    hostile.received.filter(one => one.activity.type === type && one.path === new URL(remoteInstance.inbox).pathname).length
  await sendFollow()
  await eventually(async () => (await state()) === 'pending', 10, 'the follower')
  expect([countReceived('Accept'), countReceived('Reject'), countReceived('Follow')]).toEqual([0, 0, 0])
  const decide = async (decision: string, token?: string) =>
    (await site.call(`POST /server/followers/peertube@${hostile.host}/${decision}`, { token })).status
  expect(await decide('accept')).toBe(401)
  expect(await decide('reject', root)).toBe(204)
  await eventually(async () => countReceived('Reject') === 1, 10, 'the Reject')
  expect(await state()).toBe('rejected')
  expect(await decide('accept', root)).toBe(204)
  await eventually(async () => countReceived('Accept') === 1, 10, 'the Accept')
  expect(await state()).toBe('accepted')
  await eventually(async () => countReceived('Follow') === 1, 10, 'the Follow back')
})
