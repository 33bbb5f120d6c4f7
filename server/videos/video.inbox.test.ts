import { randomUUID } from 'node:crypto'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { seedVideo } from '../test/seed-video.ts'
import { resolveActor } from '../actors/resolve-actor.ts'
import { config } from '../core/config.ts'
import { wipeRedis } from '../test/fault-injection.ts'
import { FETCH } from '../fediverse/fetch-internals.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
let site: TestInstance
let root: string
let good: HostilePeer
let evil: HostilePeer
let owner: HostileActor
let other: HostileActor
let channel: HostileActor
let instance: HostileActor
let stranger: HostileActor
let evilChannel: HostileActor

const inbox = () => `${site.url}/inbox`
/** Creates a video document and serves it at its peer, by default the good one; no activity is sent. */
function serveNewVideo(overrides: Record<string, unknown> = {}, peer = good, account = owner, ownerChannel = channel): any {
  const uuid = randomUUID()
  const id = `${peer.url}/videos/watch/${uuid}`
  const document = {
    type: 'Video',
    id,
    uuid,
    name: 'A far film',
    duration: 'PT42S',
    views: 5,
    published: '2026-11-01T00:00:00.000Z',
    updated: '2026-11-01T00:00:00.000Z',
    to: [PUBLIC],
    cc: [],
    url: [
      { type: 'Link', mediaType: 'text/html', href: id },
      {
        type: 'Link',
        mediaType: 'application/x-mpegURL',
        href: `${peer.url}/hls/${uuid}/master.m3u8`,
        tag: [
          { type: 'Link', mediaType: 'video/mp4', href: `${peer.url}/hls/${uuid}/720.mp4`, height: 720, width: 1280, size: 1000, fps: 25 }
        ]
      }
    ],
    icon: [{ type: 'Image', url: `${peer.url}/pictures/${uuid}.jpg`, mediaType: 'image/jpeg', width: 280, height: 157 }],
    attributedTo: [
      { type: 'Person', id: account.url },
      { type: 'Group', id: ownerChannel.url }
    ],
    commentsPolicy: 1,
    ...overrides
  }
  peer.serve(new URL(String(document.id)).pathname, { '@context': 'https://www.w3.org/ns/activitystreams', ...document })
  return document
}
const sendCreate = async (object: any, sender = owner, peer = good) =>
  await peer.post(inbox(), { type: 'Create', id: `${object.id}/activity`, actor: sender.url, to: [PUBLIC], object })
const sendUpdate = async (object: any, sender = owner, peer = good) =>
  await peer.post(inbox(), { type: 'Update', id: peer.id(), actor: sender.url, to: [PUBLIC], object })
const inboxProcessed = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 30, 'an empty inbox')
const findStoredVideo = async (url: string) =>
  (
    await runQuery<{ id: number; uuid: string; name: string; views: string; privacy: number; url: string }>(
      sql`SELECT id, uuid::text, name, views, privacy, url FROM videos WHERE url = ${url}`
    )
  )[0]
/** Sends a Create and waits until the video is stored. */
const deliver = async (object: any, sender = owner, peer = good) => {
  await sendCreate(object, sender, peer)
  return await eventually(async () => await findStoredVideo(object.id), 15, 'the video')
}

