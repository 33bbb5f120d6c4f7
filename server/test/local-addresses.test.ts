import { afterAll, beforeAll, expect, test } from 'vitest'
import { shortUuid } from '../../shared/short-uuid.ts'
import { runQuery, sql } from '../core/sql.ts'
import { canonicalUrl } from '../fediverse/local-addresses.ts'
import { startHostilePeer, type HostileActor, type HostilePeer } from './hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from './instance.ts'
import { seedVideo } from './seed-video.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
let site: TestInstance
let peer: HostilePeer
let bob: HostileActor
let origin: string
let shouted: string
let video: { id: number; uuid: string }
let hidden: { id: number; uuid: string }

const seed = async (channelId: number, privacy = 1) => {
  const seeded = await seedVideo({ channelId, privacy })
  await runQuery(sql`UPDATE videos SET url = ${`${origin}/videos/watch/${seeded.uuid}`} WHERE id = ${seeded.id}`)
  return seeded
}
beforeAll(async () => {
  ;[site, peer] = await Promise.all([
    startTestInstance({ webserver: { hostname: 'localhost' }, internals: { inbox: { checkInterval: 100, viewsInterval: 50 } } }),
    startHostilePeer()
  ])
  origin = site.url.replace('127.0.0.1', 'localhost')
  shouted = site.url.replace('127.0.0.1', 'LOCALHOST')
  const { channelId } = await site.user('ada')
  video = await seed(channelId)
  hidden = await seed(channelId, 2)
  bob = await peer.actor('bob')
})
afterAll(async () => await Promise.all([site, peer].map(async one => await one?.stop())))

const deliver = async (activity: { actor: string; id: string; [key: string]: unknown }) => {
  const { status, text } = await peer.post(`${origin}/inbox`, activity)
  expect(status, text).toBeLessThan(300)
  return await eventually(
    async () =>
      (
        await runQuery<{ outcome: string }>(sql`
          SELECT outcome FROM incoming WHERE done_at IS NOT NULL AND (activity_id = ${activity.id} OR activity_id LIKE ${`${activity.id} %`})`)
      )[0]?.outcome,
    10,
    `the outcome of ${activity.id}`
  )
}
const countRows = async (query: ReturnType<typeof sql>) => (await runQuery<{ count: number }>(query))[0]!.count
const countLikes = async (id: number) => await countRows(sql`SELECT count(*)::int AS count FROM reactions WHERE video_id = ${id}`)
const countFollows = async () => await countRows(sql`SELECT count(*)::int AS count FROM follows`)
const videoAddresses = () => [
  `${origin}/videos/watch/${video.uuid}`,
  `${shouted}/videos/watch/${video.uuid.toUpperCase()}`,
  `${origin}/videos/watch/${shortUuid(video.uuid)}`,
  `${origin}/w/${shortUuid(video.uuid)}?start=3s#player`,
  `${origin}/w/${video.uuid}/`,
  `${origin}/w/${video.id}`,
  `${origin}/videos/${video.uuid}/watch`,
  `${origin}/videos/embed/${shortUuid(video.uuid)}`
]
const actorAddresses = () => [
  `${origin}/accounts/ada`,
  `${shouted}/a/Ada`,
  `${origin}/a/ada@localhost:${new URL(origin).port}/videos`,
  `${origin}/@ada`,
  `${origin}/video-channels/ada_channel`,
  `${origin}/c/ada_channel`,
  `${origin}/@ada_channel/about`
]

test('a video is liked, answered, announced, reported and no longer liked by every address', async () => {
  for (const object of videoAddresses()) {
    const like = { type: 'Like', id: peer.id(), actor: bob.url, object }
    expect(await deliver(like), object).toBe('done')
    expect(await countLikes(video.id), object).toBe(1)
    expect(await deliver({ type: 'Undo', id: peer.id(), actor: bob.url, object: { ...like, id: peer.id() } })).toBe('done')
    expect(await countLikes(video.id), object).toBe(0)

    const note = { type: 'Note', id: peer.id('notes'), content: 'Hello', inReplyTo: object, attributedTo: bob.url, to: [PUBLIC], cc: [] }
    await deliver({ type: 'Create', id: peer.id(), actor: bob.url, object: { ...note, published: '2026-11-01T00:00:00Z' } })
    const [comment] = await runQuery<{ video_id: number }>(sql`SELECT video_id FROM comments WHERE url = ${note.id}`)
    expect(comment?.video_id, object).toBe(video.id)

    const announce = { type: 'Announce', id: peer.id(), actor: bob.url, object }
    expect(await deliver(announce), object).toBe('done')
    expect(await runQuery(sql`SELECT video_id FROM video_shares WHERE url = ${announce.id}`), object).toEqual([{ video_id: video.id }])

    const flag = { type: 'Flag', id: peer.id(), actor: bob.url, object: [object], content: 'Bad' }
    expect(await deliver(flag), object).toBe('done')
  }
})

