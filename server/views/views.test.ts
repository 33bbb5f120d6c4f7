import { afterAll, beforeAll, expect, test } from 'vitest'
import { redis } from '../core/redis.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { uploadVideo } from '../test/upload.ts'
import { viewsRedisKey } from './watch-sessions.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
let site: TestInstance
let hostile: HostilePeer
let ada: { id: number; token: string; channelId: number }
let video: { id: number; uuid: string }
let privateVideo: { id: number; uuid: string }
beforeAll(async () => {
  ;[site, hostile] = await Promise.all([
    startTestInstance({
      views: { videos: { local_buffer_update_interval: 100, viewer_expiration: 1500, max_sessions_per_address: 5 } },
      cache: { answers: { max_age: 50 } },
      transcoding: { enabled: false },
      federation: { videos: { max_views_per_host: 20, max_viewers_per_host: 5 } },
      internals: {
        outbox: { checkInterval: 200 },
        inbox: { viewsInterval: 50 },
        videos: { countersInterval: 300, viewersInterval: 900, maxViewJump: 1000 }
      }
    }),
    startHostilePeer()
  ])
  ada = await site.user('ada')
  video = await uploadVideo(site, ada)
  privateVideo = await uploadVideo(site, ada, { privacy: 3 })
})
afterAll(async () => {
  await Promise.all([site.stop(), hostile.stop()])
})

const sendHeartbeat = async (currentTime: unknown, fields: { [key: string]: unknown } = {}, id = video.uuid, token?: string) =>
  await site.call(`POST /videos/${id}/views`, { token, body: { currentTime, ...fields } })
const viewsAndViewers = async (id = video.uuid) => {
  const { views, viewers } = (await site.call(`GET /videos/${id}`, { token: ada.token })).json
  return { views, viewers }
}
const viewCount = async (id = video.uuid) => (await viewsAndViewers(id)).views as number
/** Waits until no view is pending. */
const pendingViewsCounted = async () => {
  await eventually(async () => (await redis.exists(viewsRedisKey('new'), viewsRedisKey('taken'))) === 0, 10, 'the counting')
}
const videoUrl = () => `${site.url}/videos/watch/${video.uuid}`
const inboxProcessed = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 10, 'the processing')
const viewBy = (actor: HostileActor, fields: object = {}, object: unknown = videoUrl()) => ({
  type: 'View',
  id: hostile.id('views'),
  actor: actor.url,
  object,
  ...fields
})
const postToInbox = async (activity: object) => {
  expect((await hostile.post(`${site.url}/inbox`, activity as never)).status).toBe(202)
}
const timestampIn = (ms = 60_000) => new Date(Date.now() + ms).toISOString()
const counterFields = (userInteractionCount: unknown) => ({
  result: { type: 'InteractionCounter', interactionType: 'WatchAction', userInteractionCount }
})

test('a view is counted after the minimum watch time, and once per viewer', async () => {
  const before = await viewCount()
  expect((await sendHeartbeat(0)).status).toBe(204)
  expect((await sendHeartbeat(1)).status).toBe(204)
  await pendingViewsCounted()
  expect(await viewCount()).toBe(before)
  await sendHeartbeat(2)
  await eventually(async () => (await viewCount()) === before + 1, 5, 'the view')
  for (const second of [0, 1, 2, 0, 2]) await sendHeartbeat(second)
  await pendingViewsCounted()
  expect(await viewCount()).toBe(before + 1)
})

test('seeking does not add watch time', async () => {
  const before = await viewCount()
  for (const second of [0, 2, 0, 2]) await sendHeartbeat(second, { viewEvent: 'seek', sessionId: 'jumper' })
  await pendingViewsCounted()
  expect(await viewCount()).toBe(before)
})

test('sessions behind one IP address are different viewers, sessions of one user are the same viewer', async () => {
  const before = await viewCount()
  for (const sessionId of ['one', 'two']) for (const second of [0, 2]) await sendHeartbeat(second, { sessionId })
  for (const second of [0, 2]) await sendHeartbeat(second, { sessionId: 'three' }, video.uuid, ada.token)
  for (const second of [0, 2]) await sendHeartbeat(second, { sessionId: 'four' }, video.uuid, ada.token)
  await eventually(async () => (await viewCount()) === before + 3, 5, 'the views')
  await pendingViewsCounted()
  expect(await viewCount()).toBe(before + 3)
})