beforeAll(async () => {
  site = await startTestInstance({
    storyboards: { enabled: true },
    federation: { crawl: { interval: 1000 } },
    internals: { videos: { maxViewJump: 1000 } },
    jobs: { timers_interval: 300 }
  })
  root = await site.login()
  good = await startHostilePeer()
  evil = await startHostilePeer()
  owner = await good.actor('owner')
  other = await good.actor('other')
  channel = await good.actor('films', 'Group', { attributedTo: [{ type: 'Person', id: owner.url }] })
  instance = await good.actor('peertube', 'Application')
  stranger = await evil.actor('stranger')
  evilChannel = await evil.actor('evil', 'Group', { attributedTo: [{ type: 'Person', id: stranger.url }] })
  // Activities are accepted from hosts with follows only.
  for (const peer of [good, evil]) {
    const follower = peer === good ? instance : stranger
    await peer.post(inbox(), { type: 'Follow', id: peer.id(), actor: follower.url, object: `${site.url}/accounts/peertube` })
  }
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM follows WHERE state = 'accepted'`)).length === 2, 20, 'the follows')
}, 60_000)
afterAll(async () => {
  await good?.stop()
  await evil?.stop()
  await site?.stop()
})

describe('a video of another server', () => {
  it('is created, served, updated by its owner and deleted', async () => {
    const object = serveNewVideo()
    const { uuid } = await deliver(object)
    const { json } = await site.call(`GET /videos/${uuid}`)
    expect(json).toMatchObject({
      name: 'A far film',
      isLocal: false,
      url: object.id,
      duration: 42,
      views: 5,
      channel: { name: 'films', host: good.host },
      account: { name: 'owner' },
      streamingPlaylists: [{ playlistUrl: object.url[1].href, files: [{ fileUrl: object.url[1].tag[0].href, resolution: { id: 720 } }] }]
    })
    expect((await site.call(`GET /search/videos?isLocal=false`)).json.data.map((video: any) => video.uuid)).toContain(uuid)
    expect(
      (await site.call(`GET //videos/watch/${uuid}`, { headers: { accept: 'application/activity+json' } })).headers.get('location')
    ).toBe(object.id)
    await sendUpdate({ ...object, name: 'A farther film', updated: '2026-11-02T00:00:00.000Z' })
    await eventually(async () => (await findStoredVideo(object.id))!.name === 'A farther film', 15, 'the edit')
    good.refuse(new URL(object.id).pathname, 404)
    await good.post(inbox(), { type: 'Delete', id: `${object.id}/delete`, actor: owner.url, object: object.id })
    await eventually(async () => !(await findStoredVideo(object.id)), 15, 'the deletion')
    expect((await site.call(`GET /videos/${uuid}`)).status).toBe(404)
  })

  it('is fetched after an Announce by its channel, and only the announcing actor can undo the share', async () => {
    const object = serveNewVideo()
    const announce = { type: 'Announce', id: `${object.id}/announces/1`, actor: channel.url, to: [PUBLIC], object: object.id }
    await good.post(inbox(), announce)
    await eventually(async () => await findStoredVideo(object.id), 15, 'the video')
    const shareCount = async () =>
      (await runQuery(sql`SELECT 1 FROM video_shares s JOIN videos v ON v.id = s.video_id WHERE v.url = ${object.id}`)).length
    await eventually(async () => (await shareCount()) === 1)
    await evil.post(inbox(), { type: 'Undo', id: evil.id(), actor: stranger.url, object: { ...announce, actor: stranger.url } })
    await good.post(inbox(), { type: 'Undo', id: good.id(), actor: other.url, object: { ...announce, actor: other.url } })
    await inboxProcessed()
    expect(await shareCount()).toBe(1)
    await good.post(inbox(), { type: 'Undo', id: good.id(), actor: channel.url, object: announce })
    await eventually(async () => (await shareCount()) === 0, 15, 'the undo')
  })
})

