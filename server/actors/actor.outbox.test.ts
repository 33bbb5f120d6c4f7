import { createHash, createVerify } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'

let site: TestInstance
let hostile: HostilePeer
let ada: { id: number; token: string; channelId: number }
let fan: HostileActor
beforeAll(async () => {
  ;[site, hostile] = await Promise.all([
    startTestInstance({ internals: { outbox: { retryDelay: 200, checkInterval: 300 } } }),
    startHostilePeer()
  ])
  ada = await site.user('ada')
  fan = await hostile.actor('fan')
})
afterAll(async () => {
  await Promise.all([site?.stop(), hostile?.stop()])
})

const received = (type: string) => hostile.received.filter(({ activity }) => activity.type === type)
const localUrl = (path: string) => `${site.url}${path}`
const publicKeyOf = async (path: string): Promise<string> =>
  (await hostile.get(localUrl(path), { headers: { accept: 'application/activity+json' } })).json.publicKey.publicKeyPem
async function followByFan(path: string): Promise<void> {
  const before = received('Accept').length
  await hostile.post(localUrl('/inbox'), {
    '@context': 'https://www.w3.org/ns/activitystreams',
    type: 'Follow',
    id: hostile.id('follow'),
    actor: fan.url,
    object: localUrl(path)
  })
  await eventually(async () => received('Accept').length > before, 10, 'the Accept')
}

test('changes of an account or channel are sent to its followers as an Update', async () => {
  await followByFan('/accounts/ada')
  expect(
    (await site.call('PUT /users/me', { token: ada.token, body: { displayName: 'Ada L.', description: 'Counts with engines' } })).status
  ).toBe(204)
  const [update] = await eventually(async () => received('Update').length === 1 && received('Update'), 10, 'the Update')
  expect(update).toMatchObject({
    activity: {
      actor: localUrl('/accounts/ada'),
      object: { type: 'Person', id: localUrl('/accounts/ada'), name: 'Ada L.', summary: 'Counts with engines' },
      signature: { type: 'RsaSignature2017' }
    }
  })
  await followByFan('/video-channels/ada_channel')
  expect((await site.call('PUT /video-channels/ada_channel', { token: ada.token, body: { displayName: 'Engines' } })).status).toBe(204)
  await eventually(
    async () => received('Update').some(({ activity }) => activity.object.name === 'Engines' && activity.object.type === 'Group'),
    10,
    'the Update of the channel'
  )
})

test('a removed channel sends a Delete signed with its key, and its actor is removed', async () => {
  await site.call('POST /video-channels', { token: ada.token, body: { name: 'short_lived', displayName: 'Short lived' } })
  await followByFan('/video-channels/short_lived')
  const key = await publicKeyOf('/video-channels/short_lived')
  expect((await site.call('DELETE /video-channels/short_lived', { token: ada.token })).status).toBe(204)
  const url = localUrl('/video-channels/short_lived')
  const { activity, headers, path, raw } = await eventually(
    async () => received('Delete').find(one => one.activity.actor === url),
    10,
    'the Delete'
  )
  expect(activity).toMatchObject({ object: url, signature: { creator: url } })
  expect(headers.digest).toBe(`SHA-256=${createHash('sha256').update(raw).digest('base64')}`)
  const [, keyId, covered, signature] = /keyId="([^"]+)".*headers="([^"]+)".*signature="([^"]+)"/.exec(String(headers.signature))!
  expect(keyId!.startsWith(url)).toBe(true)
  const text = covered!
    .split(' ')
    .map(name => (name === '(request-target)' ? `${name}: post ${path}` : `${name}: ${headers[name]}`))
    .join('\n')
  expect(createVerify('sha256').update(text).verify(key, signature!, 'base64')).toBe(true)
  expect(await runQuery(sql`SELECT 1 FROM actors WHERE url = ${url}`)).toEqual([])
  expect((await hostile.get(url, { headers: { accept: 'application/activity+json' } })).status).toBe(404)
})

test('a removed user sends a Delete for the account and for each channel', async () => {
  const bob = await site.user('bob')
  await followByFan('/accounts/bob')
  await followByFan('/video-channels/bob_channel')
  expect((await site.call('DELETE /users/me', { token: bob.token })).status).toBe(204)
  for (const path of ['/accounts/bob', '/video-channels/bob_channel'])
    await eventually(async () => received('Delete').some(({ activity }) => activity.object === localUrl(path)), 10, `the Delete of ${path}`)
  expect(received('Delete').filter(({ activity }) => activity.actor === localUrl('/accounts/bob')).length).toBe(1)
})
