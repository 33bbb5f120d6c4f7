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
      federation: { outbox: { retry_delay: 200, check_interval: 300 } }
    }),
    startHostilePeer()
  ])
})
afterAll(async () => {
  await Promise.all([site?.stop(), hostile?.stop()])
})

test('an instance that follows waits for an administrator, who may change the answer; then it is followed back', async () => {
  const root = await site.login()
  const them = await hostile.actor('peertube', 'Application')
  const us = `${site.url}/accounts/peertube`
  const ask = async () =>
    await hostile.post(`${site.url}/inbox`, {
      '@context': 'https://www.w3.org/ns/activitystreams',
      type: 'Follow',
      id: `${hostile.url}/follow/1`,
      actor: them.url,
      object: us
    })
  const state = async () => (await site.call('GET /server/followers')).json.data[0]?.state
  const told = (type: string) =>
    hostile.received.filter(one => one.activity.type === type && one.path === new URL(them.inbox).pathname).length
  await ask()
  await eventually(async () => (await state()) === 'pending', 10, 'the follower')
  expect([told('Accept'), told('Reject'), told('Follow')]).toEqual([0, 0, 0])
  const answer = async (word: string, token?: string) =>
    (await site.call(`POST /server/followers/peertube@${hostile.host}/${word}`, { token })).status
  expect(await answer('accept')).toBe(401)
  expect(await answer('reject', root)).toBe(204)
  await eventually(async () => told('Reject') === 1, 10, 'the Reject')
  expect(await state()).toBe('rejected')
  expect(await answer('accept', root)).toBe(204)
  await eventually(async () => told('Accept') === 1, 10, 'the Accept')
  expect(await state()).toBe('accepted')
  await eventually(async () => told('Follow') === 1, 10, 'the Follow back')
})
