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
let villain: HostileActor
let film: string
let id: number
let uuid: string
beforeAll(async () => {
  ;[site, good, evil] = await Promise.all([
    startTestInstance({
      views: { videos: { local_buffer_update_interval: 100, viewer_expiration: 2000, count_view_after: '2 seconds', max_sections: 3 } },
      cache: { answers: { max_age: 50 } },
      federation: {
        outbox: { check_interval: 100, retry_delay: 100 },
        inbox: { views_interval: 50 },
        videos: { viewers_interval: 600, view_lifetime: 1500, max_view_jump: 1000, max_told_views: 2, max_views_per_host: 5 }
      }
    }),
    startHostilePeer(),
    startHostilePeer()
  ])
  owner = await good.actor('owner')
  const channel = await good.actor('films', 'Group', { attributedTo: [{ type: 'Person', id: owner.url }] })
  instance = await good.actor('peertube', 'Application')
  villain = await evil.actor('villain', 'Application')
  for (const [at, by] of [
    [good, instance],
    [evil, villain]
  ] as const)
    await at.post(`${site.url}/inbox`, { type: 'Follow', id: at.id(), actor: by.url, object: `${site.url}/accounts/peertube` })
  uuid = randomUUID()
  film = `${good.url}/videos/watch/${uuid}`
  const document = {
    type: 'Video',
    id: film,
    uuid,
    name: 'A far film',
    duration: 'PT42S',
    views: 5,
    published: '2026-11-01T00:00:00.000Z',
    updated: '2026-11-01T00:00:00.000Z',
    to: [PUBLIC],
    cc: [],
    url: [
      { type: 'Link', mediaType: 'text/html', href: film },
      { type: 'Link', mediaType: 'application/x-mpegURL', href: `${good.url}/hls/${uuid}/master.m3u8`, tag: [] }
    ],
    icon: [{ type: 'Image', url: `${good.url}/pictures/${uuid}.jpg`, mediaType: 'image/jpeg', width: 280, height: 157 }],
    attributedTo: [
      { type: 'Person', id: owner.url },
      { type: 'Group', id: channel.url }
    ],
    commentsPolicy: 1
  }
  good.serve(new URL(film).pathname, { '@context': 'https://www.w3.org/ns/activitystreams', ...document })
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM follows WHERE state = 'accepted'`)).length === 2, 10, 'the follows')
  await good.post(`${site.url}/inbox`, { type: 'Create', id: `${film}/activity`, actor: owner.url, to: [PUBLIC], object: document })
  id = (await eventually(async () => (await runQuery<{ id: number }>(sql`SELECT id FROM videos WHERE url = ${film}`))[0], 10, 'the video'))
    .id
})
afterAll(async () => await Promise.all([site, good, evil].map(async one => await one?.stop())))

const ping = async (currentTime: number, sessionId: string) =>
  expect((await site.call(`POST /videos/${uuid}/views`, { body: { currentTime, sessionId } })).status).toBe(204)
const shown = async () => {
  const { views, viewers } = (await site.call(`GET /videos/${uuid}`)).json
  return { views, viewers }
}
const told = (type: string) => good.received.map(one => one.activity).filter(one => one.type === type)
const done = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 10, 'the processing')
const soon = (ms = 2000) => new Date(Date.now() + ms).toISOString()
const counter = (userInteractionCount: unknown, expires?: string) => ({
  result: { type: 'InteractionCounter', interactionType: 'WatchAction', userInteractionCount },
  ...(expires ? { expires } : {})
})
const view = (at: HostilePeer, actor: HostileActor, more: object = {}) => ({
  type: 'View',
  id: at.id('views'),
  actor: actor.url,
  object: film,
  ...more
})
const post = async (at: HostilePeer, activity: object) => {
  expect((await at.post(`${site.url}/inbox`, activity as never)).status).toBe(202)
}

test('views of a remote video are told to its origin, each once and no more at once than configured, with who watches and what was watched', async () => {
  good.received.length = 0
  await ping(0, 'session-one')
  await ping(3, 'session-one')
  await eventually(async () => (await shown()).views === 6 && told('View').some(one => !one.expires), 5, 'the view')
  for (const second of [0, 3]) await Promise.all(['session-two', 'session-three'].map(async session => await ping(second, session)))
  await eventually(async () => (await shown()).views === 8, 5, 'the others')
  await eventually(async () => told('View').filter(one => !one.expires).length >= 2, 5, 'their Views')
  const actor = `${site.url}/accounts/peertube`
  const plain = told('View').filter(one => !one.expires)
  expect(plain[0]).toMatchObject({ type: 'View', actor, object: film, to: [owner.url], cc: [], signature: { type: 'RsaSignature2017' } })
  expect(new Set(plain.map(one => one.id)).size).toBe(plain.length)
  expect(plain[0].id.startsWith(`${actor}/views/videos/${id}/`)).toBe(true)
  await eventually(
    async () =>
      new Set(
        told('View')
          .filter(one => one.expires)
          .map(one => one.id)
      ).size === 3,
    5,
    'the viewers'
  )
  expect(told('View').find(one => one.expires)).toMatchObject({ actor, object: film, to: [owner.url] })
  // No address, no session can be read from what is told.
  expect(JSON.stringify(good.received.map(one => one.activity))).not.toMatch(/session-/)
  await eventually(async () => told('Create').filter(one => one.object.type === 'WatchAction').length === 3, 5, 'what was watched')
  const watch = told('Create').find(one => one.object.type === 'WatchAction')
  expect(watch).toMatchObject({
    actor,
    to: [owner.url],
    object: {
      object: film,
      duration: 'PT3S',
      actionStatus: 'CompletedActionStatus',
      watchSections: [{ startTimestamp: 0, endTimestamp: 3 }]
    }
  })
  expect(watch.object.id).toBe(`${site.url}/videos/local-viewer/${watch.object.uuid}`)
})

test('views that cannot be told for a while are forgotten, and nothing waits for them', async () => {
  good.answer('/inbox', 500)
  await ping(0, 'lost')
  await ping(5, 'lost')
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM deliveries WHERE attempts > 0`)).length > 0, 5, 'a failure')
  const token = await site.login()
  // Rows that are over are there until the next sweep, but nobody waits for them.
  await eventually(async () => (await site.call('GET /server/debug', { token })).json.outgoing.waiting === 0, 10, 'the end of their time')
  expect(await runQuery(sql`SELECT 1 FROM deliveries`)).not.toEqual([])
  good.received.length = 0
  good.answer('/inbox', 202)
  await new Promise(resolve => setTimeout(resolve, 500))
  expect(told('View')).toEqual([])
})

