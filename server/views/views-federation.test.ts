import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { withContext } from '../fediverse/jsonld-context.ts'
import { createLdSignature } from '../fediverse/ld-signature.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
let site: TestInstance
let good: HostilePeer
let evil: HostilePeer
let owner: HostileActor
let instance: HostileActor
let evilInstance: HostileActor
let videoUrl: string
let id: number
let uuid: string
beforeAll(async () => {
  ;[site, good, evil] = await Promise.all([
    startTestInstance({
      views: { videos: { local_buffer_update_interval: 100, viewer_expiration: 2000, count_view_after: '2 seconds', max_sections: 3 } },
      cache: { answers: { max_age: 50 } },
      federation: { videos: { max_views_per_host: 5 } },
      internals: {
        outbox: { checkInterval: 100, retryDelay: 100 },
        inbox: { viewsInterval: 50 },
        videos: { viewersInterval: 600, viewLifetime: 1500, maxViewJump: 1000, maxToldViews: 2 }
      }
    }),
    startHostilePeer(),
    startHostilePeer()
  ])
  owner = await good.actor('owner')
  const channel = await good.actor('films', 'Group', { attributedTo: [{ type: 'Person', id: owner.url }] })
  instance = await good.actor('peertube', 'Application')
  evilInstance = await evil.actor('villain', 'Application')
  for (const [peer, actor] of [
    [good, instance],
    [evil, evilInstance]
  ] as const)
    await peer.post(`${site.url}/inbox`, { type: 'Follow', id: peer.id(), actor: actor.url, object: `${site.url}/accounts/peertube` })
  uuid = randomUUID()
  videoUrl = `${good.url}/videos/watch/${uuid}`
  const document = {
    type: 'Video',
    id: videoUrl,
    uuid,
    name: 'A far film',
    duration: 'PT42S',
    views: 5,
    published: '2026-11-01T00:00:00.000Z',
    updated: '2026-11-01T00:00:00.000Z',
    to: [PUBLIC],
    cc: [],
    url: [
      { type: 'Link', mediaType: 'text/html', href: videoUrl },
      { type: 'Link', mediaType: 'application/x-mpegURL', href: `${good.url}/hls/${uuid}/master.m3u8`, tag: [] }
    ],
    icon: [{ type: 'Image', url: `${good.url}/pictures/${uuid}.jpg`, mediaType: 'image/jpeg', width: 280, height: 157 }],
    attributedTo: [
      { type: 'Person', id: owner.url },
      { type: 'Group', id: channel.url }
    ],
    commentsPolicy: 1
  }
  good.serve(new URL(videoUrl).pathname, { '@context': 'https://www.w3.org/ns/activitystreams', ...document })
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM follows WHERE state = 'accepted'`)).length === 2, 10, 'the follows')
  await good.post(`${site.url}/inbox`, { type: 'Create', id: `${videoUrl}/activity`, actor: owner.url, to: [PUBLIC], object: document })
  id = (
    await eventually(async () => (await runQuery<{ id: number }>(sql`SELECT id FROM videos WHERE url = ${videoUrl}`))[0], 10, 'the video')
  ).id
})
afterAll(async () => await Promise.all([site, good, evil].map(async server => await server?.stop())))

const sendHeartbeat = async (currentTime: number, sessionId: string) =>
  expect((await site.call(`POST /videos/${uuid}/views`, { body: { currentTime, sessionId } })).status).toBe(204)
const viewsAndViewers = async () => {
  const { views, viewers } = (await site.call(`GET /videos/${uuid}`)).json
  return { views, viewers }
}
/** The activities of a type that the good peer received. */
const receivedActivities = (type: string) => good.received.map(post => post.activity).filter(activity => activity.type === type)
const inboxProcessed = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 10, 'the processing')
const timestampIn = (ms = 2000) => new Date(Date.now() + ms).toISOString()
const counterFields = (userInteractionCount: unknown, expires?: string) => ({
  result: { type: 'InteractionCounter', interactionType: 'WatchAction', userInteractionCount },
  ...(expires ? { expires } : {})
})
const viewBy = (peer: HostilePeer, actor: HostileActor, fields: object = {}) => ({
  type: 'View',
  id: peer.id('views'),
  actor: actor.url,
  object: videoUrl,
  ...fields
})
const postToInbox = async (peer: HostilePeer, activity: object) => {
  expect((await peer.post(`${site.url}/inbox`, activity as never)).status).toBe(202)
}

test('views, viewers and watch actions of a remote video are sent to its origin, each once and within the limits', async () => {
  good.received.length = 0
  await sendHeartbeat(0, 'session-one')
  await sendHeartbeat(3, 'session-one')
  await eventually(
    async () => (await viewsAndViewers()).views === 6 && receivedActivities('View').some(activity => !activity.expires),
    5,
    'the view'
  )
  for (const second of [0, 3])
    await Promise.all(['session-two', 'session-three'].map(async session => await sendHeartbeat(second, session)))
  await eventually(async () => (await viewsAndViewers()).views === 8, 5, 'the other views')
  await eventually(async () => receivedActivities('View').filter(activity => !activity.expires).length >= 2, 5, 'their View activities')
  const actor = `${site.url}/accounts/peertube`
  const views = receivedActivities('View').filter(activity => !activity.expires)
  expect(views[0]).toMatchObject({
    type: 'View',
    actor,
    object: videoUrl,
    to: [owner.url],
    cc: [],
    signature: { type: 'RsaSignature2017' }
  })
  expect(new Set(views.map(view => view.id)).size).toBe(views.length)
  expect(views[0].id.startsWith(`${actor}/views/videos/${id}/`)).toBe(true)
  await eventually(
    async () =>
      new Set(
        receivedActivities('View')
          .filter(activity => activity.expires)
          .map(activity => activity.id)
      ).size === 3,
    5,
    'the viewers'
  )
  expect(receivedActivities('View').find(activity => activity.expires)).toMatchObject({ actor, object: videoUrl, to: [owner.url] })
  // The activities contain no IP address and no session id.
  expect(JSON.stringify(good.received.map(post => post.activity))).not.toMatch(/session-/)
  await eventually(
    async () => receivedActivities('Create').filter(activity => activity.object.type === 'WatchAction').length === 3,
    5,
    'the watch actions'
  )
  const watchAction = receivedActivities('Create').find(activity => activity.object.type === 'WatchAction')
  expect(watchAction).toMatchObject({
    actor,
    to: [owner.url],
    object: {
      object: videoUrl,
      duration: 'PT3S',
      actionStatus: 'CompletedActionStatus',
      watchSections: [{ startTimestamp: 0, endTimestamp: 3 }]
    }
  })
  expect(watchAction.object.id).toBe(`${site.url}/videos/local-viewer/${watchAction.object.uuid}`)
})

test('views that cannot be delivered within their lifetime are dropped', async () => {
  good.answer('/inbox', 500)
  await sendHeartbeat(0, 'lost')
  await sendHeartbeat(5, 'lost')
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM deliveries WHERE attempts > 0`)).length > 0, 5, 'a failure')
  const token = await site.login()
  // Expired rows exist until the next sweep, but are not counted as waiting.
  await eventually(async () => (await site.call('GET /server/debug', { token })).json.outgoing.waiting === 0, 10, 'their expiry')
  expect(await runQuery(sql`SELECT 1 FROM deliveries`)).not.toEqual([])
  good.received.length = 0
  good.answer('/inbox', 202)
  await new Promise(resolve => setTimeout(resolve, 500))
  expect(receivedActivities('View')).toEqual([])
})

