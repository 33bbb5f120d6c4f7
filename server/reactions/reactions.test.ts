import { afterAll, beforeAll, expect, test } from 'vitest'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { waitForTranscoding, uploadVideo } from '../test/upload.ts'

let site: TestInstance
let hostile: HostilePeer
let ada: { id: number; token: string; channelId: number }
let video: { id: number; uuid: string }
let secret: { id: number; uuid: string }
beforeAll(async () => {
  ;[site, hostile] = await Promise.all([
    startTestInstance({ federation: { outbox: { check_interval: 300 }, videos: { counters_interval: 200 } } }),
    startHostilePeer()
  ])
  ada = await site.user('ada')
  video = await uploadVideo(site, ada)
  secret = await uploadVideo(site, ada, { privacy: 3 })
  await waitForTranscoding(site, ada, video.uuid)
  await waitForTranscoding(site, ada, secret.uuid)
})
afterAll(async () => {
  await Promise.all([site.stop(), hostile.stop()])
})

const counts = async () => {
  const { likes, dislikes } = (await site.call(`GET /videos/${video.uuid}`)).json
  return [likes, dislikes]
}
const url = () => `${site.url}/videos/watch/${video.uuid}`
const like = (actor: HostileActor, type = 'Like', object = url(), more = {}) => ({
  type,
  id: hostile.id('like'),
  actor: actor.url,
  object,
  ...more
})
const post = async (activity: object) => await hostile.post(`${site.url}/inbox`, activity as never)
const done = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 10, 'the processing')

test('people like, dislike, change their mind and take it back', async () => {
  const rate = async (rating: string) => await site.call(`PUT /videos/${video.uuid}/rate`, { token: ada.token, body: { rating } })
  const mine = async () => (await site.call(`GET /users/me/videos/${video.id}/rating`, { token: ada.token })).json
  expect(await mine()).toEqual({ videoId: video.id, rating: 'none' })
  for (const [rating, expected] of [
    ['like', [1, 0]],
    ['like', [1, 0]],
    ['dislike', [0, 1]],
    ['none', [0, 0]],
    ['none', [0, 0]]
  ] as const) {
    expect((await rate(rating)).status).toBe(204)
    expect(await counts()).toEqual(expected)
    expect(await mine()).toEqual({ videoId: video.id, rating })
  }
  expect((await rate('love')).json['invalid-params'].rating).toBeDefined()
  expect((await site.call(`PUT /videos/${video.uuid}/rate`, { body: { rating: 'like' } })).status).toBe(401)
  const bob = await site.user('bob')
  expect((await site.call(`PUT /videos/${secret.uuid}/rate`, { token: bob.token, body: { rating: 'like' } })).status).toBe(403)
})

test('a like of ours can be read by others while it stands', async () => {
  await site.call(`PUT /videos/${video.uuid}/rate`, { token: ada.token, body: { rating: 'like' } })
  const [row] = await runQuery<{ url: string }>(sql`SELECT url FROM reactions WHERE type = 'like'`)
  const get = async (address: string) => await hostile.get(address, { headers: { accept: 'application/activity+json' } })
  expect((await get(row!.url)).json).toMatchObject({ type: 'Like', id: row!.url, actor: `${site.url}/accounts/ada`, object: url() })
  expect((await get(`${url()}/likes`)).json).toMatchObject({ type: 'OrderedCollection', totalItems: 1 })
  expect((await get(`${url()}/likes?page=1`)).json.orderedItems).toEqual([row!.url])
  await site.call(`PUT /videos/${video.uuid}/rate`, { token: ada.token, body: { rating: 'none' } })
  expect((await get(row!.url)).status).toBe(404)
})

test('likes from elsewhere count once each, change, and are taken back by their author alone', async () => {
  const [alice, mallory] = [await hostile.actor('alice'), await hostile.actor('mallory')]
  const first = like(alice)
  await post(first)
  await post(like(alice))
  await post(like(mallory, 'EmojiReact', url(), { content: '👍' }))
  await done()
  expect(await counts()).toEqual([2, 0])
  await post(like(alice, 'Dislike'))
  await post(like(mallory, 'EmojiReact', url(), { content: '💩' }))
  await done()
  expect(await counts()).toEqual([1, 1])
  await post({ type: 'Undo', id: hostile.id('undo'), actor: mallory.url, object: { ...like(alice, 'Dislike') } })
  await done()
  expect(await counts()).toEqual([1, 1])
  await post({ type: 'Undo', id: hostile.id('undo'), actor: alice.url, object: like(alice, 'Dislike') })
  await done()
  expect(await counts()).toEqual([1, 0])
})

test('an Undo that comes before its Like wins', async () => {
  const early = await hostile.actor('early')
  const activity = like(early)
  await post({ type: 'Undo', id: hostile.id('undo'), actor: early.url, object: activity })
  await done()
  const before = await counts()
  await post(activity)
  await done()
  expect(await counts()).toEqual(before)
})

test('nothing can be said about what is private, unknown or nonsense', async () => {
  const eve = await hostile.actor('eve')
  for (const object of [
    `${site.url}/videos/watch/${secret.uuid}`,
    `${site.url}/videos/watch/nothing`,
    eve.url,
    null,
    5,
    { type: 'Video' },
    []
  ])
    await post(like(eve, 'Like', object as string))
  await done()
  expect(
    await runQuery(
      sql`SELECT 1 FROM reactions JOIN accounts ON accounts.id = account_id JOIN actors ON actors.id = actor_id WHERE actors.url = ${eve.url}`
    )
  ).toEqual([])
})

test('likes that come at the same moment are all counted', async () => {
  const [before] = await counts()
  const fans = await Promise.all(Array.from({ length: 12 }, async (_, number) => await hostile.actor(`fan${number}`)))
  await Promise.all(fans.map(async fan => await post(like(fan))))
  await done()
  expect(await runQuery(sql`SELECT 1 FROM reactions WHERE video_id = ${video.id} AND type = 'like'`)).toHaveLength(before + fans.length)
  expect((await counts())[0]).toBe(before + fans.length)
})

test('a storm of likes is told in few words', async () => {
  const fan = await hostile.actor('fan')
  await post({ type: 'Follow', id: hostile.id('follow'), actor: fan.url, object: `${site.url}/accounts/ada` })
  await done()
  hostile.received.length = 0
  const pause = (config.federation.videos.counters_interval = 1500)
  const began = Date.now()
  for (let index = 0; index < 40; index++)
    await site.call(`PUT /videos/${video.uuid}/rate`, { token: ada.token, body: { rating: index % 2 ? 'none' : 'like' } })
  await site.call(`PUT /videos/${video.uuid}/rate`, { token: ada.token, body: { rating: 'like' } })
  await eventually(
    async () =>
      (
        await runQuery(
          sql`SELECT 1 FROM videos WHERE counters_due_at IS NOT NULL UNION ALL SELECT 1 FROM outgoing WHERE fanned_out_at IS NULL UNION ALL SELECT 1 FROM deliveries`
        )
      ).length === 0,
    10,
    'the outbox'
  )
  const updates = hostile.received.filter(({ activity }) => activity.type === 'Update')
  expect(updates.length).toBeGreaterThan(0)
  expect(updates.length).toBeLessThanOrEqual(1 + Math.ceil((Date.now() - began) / pause))
})
