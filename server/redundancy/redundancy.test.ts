import { afterAll, beforeAll, expect, test } from 'vitest'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { withContext } from '../fediverse/jsonld-context.ts'
import { createLdSignature } from '../fediverse/ld-signature.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { waitForTranscoding, uploadVideo } from '../test/upload.ts'
import { sweepRedundancies } from './sweep-redundancies.job.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
let site: TestInstance
let mirror: HostilePeer
let other: HostilePeer
let holder: HostileActor
let otherInstance: HostileActor
let otherChannel: HostileActor
let video: { id: number; uuid: string }
let privateVideo: { id: number; uuid: string }

beforeAll(async () => {
  ;[site, mirror, other] = await Promise.all([
    startTestInstance({ internals: { outbox: { checkInterval: 200 } } }),
    startHostilePeer(),
    startHostilePeer()
  ])
  const root = await site.login()
  const ada = await site.user('ada')
  video = await uploadVideo(site, ada)
  privateVideo = await uploadVideo(site, ada, { privacy: 3 })
  for (const { uuid } of [video, privateVideo]) await waitForTranscoding(site, ada, uuid)
  holder = await mirror.actor('peertube', 'Application')
  otherInstance = await other.actor('peertube', 'Application')
  const owner = await other.actor('owner')
  otherChannel = await other.actor('films', 'Group', { attributedTo: [{ type: 'Person', id: owner.url }] })
  await other.post(`${site.url}/inbox`, {
    type: 'Follow',
    id: other.id(),
    actor: otherInstance.url,
    object: `${site.url}/accounts/peertube`
  })
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM follows WHERE state = 'accepted'`)).length === 1, 20, 'the follow')
  await site.call('POST /server/following', { token: root, body: { hosts: [mirror.host, other.host] } })
  for (const [peer, actor] of [
    [mirror, holder],
    [other, otherInstance]
  ] as const) {
    const follow = await eventually(
      async () => peer.received.find(({ activity }) => activity.type === 'Follow')?.activity,
      20,
      'our follow'
    )
    await peer.post(`${site.url}/accounts/peertube/inbox`, { type: 'Accept', id: peer.id(), actor: actor.url, object: follow })
  }
  await eventually(
    async () => (await runQuery(sql`SELECT 1 FROM follows WHERE state = 'accepted'`)).length === 3,
    20,
    'the accepted follows'
  )
}, 120_000)
afterAll(async () => {
  await Promise.all([site.stop(), mirror.stop(), other.stop()])
})

const watchUrl = (uuid: string) => `${site.url}/videos/watch/${uuid}`
const cacheFileOf = (url: string, overrides: object = {}, peer = mirror) => {
  const uuid = url.split('/').at(-1)!
  return {
    id: `${peer.url}/redundancy/streaming-playlists/hls/${uuid}`,
    type: 'CacheFile',
    object: url,
    expires: null,
    url: { type: 'Link', mediaType: 'application/x-mpegURL', href: `${peer.url}/static/redundancy/hls/${uuid}` },
    ...overrides
  }
}
/** Posts an activity and waits until it is processed. */
const sendActivity = async (type: string, object: unknown, sender = holder, peer = mirror) => {
  const activity = { '@context': 'https://www.w3.org/ns/activitystreams', type, id: peer.id(), actor: sender.url, to: [PUBLIC], object }
  await peer.post(`${site.url}/inbox`, activity)
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 20, 'an empty inbox')
  return activity
}
const redundancyBaseUrls = async (uuid: string) =>
  (await site.call(`GET /videos/${uuid}`)).json.streamingPlaylists[0].redundancies.map(({ baseUrl }: { baseUrl: string }) => baseUrl)

test('a copy is listed and forwarded to followers until it expires or its holder undoes it', async () => {
  const copy = cacheFileOf(watchUrl(video.uuid))
  const { id } = await sendActivity('Create', copy)
  expect(await redundancyBaseUrls(video.uuid)).toEqual([copy.url.href])
  await eventually(async () => other.received.some(({ activity }) => activity.id === id), 10, 'the forwarded activity')
  expect(mirror.received.some(({ activity }) => activity.id === id)).toBe(false)
  await sendActivity('Update', { ...copy, expires: new Date(Date.now() + 3_600_000).toISOString() })
  expect(await redundancyBaseUrls(video.uuid)).toHaveLength(1)
  await runQuery(sql`UPDATE redundancies SET expires_at = now() - interval '1 second'`)
  expect(await redundancyBaseUrls(video.uuid)).toEqual([])
  await sweepRedundancies.run({}, { progress: () => undefined, signal: new AbortController().signal })
  expect(await runQuery(sql`SELECT 1 FROM redundancies`)).toEqual([])
  await sendActivity('Create', copy)
  await sendActivity('Undo', { type: 'Create', id: other.id(), actor: otherInstance.url, object: copy }, otherInstance, other)
  expect(await redundancyBaseUrls(video.uuid)).toHaveLength(1)
  await sendActivity('Undo', { type: 'Create', id: mirror.id(), actor: holder.url, object: copy })
  expect(await redundancyBaseUrls(video.uuid)).toEqual([])
})

test('an Update under an id that was used before has the copy read from its holder, which may have removed it', async () => {
  const copy = cacheFileOf(watchUrl(video.uuid))
  await sendActivity('Create', copy)
  const id = `${copy.id}/updates/1`
  const update = async (object: object) => {
    await mirror.post(`${site.url}/inbox`, { type: 'Update', id, actor: holder.url, to: [PUBLIC], object })
  }
  const expiry = async () =>
    (await runQuery<{ expires: Date | null }>(sql`SELECT expires_at AS expires FROM redundancies WHERE url = ${copy.id}`))[0]?.expires
  const inHours = (hours: number) => new Date(Math.round(Date.now() / 1000) * 1000 + hours * 3_600_000)
  await update({ ...copy, expires: inHours(1).toISOString() })
  await eventually(async () => await expiry(), 20, 'the first Update')
  const now = inHours(3)
  mirror.serve(new URL(copy.id).pathname, { ...copy, expires: now.toISOString() })
  // Neither of the two contents counts.
  await update({ ...copy, expires: inHours(2).toISOString() })
  await eventually(async () => (await expiry())?.getTime() === now.getTime(), 20, 'what the holder serves')
  mirror.refuse(new URL(copy.id).pathname, 404)
  await mirror.post(`${site.url}/inbox`, { type: 'Delete', id: `${copy.id}/delete`, actor: holder.url, to: [PUBLIC], object: copy.id })
  await mirror.post(`${site.url}/inbox`, {
    type: 'Delete',
    id: `${copy.id}/delete`,
    actor: holder.url,
    to: [PUBLIC],
    object: { id: copy.id, type: 'CacheFile' }
  })
  await eventually(async () => (await redundancyBaseUrls(video.uuid)).length === 0, 20, 'the deletion')
})

test('copies with files on another host, of private videos, expired, invalid or of hosts that are not accepted are refused', async () => {
  const copy = cacheFileOf(watchUrl(video.uuid))
  for (const object of [
    cacheFileOf(watchUrl(privateVideo.uuid)),
    cacheFileOf(`${site.url}/videos/watch/nothing`),
    { ...copy, expires: '2020-01-01T00:00:00Z' },
    { ...copy, expires: 'soon' },
    { ...copy, url: { ...copy.url, href: `${other.url}/static` } },
    { ...copy, url: { ...copy.url, href: 'javascript:alert(1)' } },
    { ...copy, url: { ...copy.url, mediaType: 'video/mp4' } },
    { ...copy, url: null },
    { ...copy, object: null },
    cacheFileOf(watchUrl(video.uuid), {}, other)
  ])
    await sendActivity('Create', object)
  expect(await runQuery(sql`SELECT 1 FROM redundancies`)).toEqual([])
  const redundancyConfig = config.remote_redundancy.videos
  try {
    redundancyConfig.accept_from = 'nobody'
    await sendActivity('Create', copy)
    expect(await redundancyBaseUrls(video.uuid)).toEqual([])
    redundancyConfig.accept_from = 'followings'
    const stranger = await startHostilePeer()
    const strangerInstance = await stranger.actor('peertube', 'Application')
    await sendActivity('Create', cacheFileOf(watchUrl(video.uuid), {}, stranger), strangerInstance, stranger)
    expect(await redundancyBaseUrls(video.uuid)).toEqual([])
    redundancyConfig.accept_from = 'anybody'
    await sendActivity('Create', cacheFileOf(watchUrl(video.uuid), {}, stranger), strangerInstance, stranger)
    expect(await redundancyBaseUrls(video.uuid)).toEqual([`${stranger.url}/static/redundancy/hls/${video.uuid}`])
    await stranger.stop()
  } finally {
    redundancyConfig.accept_from = 'followings'
    await runQuery(sql`DELETE FROM redundancies`)
  }
})

test('a copy of a remote video is accepted only if the origin of the video forwards it', async () => {
  const uuid = '0f0f0f0f-1111-4222-8333-444444444444'
  const url = `${other.url}/videos/watch/${uuid}`
  const document = {
    type: 'Video',
    id: url,
    uuid,
    name: 'A far film',
    duration: 'PT42S',
    views: 5,
    commentsPolicy: 1,
    icon: [{ type: 'Image', url: `${other.url}/pictures/${uuid}.jpg`, mediaType: 'image/jpeg', width: 280, height: 157 }],
    published: '2026-11-01T00:00:00.000Z',
    updated: '2026-11-01T00:00:00.000Z',
    to: [PUBLIC],
    cc: [],
    attributedTo: [
      { type: 'Person', id: `${other.url}/accounts/owner` },
      { type: 'Group', id: otherChannel.url }
    ],
    url: [
      { type: 'Link', mediaType: 'text/html', href: url },
      {
        type: 'Link',
        mediaType: 'application/x-mpegURL',
        href: `${other.url}/hls/${uuid}/master.m3u8`,
        tag: [
          { type: 'Link', mediaType: 'video/mp4', href: `${other.url}/hls/${uuid}/720.mp4`, height: 720, width: 1280, size: 1000, fps: 25 }
        ]
      }
    ]
  }
  other.serve(new URL(url).pathname, { '@context': 'https://www.w3.org/ns/activitystreams', ...document })
  await sendActivity('Create', document, otherChannel, other)
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM videos WHERE url = ${url}`)).length === 1, 10, 'the video')
  const copy = cacheFileOf(url)
  await sendActivity('Create', copy)
  expect(await runQuery(sql`SELECT 1 FROM redundancies`)).toEqual([])
  const activity = withContext('cacheFile', { type: 'Create', id: mirror.id(), actor: holder.url, to: [PUBLIC], object: copy })
  const signed = await createLdSignature(activity, { actor: holder.url, keyId: holder.keyId, privateKey: holder.privateKey })
  await other.post(`${site.url}/inbox`, signed as never, { as: otherInstance })
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 20, 'an empty inbox')
  await eventually(
    async () =>
      (await redundancyBaseUrls((await runQuery<{ uuid: string }>(sql`SELECT uuid FROM videos WHERE url = ${url}`))[0]!.uuid)).length === 1,
    10,
    'the copy'
  )
})

test('the CacheFile of a copy held by this instance is served', async () => {
  const path = `${site.url}/redundancy/streaming-playlists/hls/${video.uuid}`
  const get = async (url: string) => await mirror.get(url, { headers: { accept: 'application/activity+json' } })
  expect((await get(path)).status).toBe(404)
  await runQuery(
    sql`INSERT INTO redundancies (url, video_id, actor_id, base_url)
      SELECT ${path}, ${video.id}, id, ${`${site.url}/static/redundancy/hls/${video.uuid}`} FROM actors
      WHERE url = ${`${site.url}/accounts/peertube`}`
  )
  expect((await get(path)).json).toMatchObject({
    to: [PUBLIC],
    id: path,
    type: 'CacheFile',
    object: watchUrl(video.uuid),
    expires: null,
    url: { mediaType: 'application/x-mpegURL', href: `${site.url}/static/redundancy/hls/${video.uuid}` }
  })
  expect((await get(path.replace('/hls/', '/1/'))).json.id).toBe(path)
})