test('counters from the origin set the numbers of viewers and views of a remote video', async () => {
  await postToInbox(good, viewBy(good, instance, counterFields(7, timestampIn())))
  await eventually(async () => (await viewsAndViewers()).viewers === 7, 5, 'the viewers')
  await postToInbox(good, viewBy(good, instance, counterFields(3, timestampIn(800))))
  await eventually(async () => (await viewsAndViewers()).viewers === 3, 5, 'fewer viewers')
  await eventually(async () => (await viewsAndViewers()).viewers === 0, 5, 'the end')
  await postToInbox(good, viewBy(good, instance, counterFields(900)))
  await eventually(async () => (await viewsAndViewers()).views === 900, 5, 'the views')
  // A View with an expiry that the origin sends or forwards is one viewer.
  await postToInbox(good, viewBy(good, instance, { expires: timestampIn() }))
  await eventually(async () => (await viewsAndViewers()).viewers === 1, 5, 'one viewer')
})

test('a viewer on a third server counts if the origin forwards the View with a valid signature of its author', async () => {
  await eventually(async () => (await viewsAndViewers()).viewers === 0, 5, 'quiet')
  const signedView = async (overrides: object = {}) => ({
    ...(await createLdSignature(withContext('view', viewBy(evil, evilInstance, { expires: timestampIn(3000) })), {
      actor: evilInstance.url,
      keyId: evilInstance.keyId,
      privateKey: evilInstance.privateKey
    })),
    ...overrides
  })
  const forward = async (activity: object) => (await good.post(`${site.url}/inbox`, activity as never, { as: instance })).status
  expect(await forward(await signedView({ expires: timestampIn(9000) }))).toBe(202)
  expect(await forward(viewBy(evil, evilInstance, { expires: timestampIn() }))).toBe(401)
  await inboxProcessed()
  expect((await viewsAndViewers()).viewers).toBe(0)
  expect(await forward(await signedView())).toBe(202)
  await eventually(async () => (await viewsAndViewers()).viewers === 1, 5, 'the viewer')
  await eventually(async () => (await viewsAndViewers()).viewers === 0, 5, 'the end')
})

