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
let secret: { id: number; uuid: string }
beforeAll(async () => {
  ;[site, hostile] = await Promise.all([
    startTestInstance({
      views: { videos: { local_buffer_update_interval: 100, viewer_expiration: 1500, max_sessions_per_address: 5 } },
      cache: { answers: { max_age: 50 } },
      transcoding: { enabled: false },
      federation: {
        outbox: { check_interval: 200 },
        inbox: { views_interval: 50 },
        videos: { counters_interval: 300, viewers_interval: 900, max_views_per_host: 20, max_viewers_per_host: 5, max_view_jump: 1000 }
      }
    }),
    startHostilePeer()
  ])
  ada = await site.user('ada')
  video = await uploadVideo(site, ada)
  secret = await uploadVideo(site, ada, { privacy: 3 })
})
afterAll(async () => {
  await Promise.all([site.stop(), hostile.stop()])
})

const ping = async (currentTime: unknown, more: { [key: string]: unknown } = {}, id = video.uuid, token?: string) =>
  await site.call(`POST /videos/${id}/views`, { token, body: { currentTime, ...more } })
const shown = async (id = video.uuid) => {
  const { views, viewers } = (await site.call(`GET /videos/${id}`, { token: ada.token })).json
  return { views, viewers }
}
const viewsOf = async (id = video.uuid) => (await shown(id)).views as number
/** Nothing waits to be counted. */
const counted = async () => {
  await eventually(async () => (await redis.exists(viewsRedisKey('new'), viewsRedisKey('taken'))) === 0, 10, 'the counting')
}
const url = () => `${site.url}/videos/watch/${video.uuid}`
const done = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 10, 'the processing')
const view = (actor: HostileActor, more: object = {}, object: unknown = url()) => ({
  type: 'View',
  id: hostile.id('views'),
  actor: actor.url,
  object,
  ...more
})
const post = async (activity: object) => {
  expect((await hostile.post(`${site.url}/inbox`, activity as never)).status).toBe(202)
}
const soon = (ms = 60_000) => new Date(Date.now() + ms).toISOString()
const counter = (userInteractionCount: unknown) => ({
  result: { type: 'InteractionCounter', interactionType: 'WatchAction', userInteractionCount }
})

test('a view counts once enough was watched, and once per viewer', async () => {
  const before = await viewsOf()
  expect((await ping(0)).status).toBe(204)
  expect((await ping(1)).status).toBe(204)
  await counted()
  expect(await viewsOf()).toBe(before)
  await ping(2)
  await eventually(async () => (await viewsOf()) === before + 1, 5, 'the view')
  for (const second of [0, 1, 2, 0, 2]) await ping(second)
  await counted()
  expect(await viewsOf()).toBe(before + 1)
})

test('jumping is not watching', async () => {
  const before = await viewsOf()
  for (const second of [0, 2, 0, 2]) await ping(second, { viewEvent: 'seek', sessionId: 'jumper' })
  await counted()
  expect(await viewsOf()).toBe(before)
})

test('players behind one address and people who are logged in are told apart', async () => {
  const before = await viewsOf()
  for (const sessionId of ['one', 'two']) for (const second of [0, 2]) await ping(second, { sessionId })
  for (const second of [0, 2]) await ping(second, { sessionId: 'three' }, video.uuid, ada.token)
  for (const second of [0, 2]) await ping(second, { sessionId: 'four' }, video.uuid, ada.token)
  await eventually(async () => (await viewsOf()) === before + 3, 5, 'the views')
  await counted()
  expect(await viewsOf()).toBe(before + 3)
})

test('nobody is counted twice, though Redis forgets everything', async () => {
  const before = await viewsOf()
  const watch = async () => {
    for (const second of [0, 2]) await ping(second, { sessionId: 'again' })
  }
  await watch()
  await eventually(async () => (await viewsOf()) === before + 1, 5, 'the view')
  const names = await redis.keys(viewsRedisKey('*'))
  expect(names.length).toBeGreaterThan(0)
  await redis.del(names)
  await watch()
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
    'the second watching'
  )
  await counted()
  expect(await viewsOf()).toBe(before + 1)
})

