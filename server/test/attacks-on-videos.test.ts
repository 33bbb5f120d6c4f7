import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { AS_PUBLIC } from '../fediverse/vocabulary.ts'
import { startHostilePeer, type HostilePeer, type HostileActor, type HostileRequestOptions } from './hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from './instance.ts'
import { waitForTranscoding, uploadVideo } from './upload.ts'

type Origin = { peer: HostilePeer; person: HostileActor; channel: HostileActor; neighbour: HostileActor }
let site: TestInstance
let good: Origin
let evil: Origin
beforeAll(async () => {
  site = await startTestInstance({ federation: { inbox: { check_interval: '100 ms', retry_delay: '20 ms', attempts: 2 } } })
  ;[good, evil] = [await origin('alice'), await origin('mallory')]
})
afterAll(async () => await Promise.all([site, good?.peer, evil?.peer].map(async one => await one?.stop())))

/** A server with a person, her channel and a neighbour; it follows us, so that it is heard. */
async function origin(name: string): Promise<Origin> {
  const peer = await startHostilePeer()
  const person = await peer.actor(name)
  const channel = await peer.actor(`${name}_channel`, 'Group', { attributedTo: [{ type: 'Person', id: person.url }] })
  const neighbour = await peer.actor(`${name}_neighbour`)
  await peer.post(`${site.url}/inbox`, {
    id: peer.id('follows'),
    type: 'Follow',
    actor: person.url,
    object: `${site.url}/accounts/peertube`
  })
  await eventually(
    async () =>
      (await runQuery(sql`SELECT 1 FROM follows JOIN actors ON actors.id = follows.actor_id WHERE actors.host = ${peer.host}`)).length > 0,
    10,
    'the follow'
  )
  return { peer, person, channel, neighbour }
}

function video({ peer, person, channel }: Origin, more: object = {}) {
  const uuid = randomUUID()
  const id = `${peer.url}/videos/watch/${uuid}`
  const now = new Date().toISOString()
  return {
    type: 'Video',
    id,
    uuid,
    name: 'A film',
    duration: 'PT42S',
    views: 7,
    published: now,
    updated: now,
    to: [AS_PUBLIC],
    cc: [],
    icon: [{ type: 'Image', url: `${peer.url}/t.jpg`, mediaType: 'image/jpeg', width: 280, height: 157 }],
    url: [{ type: 'Link', mediaType: 'video/mp4', href: `${peer.url}/v.mp4`, height: 720, width: 1280, size: 1000, fps: 30 }],
    attributedTo: [
      { type: 'Person', id: person.url },
      { type: 'Group', id: channel.url }
    ],
    ...more
  }
}
const say = async ({ peer }: Origin, type: string, actor: HostileActor, object: object | string, way: HostileRequestOptions = {}) => {
  const id = peer.id()
  expect(
    (await peer.post(`${site.url}/inbox`, { id, type, actor: actor.url, object, to: [AS_PUBLIC], cc: [] }, { as: actor, ...way })).status
  ).toBe(202)
  return await eventually(
    async () =>
      (
        await runQuery<{ outcome: string }>(sql`
    SELECT outcome FROM incoming WHERE done_at IS NOT NULL AND (activity_id LIKE ${`${id}%`} OR activity_id LIKE ${`% ${id}`}) ORDER BY id DESC LIMIT 1`)
      )[0]?.outcome,
    20,
    `the outcome of ${type}`
  )
}
const stored = async (url: string) =>
  (
    await runQuery<{ name: string; uuid: string; views: number; channel: string }>(sql`
  SELECT videos.name, videos.uuid, videos.views::int, actors.url AS channel FROM videos JOIN channels ON channels.id = channel_id JOIN actors ON actors.id = channels.actor_id WHERE videos.url = ${url}`)
  )[0]
/** Serves a video and has it taken. */
async function published(of: Origin, more: object = {}) {
  const made = video(of, more)
  of.peer.serve(new URL(made.id).pathname, made)
  expect(await say(of, 'Create', of.person, made)).toBe('done')
  expect(await stored(made.id)).toMatchObject({ name: made.name })
  return made
}
const later = () => new Date(Date.now() + 60_000).toISOString()

it('an Update of a video counts only from its account or channel', async () => {
  const film = await published(good)
  const taken = { ...film, name: 'Taken over', updated: later() }
  expect(await say(evil, 'Update', evil.person, taken)).toMatch(/^dropped/)
  expect(await say(evil, 'Update', evil.channel, { ...taken, attributedTo: video(evil).attributedTo })).toMatch(/^dropped/)
  expect(await say(good, 'Update', good.neighbour, taken)).not.toBe('done')
  expect(
    await say(good, 'Update', good.neighbour, {
      ...taken,
      attributedTo: [
        { type: 'Person', id: good.neighbour.url },
        { type: 'Group', id: good.channel.url }
      ]
    })
  ).not.toBe('done')
  expect(await stored(film.id)).toMatchObject({ name: 'A film', channel: good.channel.url })
  expect(await say(good, 'Update', good.person, { ...taken, name: 'As its author says' })).toBe('done')
  expect(await stored(film.id)).toMatchObject({ name: 'As its author says' })
})

