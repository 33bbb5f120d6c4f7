import { overrideInternals } from '../core/internals.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { waitForTranscoding, uploadVideo } from '../test/upload.ts'
import { VIDEO_FEDERATION } from '../videos/federation-internals.ts'

let site: TestInstance
let hostile: HostilePeer
let ada: { id: number; token: string; channelId: number }
let video: { id: number; uuid: string }
let privateVideo: { id: number; uuid: string }
beforeAll(async () => {
  ;[site, hostile] = await Promise.all([
    startTestInstance({ internals: { outbox: { checkInterval: 300 }, videos: { countersInterval: 200 } } }),
    startHostilePeer()
  ])
  ada = await site.user('ada')
  video = await uploadVideo(site, ada)
  privateVideo = await uploadVideo(site, ada, { privacy: 3 })
  await waitForTranscoding(site, ada, video.uuid)
  await waitForTranscoding(site, ada, privateVideo.uuid)
})
afterAll(async () => {
  await Promise.all([site.stop(), hostile.stop()])
})

const likesAndDislikes = async () => {
  const { likes, dislikes } = (await site.call(`GET /videos/${video.uuid}`)).json
  return [likes, dislikes]
}
const videoUrl = () => `${site.url}/videos/watch/${video.uuid}`
const reactionOf = (actor: HostileActor, type = 'Like', object = videoUrl(), fields = {}) => ({
  type,
  id: hostile.id('like'),
  actor: actor.url,
  object,
  ...fields
})
const postToInbox = async (activity: object) => await hostile.post(`${site.url}/inbox`, activity as never)
const inboxProcessed = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 10, 'the processing')

test('a user can like a video, change to a dislike, and remove the rating', async () => {
  const rate = async (rating: string) => await site.call(`PUT /videos/${video.uuid}/rate`, { token: ada.token, body: { rating } })
  const ownRating = async () => (await site.call(`GET /users/me/videos/${video.id}/rating`, { token: ada.token })).json
  expect(await ownRating()).toEqual({ videoId: video.id, rating: 'none' })
  for (const [rating, expected] of [
    ['like', [1, 0]],
    ['like', [1, 0]],
    ['dislike', [0, 1]],
    ['none', [0, 0]],
    ['none', [0, 0]]
  ] as const) {
    expect((await rate(rating)).status).toBe(204)
    expect(await likesAndDislikes()).toEqual(expected)
    expect(await ownRating()).toEqual({ videoId: video.id, rating })
  }
  expect((await rate('love')).json['invalid-params'].rating).toBeDefined()
  expect((await site.call(`PUT /videos/${video.uuid}/rate`, { body: { rating: 'like' } })).status).toBe(401)
  const bob = await site.user('bob')
  expect((await site.call(`PUT /videos/${privateVideo.uuid}/rate`, { token: bob.token, body: { rating: 'like' } })).status).toBe(403)
})

test('a local like is served to other servers until it is removed', async () => {
  await site.call(`PUT /videos/${video.uuid}/rate`, { token: ada.token, body: { rating: 'like' } })
  const [row] = await runQuery<{ url: string }>(sql`SELECT url FROM reactions WHERE type = 'like'`)
  const get = async (documentUrl: string) => await hostile.get(documentUrl, { headers: { accept: 'application/activity+json' } })
  expect((await get(row!.url)).json).toMatchObject({ type: 'Like', id: row!.url, actor: `${site.url}/accounts/ada`, object: videoUrl() })
  expect((await get(`${videoUrl()}/likes`)).json).toMatchObject({ type: 'OrderedCollection', totalItems: 1 })
  expect((await get(`${videoUrl()}/likes?page=1`)).json.orderedItems).toEqual([row!.url])
  await site.call(`PUT /videos/${video.uuid}/rate`, { token: ada.token, body: { rating: 'none' } })
  expect((await get(row!.url)).status).toBe(404)
})