test('what was taken to be counted when the worker died is counted once', async () => {
  const before = await viewsOf()
  const viewer = '11111111-2222-4333-8444-555555555555'
  // As if it died before the commit, and once more after it.
  for (let time = 0; time < 2; time++) {
    await redis.sadd(viewsRedisKey('taken'), `${video.id} ${viewer}`, `999999 ${viewer}`)
    await counted()
  }
  expect(await viewsOf()).toBe(before + 1)
})

test('one address makes only so many views, whatever sessions it invents', async () => {
  const before = await viewsOf()
  for (let index = 0; index < 12; index++) for (const second of [0, 2]) await ping(second, { sessionId: `invented-${index}` })
  await counted()
  expect((await viewsOf()) - before).toBeLessThanOrEqual(5)
})

test('a player that says nonsense is refused, and who may not watch makes no view', async () => {
  for (const [body, field] of [
    [{ currentTime: 'x' }, 'currentTime'],
    [{}, 'currentTime'],
    [{ currentTime: -1 }, 'currentTime'],
    [{ currentTime: 1, viewEvent: 'play' }, 'viewEvent'],
    [{ currentTime: 1, sessionId: 'a b' }, 'sessionId']
  ] as const) {
    const answer = await site.call(`POST /videos/${video.uuid}/views`, { body })
    expect([answer.status, Object.keys(answer.json['invalid-params'])]).toEqual([400, [field]])
  }
  const late = await ping(10_000)
  expect([late.status, late.json.detail]).toEqual([400, `Current time 10000 is invalid (video ${video.uuid} duration: 2)`])
  expect((await ping(0, {}, secret.uuid)).status).toBe(401)
  expect((await ping(0, {}, 'b3c9c8a5-0e8a-4c54-b2a3-3cf1b7b6c4b1')).status).toBe(404)
})

