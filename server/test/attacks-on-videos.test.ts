import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { AS_PUBLIC } from '../fediverse/vocabulary.ts'
import { startHostilePeer, type HostilePeer, type HostileActor, type HostileRequestOptions } from './hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from './instance.ts'
import { waitForTranscoding, uploadVideo } from './upload.ts'

type OriginServer = { peer: HostilePeer; person: HostileActor; channel: HostileActor; neighbour: HostileActor }
let site: TestInstance
let good: OriginServer
let evil: OriginServer
beforeAll(async () => {
  site = await startTestInstance({ internals: { inbox: { checkInterval: 100, retryDelay: 20, attempts: 2 } } })
  ;[good, evil] = [await startOriginServer('alice'), await startOriginServer('mallory')]
})
afterAll(async () => await Promise.all([site, good?.peer, evil?.peer].map(async one => await one?.stop())))

/** Starts a server with a person, its channel and a neighbour; the person follows the instance, so that activities are accepted. */
async function startOriginServer(name: string): Promise<OriginServer> {
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

function videoDocument({ peer, person, channel }: OriginServer, more: object = {}) {
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
const sendAndGetOutcome = async (
  { peer }: OriginServer,
  type: string,
  actor: HostileActor,
  object: object | string,
  way: HostileRequestOptions = {}
) => {
  const id = peer.id()
  expect(
    (await peer.post(`${site.url}/inbox`, { id, type, actor: actor.url, object, to: [AS_PUBLIC], cc: [] }, { as: actor, ...way })).status
  ).toBe(202)
  return await eventually(
    async () =>
      (
        await runQuery<{ outcome: string }>(sql`
    SELECT outcome FROM incoming WHERE done_at IS NOT NULL AND (activity_id LIKE ${`${id}%`} OR activity_id LIKE ${`% ${id}`})
    ORDER BY id DESC LIMIT 1`)
      )[0]?.outcome,
    20,
    `the outcome of ${type}`
  )
}
const findStoredVideo = async (url: string) =>
  (
    await runQuery<{ name: string; uuid: string; views: number; channel: string }>(sql`
  SELECT videos.name, videos.uuid, videos.views::int, actors.url AS channel FROM videos JOIN channels ON channels.id = channel_id
    JOIN actors ON actors.id = channels.actor_id WHERE videos.url = ${url}`)
  )[0]
/** Serves a video and sends its Create, which must be accepted. */
async function publishVideo(origin: OriginServer, more: object = {}) {
  const document = videoDocument(origin, more)
  origin.peer.serve(new URL(document.id).pathname, document)
  expect(await sendAndGetOutcome(origin, 'Create', origin.person, document)).toBe('done')
  expect(await findStoredVideo(document.id)).toMatchObject({ name: document.name })
  return document
}
const inOneMinute = () => new Date(Date.now() + 60_000).toISOString()

it('an Update of a video counts only from its account or channel', async () => {
  const video = await publishVideo(good)
  const forged = { ...video, name: 'Taken over', updated: inOneMinute() }
  expect(await sendAndGetOutcome(evil, 'Update', evil.person, forged)).toMatch(/^dropped/)
  expect(await sendAndGetOutcome(evil, 'Update', evil.channel, { ...forged, attributedTo: videoDocument(evil).attributedTo })).toMatch(
    /^dropped/
  )
  expect(await sendAndGetOutcome(good, 'Update', good.neighbour, forged)).not.toBe('done')
  expect(
    await sendAndGetOutcome(good, 'Update', good.neighbour, {
      ...forged,
      attributedTo: [
        { type: 'Person', id: good.neighbour.url },
        { type: 'Group', id: good.channel.url }
      ]
    })
  ).not.toBe('done')
  expect(await findStoredVideo(video.id)).toMatchObject({ name: 'A film', channel: good.channel.url })
  expect(await sendAndGetOutcome(good, 'Update', good.person, { ...forged, name: 'As its author says' })).toBe('done')
  expect(await findStoredVideo(video.id)).toMatchObject({ name: 'As its author says' })
})

it('an activity about a local video from another server has no effect', async () => {
  const alice = await site.user('alice')
  const { uuid } = await uploadVideo(site, alice, { name: 'Ours' })
  const id = `${site.url}/videos/watch/${uuid}`
  for (const attributedTo of [
    videoDocument(evil).attributedTo,
    [
      { type: 'Person', id: `${site.url}/accounts/alice` },
      { type: 'Group', id: `${site.url}/video-channels/alice_channel` }
    ]
  ]) {
    for (const type of ['Create', 'Update'])
      expect(await sendAndGetOutcome(evil, type, evil.person, videoDocument(evil, { id, uuid, attributedTo, name: 'Theirs' }))).toMatch(
        /^dropped/
      )
  }
  expect(await sendAndGetOutcome(evil, 'Delete', evil.person, { type: 'Video', id })).toMatch(/^dropped/)
  expect(await sendAndGetOutcome(evil, 'Delete', evil.person, id)).toMatch(/^dropped/)
  expect((await site.call(`GET /videos/${uuid}`, { token: alice.token })).json.name).toBe('Ours')
})

it('a video in a channel of another server, or attributed to an account that does not own the channel, is refused', async () => {
  const elsewhere = videoDocument(evil, {
    attributedTo: [
      { type: 'Person', id: evil.person.url },
      { type: 'Group', id: good.channel.url }
    ]
  })
  const foreign = videoDocument(evil, {
    attributedTo: [
      { type: 'Person', id: good.person.url },
      { type: 'Group', id: good.channel.url }
    ]
  })
  const denied = videoDocument(evil, {
    attributedTo: [
      { type: 'Person', id: evil.neighbour.url },
      { type: 'Group', id: evil.channel.url }
    ]
  })
  for (const video of [elsewhere, foreign, denied]) {
    evil.peer.serve(new URL(video.id).pathname, video)
    await sendAndGetOutcome(evil, 'Create', evil.person, video)
    await sendAndGetOutcome(evil, 'Create', evil.neighbour, video)
    await sendAndGetOutcome(evil, 'Announce', evil.channel, video.id)
    expect(await findStoredVideo(video.id)).toBeUndefined()
  }
})

it('a Delete of a video counts only from its account or channel', async () => {
  const video = await publishVideo(good)
  for (const object of [video.id, { type: 'Video', id: video.id }, { type: 'Tombstone', id: video.id }]) {
    await sendAndGetOutcome(good, 'Delete', good.neighbour, object)
    await sendAndGetOutcome(evil, 'Delete', evil.person, object)
    expect(await findStoredVideo(video.id)).toBeDefined()
  }
  // Its owner can still change it.
  expect(await sendAndGetOutcome(good, 'Update', good.person, { ...video, name: 'Still there', updated: inOneMinute() })).toBe('done')
  expect(await findStoredVideo(video.id)).toMatchObject({ name: 'Still there' })
  good.peer.refuse(new URL(video.id).pathname, 404)
  await sendAndGetOutcome(good, 'Delete', good.person, video.id)
  await eventually(async () => (await findStoredVideo(video.id)) === undefined)
})

it('a deleted video is not restored by an old activity; an Update of an unknown video fetches it', async () => {
  const video = await publishVideo(good)
  good.peer.serve(new URL(video.id).pathname, (_request, response) => response.writeHead(404).end())
  expect(await sendAndGetOutcome(good, 'Delete', good.person, video.id)).toBe('done')
  await eventually(async () => (await findStoredVideo(video.id)) === undefined)
  for (const type of ['Create', 'Update', 'Announce']) {
    await sendAndGetOutcome(
      good,
      type,
      type === 'Announce' ? good.channel : good.person,
      type === 'Announce' ? video.id : { ...video, updated: inOneMinute() }
    )
    expect(await findStoredVideo(video.id), type).toBeUndefined()
  }
  const unknown = videoDocument(good, { name: 'Its second name' })
  good.peer.serve(new URL(unknown.id).pathname, unknown)
  expect(await sendAndGetOutcome(good, 'Update', good.person, unknown)).toBe('done')
  expect(await findStoredVideo(unknown.id)).toMatchObject({ name: 'Its second name' })
})

it('a video with the UUID of another gets a different one', async () => {
  const alice = await site.user('bob')
  const { uuid } = await uploadVideo(site, alice, { name: 'Ours' })
  const video = await publishVideo(good)
  for (const usedUuid of [uuid, video.uuid]) {
    const thief = await publishVideo(evil, { uuid: usedUuid, name: 'A thief' })
    expect((await findStoredVideo(thief.id))!.uuid).not.toBe(usedUuid)
  }
  expect((await site.call(`GET /videos/${uuid}`, { token: alice.token })).json.name).toBe('Ours')
  expect(await findStoredVideo(video.id)).toMatchObject({ uuid: video.uuid, name: 'A film' })
})

it('view counts are accepted from the origin only, and implausible jumps are limited', async () => {
  const video = await publishVideo(good, { views: 7 })
  expect((await findStoredVideo(video.id))!.views).toBe(7)
  await sendAndGetOutcome(good, 'Update', good.person, { ...video, views: 1e9, updated: inOneMinute() })
  expect((await findStoredVideo(video.id))!.views).toBeLessThan(1e8)
  await sendAndGetOutcome(evil, 'Update', evil.person, { ...video, views: 5000, updated: inOneMinute() })
  expect((await findStoredVideo(video.id))!.views).not.toBe(5000)
})

it('a Like counts once and is undone only by its actor', async () => {
  const carol = await site.user('carol')
  const { uuid } = await uploadVideo(site, carol, { name: 'Liked', privacy: 1 })
  await waitForTranscoding(site, carol, uuid)
  const object = `${site.url}/videos/watch/${uuid}`
  const likes = async () => (await site.call(`GET /videos/${uuid}`, { token: carol.token })).json.likes as number
  const like = { id: `${good.person.url}/likes/1`, type: 'Like', actor: good.person.url, object }
  for (const seconds of [0, 5, 10]) await good.peer.post(`${site.url}/inbox`, like, { date: new Date(Date.now() - seconds * 1000) })
  const laterLike = { ...like, id: `${good.person.url}/likes/2` }
  await good.peer.post(`${site.url}/inbox`, laterLike)
  await eventually(async () => (await likes()) === 1, 10, 'the like')
  for (const [from, actor] of [
    [good, good.neighbour],
    [evil, evil.person]
  ] as const) {
    for (const { id } of [like, laterLike]) {
      for (const inner of [{ ...like, id }, { ...like, id, actor: actor.url }, { ...like, actor: actor.url, id: from.peer.id() }, id])
        await sendAndGetOutcome(from, 'Undo', actor, inner)
      await sendAndGetOutcome(from, 'Delete', actor, id)
    }
  }
  expect(await likes()).toBe(1)
  // The earlier one does not count any more.
  await sendAndGetOutcome(good, 'Undo', good.person, like)
  expect(await likes()).toBe(1)
  expect(await sendAndGetOutcome(good, 'Undo', good.person, laterLike)).toBe('done')
  await eventually(async () => (await likes()) === 0, 10, 'the like to go')
})