test('a view counts by every address, and a reply that was fetched names its video by one', async () => {
  const countViews = async () => (await runQuery<{ views: string }>(sql`SELECT views FROM videos WHERE id = ${video.id}`))[0]!.views
  for (const object of videoAddresses()) {
    const [viewer, before] = [peer.id('views'), Number(await countViews())]
    await deliver({ type: 'View', id: viewer, actor: bob.url, object })
    await eventually(async () => Number(await countViews()) === before + 1, 10, `the view of ${object}`)
  }
  const parent = {
    type: 'Note',
    id: peer.id('notes'),
    content: 'First',
    inReplyTo: `${origin}/w/${shortUuid(video.uuid)}`,
    attributedTo: bob.url,
    to: [PUBLIC],
    cc: [],
    published: '2026-11-01T00:00:00Z'
  }
  peer.serve(new URL(parent.id).pathname, parent)
  const reply = { ...parent, id: peer.id('notes'), inReplyTo: parent.id }
  await deliver({ type: 'Create', id: peer.id(), actor: bob.url, object: reply })
  const rows = await runQuery(sql`SELECT video_id FROM comments WHERE url IN (${parent.id}, ${reply.id})`)
  expect(rows).toEqual([{ video_id: video.id }, { video_id: video.id }])
})

test('an account and a channel are followed by every address', async () => {
  for (const object of actorAddresses()) {
    const follow = { type: 'Follow', id: peer.id(), actor: bob.url, object }
    expect(await deliver(follow), object).toBe('done')
    expect(await countFollows(), object).toBe(1)
    expect(await deliver({ type: 'Undo', id: peer.id(), actor: bob.url, object: { ...follow, id: peer.id() } })).toBe('done')
    expect(await countFollows(), object).toBe(0)
  }
})

test('a reply below a comment, and a report of it, by another form of its address', async () => {
  const url = `${origin}/videos/watch/${video.uuid}/comments/1`
  await runQuery(sql`INSERT INTO comments (url, video_id, account_id, text, remote, held, created_at, updated_at)
    SELECT ${url}, ${video.id}, id, 'First', false, false, now(), now() FROM accounts WHERE user_id IS NOT NULL LIMIT 1`)
  const inReplyTo = `${shouted}/videos/watch/${video.uuid.toUpperCase()}/comments/1/?x=1`
  const note = { type: 'Note', id: peer.id('notes'), content: 'Hello', inReplyTo, attributedTo: bob.url, to: [PUBLIC], cc: [] }
  await deliver({ type: 'Create', id: peer.id(), actor: bob.url, object: { ...note, published: '2026-11-01T00:00:00Z' } })
  const [reply] = await runQuery(
    sql`SELECT parent.url FROM comments c JOIN comments parent ON parent.id = c.parent_id WHERE c.url = ${note.id}`
  )
  expect(reply).toEqual({ url })
  expect(await deliver({ type: 'Flag', id: peer.id(), actor: bob.url, object: inReplyTo })).toBe('done')
})

test('what is unlisted is not found by its number, and nonsense is nothing', async () => {
  for (const object of [
    `${origin}/w/${hidden.id}`,
    `${origin}/w/99999999`,
    `${origin}/w/%00`,
    `${origin}/w/%E0%A4%A`,
    `${origin}/@`,
    `${origin}/c/@@`,
    `${origin}/a/${'x'.repeat(1500)}`
  ]) {
    expect(await deliver({ type: 'Like', id: peer.id(), actor: bob.url, object }), object).toBe('it concerns nothing here')
    expect(await deliver({ type: 'Follow', id: peer.id(), actor: bob.url, object }), object).toBe('it concerns nothing here')
  }
  expect(await countLikes(hidden.id)).toBe(0)
  expect(await deliver({ type: 'Like', id: peer.id(), actor: bob.url, object: `${origin}/w/${shortUuid(hidden.uuid)}` })).toBe('done')
})

test('our address of a remote video means that video, a number leads its reader to the document', async () => {
  const elsewhere = `${peer.url}/videos/watch/7`
  const far = await seed((await site.user('eve')).channelId)
  await runQuery(sql`UPDATE videos SET url = ${elsewhere}, remote = true WHERE id = ${far.id}`)
  expect(await canonicalUrl(`${origin}/w/${shortUuid(far.uuid)}`)).toBe(elsewhere)
  expect(await canonicalUrl(`${peer.url}/w/${shortUuid(far.uuid)}`)).toBe(`${peer.url}/w/${shortUuid(far.uuid)}`)
  const { status, headers } = await peer.get(`${origin}/w/${video.id}`)
  expect([status, headers.location]).toEqual([302, `${origin}/videos/watch/${video.uuid}`])
  expect((await peer.get(`${origin}/w/${hidden.id}`)).status).toBe(404)
})

test('an activity with many addresses of ours is bounded', async () => {
  const object = Array.from({ length: 5000 }, (_, index) => `${origin}/w/${index + 1000}`)
  expect(await deliver({ type: 'Flag', id: peer.id(), actor: bob.url, object })).toBe('it concerns nothing here')
})