test('a viewer is not counted twice, even if Redis is wiped', async () => {
  const before = await viewCount()
  const watchVideo = async () => {
    for (const second of [0, 2]) await sendHeartbeat(second, { sessionId: 'again' })
  }
  await watchVideo()
  await eventually(async () => (await viewCount()) === before + 1, 5, 'the view')
  const keys = await redis.keys(viewsRedisKey('*'))
  expect(keys.length).toBeGreaterThan(0)
  await redis.del(keys)
  await watchVideo()
  await eventually(
    async () =>
      (await redis.exists(
        viewsRedisKey(
          'counted',
          video.id,
          (await runQuery<{ viewer: string }>(sql`SELECT viewer FROM view_marks ORDER BY counted_at DESC LIMIT 1`))[0]!.viewer
        )
      )) === 1,
    5,
    'the second session'
  )
  await pendingViewsCounted()
  expect(await viewCount()).toBe(before + 1)
})

test('views that were being counted when the worker was killed are counted once', async () => {
  const before = await viewCount()
  const viewer = '11111111-2222-4333-8444-555555555555'
  // As if it was killed before the commit, and once more after it.
  for (let run = 0; run < 2; run++) {
    await redis.sadd(viewsRedisKey('taken'), `${video.id} ${viewer}`, `999999 ${viewer}`)
    await pendingViewsCounted()
  }
  expect(await viewCount()).toBe(before + 1)
})

test('the views of one IP address are limited, whatever session ids it sends', async () => {
  const before = await viewCount()
  for (let index = 0; index < 12; index++) for (const second of [0, 2]) await sendHeartbeat(second, { sessionId: `invented-${index}` })
  await pendingViewsCounted()
  expect((await viewCount()) - before).toBeLessThanOrEqual(5)
})

test('invalid reports and reports for videos that the viewer cannot watch are refused', async () => {
  for (const [body, field] of [
    [{ currentTime: 'x' }, 'currentTime'],
    [{}, 'currentTime'],
    [{ currentTime: -1 }, 'currentTime'],
    [{ currentTime: 1, viewEvent: 'play' }, 'viewEvent'],
    [{ currentTime: 1, sessionId: 'a b' }, 'sessionId']
  ] as const) {
    const response = await site.call(`POST /videos/${video.uuid}/views`, { body })
    expect([response.status, Object.keys(response.json['invalid-params'])]).toEqual([400, [field]])
  }
  const pastEnd = await sendHeartbeat(10_000)
  expect([pastEnd.status, pastEnd.json.detail]).toEqual([400, `Current time 10000 is invalid (video ${video.uuid} duration: 2)`])
  expect((await sendHeartbeat(0, {}, privateVideo.uuid)).status).toBe(401)
  expect((await sendHeartbeat(0, {}, 'b3c9c8a5-0e8a-4c54-b2a3-3cf1b7b6c4b1')).status).toBe(404)
})