test('who watches is shown while they do, and told to followers no more often than configured', async () => {
  const fan = await hostile.actor('fan')
  await post({ type: 'Follow', id: hostile.id('follow'), actor: fan.url, object: `${site.url}/accounts/ada` })
  await done()
  hostile.received.length = 0
  const told = () => hostile.received.map(one => one.activity).filter(one => one.type === 'View')
  const begin = Date.now()
  while (Date.now() - begin < 2500) {
    await ping(0, { sessionId: 'here' })
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  expect((await shown()).viewers).toBeGreaterThanOrEqual(1)
  await eventually(async () => told().length >= 2, 5, 'the counters')
  expect(told().length).toBeLessThanOrEqual(4)
  expect(told()[0]).toMatchObject({
    type: 'View',
    actor: `${site.url}/accounts/peertube`,
    object: url(),
    to: expect.arrayContaining([PUBLIC, `${site.url}/accounts/ada/followers`]),
    result: { type: 'InteractionCounter', interactionType: 'WatchAction', userInteractionCount: expect.any(Number) }
  })
  expect(Date.parse(told()[0].expires)).toBeGreaterThan(begin)
  await eventually(async () => (await shown()).viewers === 0, 5, 'the end')
  // The number of views is told with the video.
  const updates = hostile.received.map(one => one.activity).filter(one => one.type === 'Update')
  for (const update of updates) expect(update.object.views).toBeLessThanOrEqual(await viewsOf())
})

test('views from elsewhere count once each, viewers for as long as they say', async () => {
  const [peer, other] = [await hostile.actor('peer', 'Application'), await hostile.actor('other', 'Application')]
  const before = await viewsOf()
  const first = view(peer)
  for (const activity of [first, first, { ...first, nonce: 1 }, view(peer), view(other)]) await post(activity)
  await eventually(async () => (await viewsOf()) === before + 3, 5, 'the views')
  for (let index = 0; index < 3; index++) await post(view(peer, { expires: soon() }))
  const same = view(peer, { expires: soon() })
  await post(same)
  await post({ ...same, expires: soon(70_000) })
  await eventually(async () => (await shown()).viewers === 4, 5, 'the viewers')
  await post(view(other, { expires: soon(700) }))
  await eventually(async () => (await shown()).viewers === 5, 5, 'one more')
  await eventually(async () => (await shown()).viewers === 4, 5, 'one less')
  await done()
  expect(await viewsOf()).toBe(before + 3)
})

test('views of one server count only so often, and only a video’s origin counts viewers', async () => {
  const flood = await hostile.actor('flood', 'Application')
  const before = await shown()
  await Promise.all(Array.from({ length: 60 }, async () => await post(view(flood))))
  await Promise.all(Array.from({ length: 40 }, async () => await post(view(flood, { expires: '2999-01-01T00:00:00Z' }))))
  for (const bad of [counter(1e9), { ...counter(1e9), expires: soon() }, counter(-5), counter('many'), counter(1.5)])
    await post(view(flood, bad))
  await done()
  const after = await shown()
  // Twenty in an hour, what came before among them.
  expect(after.views - before.views).toBeGreaterThan(10)
  expect(after.views - before.views).toBeLessThanOrEqual(17)
  expect(after.viewers).toBeLessThanOrEqual(5)
  // They are there for a moment only, which may be over on a busy machine.
  await eventually(
    async () => {
      for (let more = 0; more < 8; more++) await post(view(flood, { expires: '2999-01-01T00:00:00Z' }))
      const { viewers } = await shown()
      expect(viewers).toBeLessThanOrEqual(5)
      return viewers === 5
    },
    20,
    'five viewers'
  )
  expect(Number(await redis.pttl(viewsRedisKey('now', video.id)))).toBeLessThan(10_000)
})

test('a storm of views is told in few words', async () => {
  const peer = await hostile.actor('storm', 'Application')
  await runQuery(sql`DELETE FROM view_hosts`)
  const before = await viewsOf()
  const told = () => hostile.received.map(one => one.activity).filter(one => one.type === 'Update' && one.object.id === url())
  hostile.received.length = 0
  const begin = Date.now()
  for (let index = 0; index < 15; index++) {
    await post(view(peer))
    await new Promise(resolve => setTimeout(resolve, 60))
  }
  await eventually(async () => told().at(-1)?.object.views === before + 15, 10, 'the last number')
  // Once in 300 ms.
  expect(told().length).toBeLessThanOrEqual(Math.ceil((Date.now() - begin) / 300) + 1)
  expect(told().map(one => one.object.views)).toEqual(
    told()
      .map(one => one.object.views)
      .toSorted((a, b) => a - b)
  )
})

test('views of what is hidden, unknown or nonsense have no effect', async () => {
  const eve = await hostile.actor('eve', 'Application')
  const before = await runQuery(sql`SELECT id, views FROM videos ORDER BY id`)
  for (const object of [
    `${site.url}/videos/watch/${secret.uuid}`,
    `${site.url}/videos/watch/none`,
    eve.url,
    null,
    5,
    [],
    {},
    [url(), url()],
    { type: 'Video' }
  ])
    await post(view(eve, {}, object))
  for (const more of [
    { expires: 'soon' },
    { expires: 5 },
    { expires: {} },
    { expires: '2001-01-01T00:00:00Z' },
    { result: 5 },
    { result: [] },
    { result: { type: 'Note' } },
    { result: { type: 'InteractionCounter', interactionType: 'LikeAction', userInteractionCount: 5 } }
  ])
    await post(view(eve, more))
  await done()
  expect(await runQuery(sql`SELECT id, views FROM videos ORDER BY id`)).toEqual(before)
  expect(await runQuery(sql`SELECT 1 FROM incoming WHERE outcome LIKE 'failed%'`)).toEqual([])
})