test('the origin of a video says how many watch it and how often it was viewed', async () => {
  await post(good, view(good, instance, counter(7, soon())))
  await eventually(async () => (await shown()).viewers === 7, 5, 'the viewers')
  await post(good, view(good, instance, counter(3, soon(800))))
  await eventually(async () => (await shown()).viewers === 3, 5, 'fewer viewers')
  await eventually(async () => (await shown()).viewers === 0, 5, 'the end')
  await post(good, view(good, instance, counter(900)))
  await eventually(async () => (await shown()).views === 900, 5, 'the views')
  // A presence that it sends, or sends on, is one viewer.
  await post(good, view(good, instance, { expires: soon() }))
  await eventually(async () => (await shown()).viewers === 1, 5, 'one viewer')
})

test('a viewer elsewhere counts when the origin of the video sends its word on, and not without the signature of whoever said it', async () => {
  await eventually(async () => (await shown()).viewers === 0, 5, 'quiet')
  const word = async (more: object = {}) => ({
    ...(await createLdSignature(withContext('view', view(evil, villain, { expires: soon(3000) })), {
      actor: villain.url,
      keyId: villain.keyId,
      privateKey: villain.privateKey
    })),
    ...more
  })
  const forward = async (activity: object) => (await good.post(`${site.url}/inbox`, activity as never, { as: instance })).status
  expect(await forward(await word({ expires: soon(9000) }))).toBe(202)
  expect(await forward(view(evil, villain, { expires: soon() }))).toBe(401)
  await done()
  expect((await shown()).viewers).toBe(0)
  expect(await forward(await word())).toBe(202)
  await eventually(async () => (await shown()).viewers === 1, 5, 'the viewer')
  await eventually(async () => (await shown()).viewers === 0, 5, 'the end')
})

test('counters of others than the origin, and absurd ones, change nothing', async () => {
  await eventually(async () => (await shown()).viewers === 0, 5, 'quiet')
  const before = await shown()
  for (const more of [{}, { expires: soon() }, counter(1e9), counter(5000, soon()), counter(950)])
    await post(evil, view(evil, villain, more))
  for (const more of [{}, counter(1e9), counter(1e9, soon()), counter(2000), counter(-1), counter('1')])
    await post(good, view(good, instance, more))
  await done()
  expect(await shown()).toEqual(before)
  // A word of somebody else about the origin's video, in the origin's name.
  const forged = { ...view(good, instance, counter(950)), id: good.id('views') }
  expect((await evil.post(`${site.url}/inbox`, forged as never, { as: villain })).status).toBe(401)
})

test('what others watched of our videos is kept once, of nobody else’s, and only so much of one server', async () => {
  const ada = await site.user('ada')
  const { id: ours, uuid } = await seedVideo({ channelId: ada.channelId })
  const url = `${site.url}/videos/watch/${uuid}`
  await runQuery(sql`UPDATE videos SET url = ${url} WHERE id = ${ours}`)
  const watch = (more: object = {}, at = good, by = instance) => {
    const name = randomUUID()
    const object = {
      type: 'WatchAction',
      id: `${at.url}/videos/local-viewer/${name}`,
      uuid: name,
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
      ...more
    }
    return { type: 'Create', id: `${object.id}/activity`, actor: by.url, object }
  }
  const kept = async () =>
    await runQuery<{ duration: number; country: string | null }>(
      sql`SELECT duration, country FROM watches WHERE video_id = ${ours} ORDER BY id`
    )
  const first = watch()
  await post(good, first)
  await post(good, { ...first, id: good.id() })
  await done()
  expect(await kept()).toEqual([{ duration: 90, country: 'FR' }])
  const section = { startTimestamp: 0, endTimestamp: 1 }
  for (const bad of [
    { object: film },
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
    await post(good, watch(bad))
  // Of a server that is not the actor's.
  await post(evil, { ...watch({ id: `${good.url}/videos/local-viewer/${randomUUID()}` }, evil, villain), id: evil.id() })
  await done()
  expect((await kept()).length).toBe(1)
  for (let index = 0; index < 10; index++) await post(good, watch())
  await done()
  expect((await kept()).length).toBe(5)
  expect(await runQuery(sql`SELECT outcome FROM incoming WHERE outcome LIKE 'failed%'`)).toEqual([])
})