describe('attacks', () => {
  it('an Update by another actor, of another server or the same one, changes nothing', async () => {
    const object = serveNewVideo()
    await deliver(object)
    const takenOver = { ...object, name: 'Taken over', updated: '2026-11-03T00:00:00.000Z' }
    await sendUpdate(takenOver, stranger, evil)
    await sendUpdate({ ...takenOver, attributedTo: [stranger.url, evilChannel.url] }, stranger, evil)
    await sendUpdate(takenOver, other)
    await sendUpdate({ ...takenOver, attributedTo: [other.url, channel.url] }, other)
    await inboxProcessed()
    expect(await findStoredVideo(object.id)).toMatchObject({ name: 'A far film' })
  })

  it('a video with an owner of another server, or with a channel that does not name its account, is refused', async () => {
    const foreignChannelVideo = serveNewVideo(
      {
        attributedTo: [
          { type: 'Person', id: stranger.url },
          { type: 'Group', id: channel.url }
        ]
      },
      evil,
      stranger,
      channel
    )
    await sendCreate(foreignChannelVideo, stranger, evil)
    const wrongAccountVideo = serveNewVideo({
      attributedTo: [
        { type: 'Person', id: other.url },
        { type: 'Group', id: channel.url }
      ]
    })
    await sendCreate(wrongAccountVideo, other)
    const wrongSenderVideo = serveNewVideo()
    await sendCreate(wrongSenderVideo, other)
    await evil.post(inbox(), { type: 'Announce', id: evil.id(), actor: evilChannel.url, object: foreignChannelVideo.id })
    await inboxProcessed()
    expect([
      await findStoredVideo(foreignChannelVideo.id),
      await findStoredVideo(wrongAccountVideo.id),
      await findStoredVideo(wrongSenderVideo.id)
    ]).toEqual([undefined, undefined, undefined])
  })

  it('a Delete by an actor other than the owner or the channel has no effect', async () => {
    const object = serveNewVideo()
    await deliver(object)
    await evil.post(inbox(), { type: 'Delete', id: `${object.id}/delete`, actor: stranger.url, object: object.id })
    await good.post(inbox(), { type: 'Delete', id: `${object.id}/delete`, actor: other.url, object: object.id })
    await good.post(inbox(), { type: 'Delete', id: good.id(), actor: other.url, object: { type: 'Video', id: object.id } })
    await inboxProcessed()
    expect(await findStoredVideo(object.id)).toBeDefined()
  })

  it('an Announce from a host without follows causes no request, and the requests for many of them are limited', async () => {
    const unfollowed = await startHostilePeer()
    try {
      const unknownActor = await unfollowed.actor('nobody', 'Application')
      for (let index = 0; index < 20; index++)
        await unfollowed.post(inbox(), {
          type: 'Announce',
          id: unfollowed.id(),
          actor: unknownActor.url,
          object: `${good.url}/videos/watch/none-${index}`
        })
      await inboxProcessed()
      expect(good.asked.filter(path => path.includes('none-'))).toEqual([])
      expect(unfollowed.asked.filter(path => !path.startsWith('/accounts/') && !path.startsWith('/.well-known/'))).toEqual([])
    } finally {
      await unfollowed.stop()
    }
    const requestsBefore = evil.asked.length
    const { max } = config.federation.fetch.per_host
    await Promise.all(
      Array.from(
        { length: max + 60 },
        async (_, index) =>
          await evil.post(inbox(), {
            type: 'Announce',
            id: evil.id(),
            actor: evilChannel.url,
            object: `${evil.url}/videos/watch/many-${index}`
          })
      )
    )
    await inboxProcessed()
    expect(evil.asked.length - requestsBefore).toBeLessThanOrEqual(max)
  }, 60_000)

  it('a video whose UUID is taken gets another one, and the video that has it is unchanged', async () => {
    const { uuid } = await seedVideo({ channelId: (await site.call('GET /users/me', { token: root })).json.videoChannels[0].id })
    const first = serveNewVideo()
    await deliver(first)
    const [likeLocal, second] = [serveNewVideo({ uuid }), serveNewVideo({ uuid: first.uuid })]
    await deliver(likeLocal)
    await deliver(second)
    expect((await site.call(`GET /videos/${uuid}`)).json).toMatchObject({ name: 'A seed', isLocal: true })
    expect((await site.call(`GET /videos/${first.uuid}`)).json.url).toBe(first.id)
    const renamed = await findStoredVideo(likeLocal.id)
    expect(renamed!.uuid).not.toBe(uuid)
    expect((await site.call(`GET /videos/${renamed!.uuid}`)).json.url).toBe(likeLocal.id)
    await sendUpdate({ ...second, name: 'Still itself', updated: '2026-11-05T00:00:00.000Z' })
    await eventually(async () => (await findStoredVideo(second.id))!.name === 'Still itself')
    expect((await findStoredVideo(first.id))!.name).toBe('A far film')
  })

  it('the view count of a video comes from its origin, and its increase is limited', async () => {
    const object = serveNewVideo({ views: 2_000_000_000 })
    await deliver(object)
    expect(Number((await findStoredVideo(object.id))!.views)).toBe(1000)
    await sendUpdate({ ...object, views: 1500, updated: '2026-11-06T00:00:00.000Z' })
    await eventually(async () => Number((await findStoredVideo(object.id))!.views) === 1500)
    await sendUpdate({ ...object, views: 9_999_999 }, stranger, evil)
    await inboxProcessed()
    expect(Number((await findStoredVideo(object.id))!.views)).toBe(1500)
  })

  it('an Update before the Create stores the video, an older activity changes nothing, and a Delete before the Create wins', async () => {
    const object = serveNewVideo({ name: 'Newer', updated: '2026-11-09T00:00:00.000Z' })
    await sendUpdate(object)
    await eventually(async () => await findStoredVideo(object.id))
    await sendCreate({ ...object, name: 'Older', updated: '2026-11-01T00:00:00.000Z' })
    await sendUpdate({ ...object, name: 'Older still', updated: '2026-10-01T00:00:00.000Z' })
    await inboxProcessed()
    expect((await findStoredVideo(object.id))!.name).toBe('Newer')
    const deleted = serveNewVideo()
    good.serve(new URL(deleted.id).pathname, (_request, response) => void response.writeHead(410).end())
    await good.post(inbox(), { type: 'Delete', id: `${deleted.id}/delete`, actor: owner.url, object: deleted.id })
    await inboxProcessed()
    await sendCreate(deleted)
    await sendUpdate(deleted)
    await inboxProcessed()
    expect(await findStoredVideo(deleted.id)).toBeUndefined()
  })

  it('keeps a language that users here cannot choose, shows it as it came and can be filtered by it', async () => {
    const language = 'de-CH-1996'
    const caption = { identifier: 'zz-Latn', name: 'Far', url: `${good.url}/captions/far.vtt` }
    const { uuid } = await deliver(serveNewVideo({ language: { identifier: language, name: 'x' }, subtitleLanguage: [caption] }))
    expect((await site.call(`GET /videos/${uuid}`)).json.language).toEqual({ id: language, label: language })
    expect((await site.call(`GET /videos/${uuid}/captions`)).json.data).toMatchObject([{ language: { id: 'zz-Latn', label: 'zz-Latn' } }])
    const { json } = await site.call(`GET /search/videos?languageOneOf=${language}`)
    expect(json.data).toMatchObject([{ uuid, language: { id: language, label: language } }])
  })

  it('HTML becomes plain text, and control characters are removed', async () => {
    const object = serveNewVideo({
      name: 'x\u202egpj<script>',
      mediaType: 'text/html',
      content:
        '<p>One<svg onload=alert(1)></p><script>alert(1)</script><a href="javascript:alert(1)">two</a> &lt;img src=x onerror=alert(1)&gt;',
      tag: [{ type: 'Hashtag', name: 'a\u2066b' }],
      support: '<b>x</b>'
    })
    const { uuid } = await deliver(object)
    const { json } = await site.call(`GET /videos/${uuid}`)
    expect([json.name, json.tags, json.description.includes('<script>'), json.description.includes('onload')]).toEqual([
      'xgpj<script>',
      ['ab'],
      false,
      false
    ])
    const page = (await site.call(`GET //w/${json.shortUUID}`, { headers: { accept: 'text/html' } })).text
    expect([
      page.includes('<svg onload'),
      page.includes('<img src=x'),
      page.includes('javascript:alert'),
      page.includes('gpj<script>')
    ]).toEqual([false, false, false, false])
    const deeplyNested = serveNewVideo({ content: '<b>'.repeat(300_000), mediaType: 'text/html' })
    await deliver(deeplyNested)
  })

  it('images of remote actors are proxied, each under its own name, and removed when the actor no longer has them', async () => {
    const imageOf = (file: string) => ({
      type: 'Image',
      url: `${good.url}/pictures/${file}`,
      mediaType: 'image/png',
      width: 120,
      height: 120
    })
    const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
      .png()
      .toBuffer()
    for (const file of ['one.png', 'two.png'])
      good.serve(`/pictures/${file}`, (_request, response) => void response.writeHead(200, { 'content-type': 'image/png' }).end(png))
    const painter = await good.actor('painter', 'Group', {
      attributedTo: [{ type: 'Person', id: owner.url }],
      icon: [imageOf('one.png')],
      image: imageOf('two.png')
    })
    await deliver(serveNewVideo({}, good, owner, painter))
    const handle = `painter@${good.host}`
    const fetchChannel = async () => (await site.call(`GET /video-channels/${handle}`)).json
    const {
      avatars: [avatar],
      banners: [banner]
    } = await fetchChannel()
    for (const { path } of [avatar, banner])
      expect(await sharp(await (await fetch(`${site.url}${path}`)).arrayBuffer()).metadata()).toMatchObject({ format: 'png', width: 8 })
    good.serve(new URL(painter.url).pathname, {
      ...painter.document,
      icon: [imageOf('two.png')],
      image: { type: 'Image', url: 'http://169.254.169.254/x.png' }
    })
    await resolveActor(painter.url, { refresh: true })
    const updated = await fetchChannel()
    expect(updated.avatars[0].path).not.toBe(avatar.path)
    expect((await fetch(`${site.url}${avatar.path}`)).status).toBe(404)
    good.serve(new URL(painter.url).pathname, { ...painter.document, icon: undefined, image: null })
    await resolveActor(painter.url, { refresh: true })
    expect(await fetchChannel()).toMatchObject({ avatars: [], banners: [] })
  })

  it('only files named in the database are fetched, within the allowed types and sizes', async () => {
    const object = serveNewVideo()
    const [jpeg, html, large] = [
      await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
        .jpeg()
        .toBuffer(),
      Buffer.from('<script>1</script>'),
      Buffer.alloc(FETCH.maxImageSize + 1)
    ]
    const path = new URL(object.icon[0].url).pathname
    let type = 'text/html'
    let body: Buffer = html
    good.serve(path, (_request, response) => void response.writeHead(200, { 'content-type': type }).end(body))
    const { uuid } = await deliver(object)
    const { thumbnailPath } = (await site.call(`GET /videos/${uuid}`)).json
    expect((await site.call(`GET /${thumbnailPath}`)).status).toBe(404)
    const serveAtNewUrl = async () => {
      // A new URL gets a new name, for which nothing is cached.
      object.icon[0].url = `${good.url}${path}?${Math.random()}`
      object.updated = new Date(Date.parse(object.updated) + 1000).toISOString()
      const { thumbnailPath: oldPath } = (await site.call(`GET /videos/${uuid}`)).json
      await sendUpdate(object)
      await eventually(async () => (await site.call(`GET /videos/${uuid}`)).json.thumbnailPath !== oldPath)
      return (await site.call(`GET /videos/${uuid}`)).json.thumbnailPath
    }
    type = 'image/jpeg'
    body = large
    expect((await site.call(`GET /${await serveAtNewUrl()}`)).status).toBe(404)
    body = jpeg
    const response = await fetch(`${site.url}${await serveAtNewUrl()}`)
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
    expect(await sharp(await response.arrayBuffer()).metadata()).toMatchObject({ format: 'jpeg', width: 8, height: 8 })
    const requestsBefore = good.asked.length
    for (const name of [
      encodeURIComponent(object.icon[0].url),
      `${randomUUID()}.jpg`,
      '..%2f..%2fetc%2fpasswd',
      `${randomUUID()}.jpg?url=${encodeURIComponent(good.url)}`
    ]) {
      for (const folder of ['thumbnails', 'previews', 'storyboards', 'video-captions'])
        expect((await site.call(`GET //lazy-static/${folder}/${name}`)).status).toBe(404)
    }
    expect(good.asked.length).toBe(requestsBefore)
  })
})