it('an Update of a video of ours has no effect', async () => {
  const alice = await site.user('alice')
  const { uuid } = await uploadVideo(site, alice, { name: 'Ours' })
  const id = `${site.url}/videos/watch/${uuid}`
  for (const attributedTo of [
    video(evil).attributedTo,
    [
      { type: 'Person', id: `${site.url}/accounts/alice` },
      { type: 'Group', id: `${site.url}/video-channels/alice_channel` }
    ]
  ]) {
    for (const type of ['Create', 'Update'])
      expect(await say(evil, type, evil.person, video(evil, { id, uuid, attributedTo, name: 'Theirs' }))).toMatch(/^dropped/)
  }
  expect(await say(evil, 'Delete', evil.person, { type: 'Video', id })).toMatch(/^dropped/)
  expect(await say(evil, 'Delete', evil.person, id)).toMatch(/^dropped/)
  expect((await site.call(`GET /videos/${uuid}`, { token: alice.token })).json.name).toBe('Ours')
})

it('a video in a channel elsewhere, or in one whose owner denies it, is not taken', async () => {
  const elsewhere = video(evil, {
    attributedTo: [
      { type: 'Person', id: evil.person.url },
      { type: 'Group', id: good.channel.url }
    ]
  })
  const foreign = video(evil, {
    attributedTo: [
      { type: 'Person', id: good.person.url },
      { type: 'Group', id: good.channel.url }
    ]
  })
  const denied = video(evil, {
    attributedTo: [
      { type: 'Person', id: evil.neighbour.url },
      { type: 'Group', id: evil.channel.url }
    ]
  })
  for (const film of [elsewhere, foreign, denied]) {
    evil.peer.serve(new URL(film.id).pathname, film)
    await say(evil, 'Create', evil.person, film)
    await say(evil, 'Create', evil.neighbour, film)
    await say(evil, 'Announce', evil.channel, film.id)
    expect(await stored(film.id)).toBeUndefined()
  }
})

it('a video is deleted by its account or channel, and by nobody else', async () => {
  const film = await published(good)
  for (const object of [film.id, { type: 'Video', id: film.id }, { type: 'Tombstone', id: film.id }]) {
    await say(good, 'Delete', good.neighbour, object)
    await say(evil, 'Delete', evil.person, object)
    expect(await stored(film.id)).toBeDefined()
  }
  // It can still be changed by those it belongs to.
  expect(await say(good, 'Update', good.person, { ...film, name: 'Still there', updated: later() })).toBe('done')
  expect(await stored(film.id)).toMatchObject({ name: 'Still there' })
  await say(good, 'Delete', good.person, film.id)
  await eventually(async () => (await stored(film.id)) === undefined)
})

it('what was deleted does not come back by an old message; an Update that comes first is asked about', async () => {
  const film = await published(good)
  good.peer.serve(new URL(film.id).pathname, (_request, response) => response.writeHead(404).end())
  expect(await say(good, 'Delete', good.person, film.id)).toBe('done')
  for (const type of ['Create', 'Update', 'Announce']) {
    await say(good, type, type === 'Announce' ? good.channel : good.person, type === 'Announce' ? film.id : { ...film, updated: later() })
    expect(await stored(film.id), type).toBeUndefined()
  }
  const unknown = video(good, { name: 'Its second name' })
  good.peer.serve(new URL(unknown.id).pathname, unknown)
  expect(await say(good, 'Update', good.person, unknown)).toBe('done')
  expect(await stored(unknown.id)).toMatchObject({ name: 'Its second name' })
})

it('a video takes the place of no other by its UUID', async () => {
  const alice = await site.user('bob')
  const { uuid } = await uploadVideo(site, alice, { name: 'Ours' })
  const film = await published(good)
  for (const taken of [uuid, film.uuid]) {
    const thief = await published(evil, { uuid: taken, name: 'A thief' })
    expect((await stored(thief.id))!.uuid).not.toBe(taken)
  }
  expect((await site.call(`GET /videos/${uuid}`, { token: alice.token })).json.name).toBe('Ours')
  expect(await stored(film.id)).toMatchObject({ uuid: film.uuid, name: 'A film' })
})

it('views come from the origin, and not in absurd jumps', async () => {
  const film = await published(good, { views: 7 })
  expect((await stored(film.id))!.views).toBe(7)
  await say(good, 'Update', good.person, { ...film, views: 1e9, updated: later() })
  expect((await stored(film.id))!.views).toBeLessThan(1e8)
  await say(evil, 'Update', evil.person, { ...film, views: 5000, updated: later() })
  expect((await stored(film.id))!.views).not.toBe(5000)
})

it('a like counts once, and is taken back only by whoever gave it', async () => {
  const carol = await site.user('carol')
  const { uuid } = await uploadVideo(site, carol, { name: 'Liked', privacy: 1 })
  await waitForTranscoding(site, carol, uuid)
  const object = `${site.url}/videos/watch/${uuid}`
  const likes = async () => (await site.call(`GET /videos/${uuid}`, { token: carol.token })).json.likes as number
  const like = { id: `${good.person.url}/likes/1`, type: 'Like', actor: good.person.url, object }
  for (const seconds of [0, 5, 10]) await good.peer.post(`${site.url}/inbox`, like, { date: new Date(Date.now() - seconds * 1000) })
  await good.peer.post(`${site.url}/inbox`, { ...like, id: `${good.person.url}/likes/2` })
  await eventually(async () => (await likes()) === 1, 10, 'the like')
  for (const [from, actor] of [
    [good, good.neighbour],
    [evil, evil.person]
  ] as const) {
    for (const inner of [like, { ...like, actor: actor.url }, { ...like, actor: actor.url, id: from.peer.id() }, like.id])
      await say(from, 'Undo', actor, inner)
    await say(from, 'Delete', actor, like.id)
  }
  expect(await likes()).toBe(1)
  expect(await say(good, 'Undo', good.person, like)).toBe('done')
  await eventually(async () => (await likes()) === 0, 10, 'the like to go')
})