test('counters from servers other than the origin, and implausible ones, change nothing', async () => {
  await eventually(async () => (await viewsAndViewers()).viewers === 0, 5, 'quiet')
  const before = await viewsAndViewers()
  for (const fields of [{}, { expires: timestampIn() }, counterFields(1e9), counterFields(5000, timestampIn()), counterFields(950)])
    await postToInbox(evil, viewBy(evil, evilInstance, fields))
  for (const fields of [
    {},
    counterFields(1e9),
    counterFields(1e9, timestampIn()),
    counterFields(2000),
    counterFields(-1),
    counterFields('1')
  ])
    await postToInbox(good, viewBy(good, instance, fields))
  await inboxProcessed()
  expect(await viewsAndViewers()).toEqual(before)
  // An activity in the name of the origin, signed by another server.
  const forged = { ...viewBy(good, instance, counterFields(950)), id: good.id('views') }
  expect((await evil.post(`${site.url}/inbox`, forged as never, { as: evilInstance })).status).toBe(401)
})

test('valid watch actions for local videos are stored once, up to a limit per server; all others are dropped', async () => {
  const ada = await site.user('ada')
  const { id: localId, uuid } = await seedVideo({ channelId: ada.channelId })
  const url = `${site.url}/videos/watch/${uuid}`
  await runQuery(sql`UPDATE videos SET url = ${url} WHERE id = ${localId}`)
  const watchActivity = (overrides: object = {}, peer = good, sender = instance) => {
    const watchUuid = randomUUID()
    const object = {
      type: 'WatchAction',
      id: `${peer.url}/videos/local-viewer/${watchUuid}`,
      uuid: watchUuid,
      object: url,
      actionStatus: 'CompletedActionStatus',
      startTime: '2026-11-01T10:00:00.000Z',
      endTime: '2026-11-01T10:05:00.000Z',
      duration: 'PT1M30S',
      watchSections: [
        { startTimestamp: 0, endTimestamp: 60 },
        { startTimestamp: 70, endTimestamp: 100 }
      ],
      location: { addressCountry: 'FR', addressRegion: null },
      ...overrides
    }
    return { type: 'Create', id: `${object.id}/activity`, actor: sender.url, object }
  }
  const storedRecords = async () =>
    await runQuery<{ duration: number; country: string | null }>(
      sql`SELECT duration, country FROM watches WHERE video_id = ${localId} ORDER BY id`
    )
  const first = watchActivity()
  await postToInbox(good, first)
  await postToInbox(good, { ...first, id: good.id() })
  await inboxProcessed()
  expect(await storedRecords()).toEqual([{ duration: 90, country: 'FR' }])
  const section = { startTimestamp: 0, endTimestamp: 1 }
  for (const invalidFields of [
    { object: videoUrl },
    { object: null },
    { object: 5 },
    { uuid: 'x' },
    { duration: 'PT' + '9'.repeat(50) + 'S' },
    { duration: 5 },
    { startTime: 'now' },
    { endTime: '2001-01-01T00:00:00Z' },
    { watchSections: [] },
    { watchSections: 'all' },
    { watchSections: [{ startTimestamp: 5, endTimestamp: 1 }] },
    { watchSections: [{ startTimestamp: -5, endTimestamp: 1 }] },
    { watchSections: [section, section, section, section] },
    { watchSections: [null] }
  ])
    await postToInbox(good, watchActivity(invalidFields))
  // The id is on another host than the actor.
  await postToInbox(evil, {
    ...watchActivity({ id: `${good.url}/videos/local-viewer/${randomUUID()}` }, evil, evilInstance),
    id: evil.id()
  })
  await inboxProcessed()
  expect((await storedRecords()).length).toBe(1)
  for (let index = 0; index < 10; index++) await postToInbox(good, watchActivity())
  await inboxProcessed()
  expect((await storedRecords()).length).toBe(5)
  expect(await runQuery(sql`SELECT outcome FROM incoming WHERE outcome LIKE 'failed%'`)).toEqual([])
})