describe('the like count of a remote video', () => {
  const storedLikes = async (id: string) => (await runQuery<{ likes: number }>(sql`SELECT likes FROM videos WHERE url = ${id}`))[0]?.likes
  const serveLikes = (id: string, totalItems: number) =>
    good.serve(`${new URL(id).pathname}/likes`, { type: 'OrderedCollection', id: `${id}/likes`, totalItems })

  it('is requested until the origin answers, even if Redis is wiped in between', async () => {
    const object = serveNewVideo()
    object.likes = `${object.id}/likes`
    good.serve(`${new URL(object.id).pathname}/likes`, (_request, response) => void response.writeHead(502).end())
    await deliver(object)
    await eventually(async () => good.asked.some(path => path.endsWith(`${object.uuid}/likes`)), 10, 'the first request')
    await wipeRedis(config.redis.prefix)
    serveLikes(object.id, 9)
    await eventually(async () => (await storedLikes(object.id)) === 9, 20, 'the likes')
    const requestsBefore = good.asked.length
    await new Promise(resolve => setTimeout(resolve, 2500))
    expect(good.asked.slice(requestsBefore).filter(path => path.includes(object.uuid))).toEqual([])
  }, 60_000)

  it('is the one requested last, even if an older response arrives later', async () => {
    const object = serveNewVideo()
    object.likes = `${object.id}/likes`
    let sendResponse: () => void = () => undefined
    good.serve(`${new URL(object.id).pathname}/likes`, (_request, response) => {
      sendResponse = () =>
        void response
          .writeHead(200, { 'content-type': 'application/activity+json' })
          .end(JSON.stringify({ type: 'OrderedCollection', id: object.likes, totalItems: 1 }))
    })
    await deliver(object)
    await eventually(async () => good.asked.some(path => path.endsWith(`${object.uuid}/likes`)), 10, 'the first request')
    serveLikes(object.id, 2)
    await sendUpdate({ ...object, name: 'Said again', updated: '2026-11-02T00:00:00.000Z' })
    await eventually(async () => (await storedLikes(object.id)) === 2, 20, 'the new likes')
    sendResponse()
    await new Promise(resolve => setTimeout(resolve, 500))
    expect(await storedLikes(object.id)).toBe(2)
  }, 60_000)
})