test('a remote reaction counts once per account, can be changed, and is undone by its author only', async () => {
  const [alice, mallory] = [await hostile.actor('alice'), await hostile.actor('mallory')]
  await postToInbox(reactionOf(alice))
  await postToInbox(reactionOf(alice))
  await postToInbox(reactionOf(mallory, 'EmojiReact', videoUrl(), { content: '👍' }))
  await inboxProcessed()
  expect(await likesAndDislikes()).toEqual([2, 0])
  const dislike = reactionOf(alice, 'Dislike')
  await postToInbox(dislike)
  await postToInbox(reactionOf(mallory, 'EmojiReact', videoUrl(), { content: '💩' }))
  await inboxProcessed()
  expect(await likesAndDislikes()).toEqual([1, 1])
  await postToInbox({ type: 'Undo', id: hostile.id('undo'), actor: mallory.url, object: { ...dislike } })
  await inboxProcessed()
  expect(await likesAndDislikes()).toEqual([1, 1])
  await postToInbox({ type: 'Undo', id: hostile.id('undo'), actor: alice.url, object: dislike })
  await inboxProcessed()
  expect(await likesAndDislikes()).toEqual([1, 0])
})

test('an Undo that arrives before its Like wins', async () => {
  const early = await hostile.actor('early')
  const activity = reactionOf(early)
  await postToInbox({ type: 'Undo', id: hostile.id('undo'), actor: early.url, object: activity })
  await inboxProcessed()
  const before = await likesAndDislikes()
  await postToInbox(activity)
  await inboxProcessed()
  expect(await likesAndDislikes()).toEqual(before)
})

test('reactions to private or unknown videos, and invalid ones, are dropped', async () => {
  const eve = await hostile.actor('eve')
  for (const object of [
    `${site.url}/videos/watch/${privateVideo.uuid}`,
    `${site.url}/videos/watch/nothing`,
    eve.url,
    null,
    5,
    { type: 'Video' },
    []
  ])
    await postToInbox(reactionOf(eve, 'Like', object as string))
  await inboxProcessed()
  expect(
    await runQuery(
      sql`SELECT 1 FROM reactions JOIN accounts ON accounts.id = account_id JOIN actors ON actors.id = actor_id
        WHERE actors.url = ${eve.url}`
    )
  ).toEqual([])
})

test('concurrent likes are all counted', async () => {
  const [before] = await likesAndDislikes()
  const fans = await Promise.all(Array.from({ length: 12 }, async (_, index) => await hostile.actor(`fan${index}`)))
  await Promise.all(fans.map(async fan => await postToInbox(reactionOf(fan))))
  await inboxProcessed()
  expect(await runQuery(sql`SELECT 1 FROM reactions WHERE video_id = ${video.id} AND type = 'like'`)).toHaveLength(before + fans.length)
  expect((await likesAndDislikes())[0]).toBe(before + fans.length)
})

test('ratings of one user at the same time count as one', async () => {
  const rate = async (rating: string) => (await site.call(`PUT /videos/${video.uuid}/rate`, { token: ada.token, body: { rating } })).status
  await rate('none')
  const [likes, dislikes] = await likesAndDislikes()
  for (let round = 0; round < 3; round++) {
    const mixed = ['like', 'dislike', 'like', 'none', 'dislike', 'like']
    expect(await Promise.all(mixed.map(rate))).toEqual(Array(6).fill(204))
    expect(await Promise.all(Array(4).fill('like').map(rate))).toEqual(Array(4).fill(204))
    expect(await likesAndDislikes()).toEqual([likes + 1, dislikes])
  }
  await rate('none')
  expect(await likesAndDislikes()).toEqual([likes, dislikes])
})

test('many likes are sent in one Update per interval', async () => {
  const follower = await hostile.actor('fan')
  await postToInbox({ type: 'Follow', id: hostile.id('follow'), actor: follower.url, object: `${site.url}/accounts/ada` })
  await inboxProcessed()
  hostile.received.length = 0
  const interval = 1500
  overrideInternals(VIDEO_FEDERATION, { countersInterval: interval })
  const start = Date.now()
  for (let index = 0; index < 40; index++)
    await site.call(`PUT /videos/${video.uuid}/rate`, { token: ada.token, body: { rating: index % 2 ? 'none' : 'like' } })
  await site.call(`PUT /videos/${video.uuid}/rate`, { token: ada.token, body: { rating: 'like' } })
  await eventually(
    async () =>
      (
        await runQuery(
          sql`SELECT 1 FROM videos WHERE counters_due_at IS NOT NULL UNION ALL SELECT 1 FROM outgoing WHERE fanned_out_at IS NULL UNION ALL
            SELECT 1 FROM deliveries`
        )
      ).length === 0,
    10,
    'the outbox'
  )
  const updates = hostile.received.filter(({ activity }) => activity.type === 'Update')
  expect(updates.length).toBeGreaterThan(0)
  expect(updates.length).toBeLessThanOrEqual(1 + Math.ceil((Date.now() - start) / interval))
})