test('current viewers are shown, and their number is sent to followers at most once per interval', async () => {
  const follower = await hostile.actor('fan')
  await postToInbox({ type: 'Follow', id: hostile.id('follow'), actor: follower.url, object: `${site.url}/accounts/ada` })
  await inboxProcessed()
  hostile.received.length = 0
  const receivedViews = () => hostile.received.map(post => post.activity).filter(activity => activity.type === 'View')
  const start = Date.now()
  while (Date.now() - start < 2500) {
    await sendHeartbeat(0, { sessionId: 'here' })
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  expect((await viewsAndViewers()).viewers).toBeGreaterThanOrEqual(1)
  await eventually(async () => receivedViews().length >= 2, 5, 'the counters')
  expect(receivedViews().length).toBeLessThanOrEqual(4)
  expect(receivedViews()[0]).toMatchObject({
    type: 'View',
    actor: `${site.url}/accounts/peertube`,
    object: videoUrl(),
    to: expect.arrayContaining([PUBLIC, `${site.url}/accounts/ada/followers`]),
    result: { type: 'InteractionCounter', interactionType: 'WatchAction', userInteractionCount: expect.any(Number) }
  })
  expect(Date.parse(receivedViews()[0].expires)).toBeGreaterThan(start)
  await eventually(async () => (await viewsAndViewers()).viewers === 0, 5, 'no viewers')
  // The number of views is sent with the video.
  const updates = hostile.received.map(post => post.activity).filter(activity => activity.type === 'Update')
  for (const update of updates) expect(update.object.views).toBeLessThanOrEqual(await viewCount())
})

test('views from other servers count once each, viewers until their expiry', async () => {
  const [peer, other] = [await hostile.actor('peer', 'Application'), await hostile.actor('other', 'Application')]
  const before = await viewCount()
  const first = viewBy(peer)
  for (const activity of [first, first, { ...first, nonce: 1 }, viewBy(peer), viewBy(other)]) await postToInbox(activity)
  await eventually(async () => (await viewCount()) === before + 3, 5, 'the views')
  for (let index = 0; index < 3; index++) await postToInbox(viewBy(peer, { expires: timestampIn() }))
  const repeated = viewBy(peer, { expires: timestampIn() })
  await postToInbox(repeated)
  await postToInbox({ ...repeated, expires: timestampIn(70_000) })
  await eventually(async () => (await viewsAndViewers()).viewers === 4, 5, 'the viewers')
  await postToInbox(viewBy(other, { expires: timestampIn(700) }))
  await eventually(async () => (await viewsAndViewers()).viewers === 5, 5, 'one more viewer')
  await eventually(async () => (await viewsAndViewers()).viewers === 4, 5, 'one viewer less')
  await inboxProcessed()
  expect(await viewCount()).toBe(before + 3)
})

test('views and viewers from one server are limited, and counters from others than the origin are ignored', async () => {
  const flood = await hostile.actor('flood', 'Application')
  const before = await viewsAndViewers()
  await Promise.all(Array.from({ length: 60 }, async () => await postToInbox(viewBy(flood))))
  await Promise.all(Array.from({ length: 40 }, async () => await postToInbox(viewBy(flood, { expires: '2999-01-01T00:00:00Z' }))))
  for (const invalidCounter of [
    counterFields(1e9),
    { ...counterFields(1e9), expires: timestampIn() },
    counterFields(-5),
    counterFields('many'),
    counterFields(1.5)
  ])
    await postToInbox(viewBy(flood, invalidCounter))
  await inboxProcessed()
  const after = await viewsAndViewers()
  // At most twenty within the expiration, including those of earlier tests.
  expect(after.views - before.views).toBeGreaterThan(10)
  expect(after.views - before.views).toBeLessThanOrEqual(17)
  expect(after.viewers).toBeLessThanOrEqual(5)
  // They are present for a short time only, which may be over on a busy machine.
  await eventually(
    async () => {
      for (let index = 0; index < 8; index++) await postToInbox(viewBy(flood, { expires: '2999-01-01T00:00:00Z' }))
      const { viewers } = await viewsAndViewers()
      expect(viewers).toBeLessThanOrEqual(5)
      return viewers === 5
    },
    20,
    'five viewers'
  )
  expect(Number(await redis.pttl(viewsRedisKey('now', video.id)))).toBeLessThan(10_000)
})

test('many views are sent in one Update per interval', async () => {
  const peer = await hostile.actor('storm', 'Application')
  await runQuery(sql`DELETE FROM view_hosts`)
  const before = await viewCount()
  const receivedUpdates = () =>
    hostile.received.map(post => post.activity).filter(activity => activity.type === 'Update' && activity.object.id === videoUrl())
  hostile.received.length = 0
  const start = Date.now()
  for (let index = 0; index < 15; index++) {
    await postToInbox(viewBy(peer))
    await new Promise(resolve => setTimeout(resolve, 60))
  }
  await eventually(async () => receivedUpdates().at(-1)?.object.views === before + 15, 10, 'the final count')
  // Once per 300 ms.
  expect(receivedUpdates().length).toBeLessThanOrEqual(Math.ceil((Date.now() - start) / 300) + 1)
  expect(receivedUpdates().map(update => update.object.views)).toEqual(
    receivedUpdates()
      .map(update => update.object.views)
      .toSorted((a, b) => a - b)
  )
})

test('views of private or unknown videos, and invalid ones, have no effect', async () => {
  const eve = await hostile.actor('eve', 'Application')
  const before = await runQuery(sql`SELECT id, views FROM videos ORDER BY id`)
  for (const object of [
    `${site.url}/videos/watch/${privateVideo.uuid}`,
    `${site.url}/videos/watch/none`,
    eve.url,
    null,
    5,
    [],
    {},
    [videoUrl(), videoUrl()],
    { type: 'Video' }
  ])
    await postToInbox(viewBy(eve, {}, object))
  for (const fields of [
    { expires: 'soon' },
    { expires: 5 },
    { expires: {} },
    { expires: '2001-01-01T00:00:00Z' },
    { result: 5 },
    { result: [] },
    { result: { type: 'Note' } },
    { result: { type: 'InteractionCounter', interactionType: 'LikeAction', userInteractionCount: 5 } }
  ])
    await postToInbox(viewBy(eve, fields))
  await inboxProcessed()
  expect(await runQuery(sql`SELECT id, views FROM videos ORDER BY id`)).toEqual(before)
  expect(await runQuery(sql`SELECT 1 FROM incoming WHERE outcome LIKE 'failed%'`)).toEqual([])
})
