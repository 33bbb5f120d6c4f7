import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { resolveActor } from '../actors/resolve-actor.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { crawlOutbox } from './outbox-crawler.ts'
import { resolveVideo } from './resolve-video.ts'
import { CRAWL } from '../fediverse/crawl-internals.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
let site: TestInstance
let peer: HostilePeer
let owner: HostileActor
let channel: HostileActor
let videoCount = 0

/** Creates a video document, one hour newer than the last video, and serves it at the peer. */
function serveNewVideo(overrides: Record<string, unknown> = {}): any {
  const uuid = randomUUID()
  const id = `${peer.url}/videos/watch/${uuid}`
  const publishedAt = new Date(Date.UTC(2026, 0, 1) + ++videoCount * 3600_000).toISOString()
  const document = {
    type: 'Video',
    id,
    uuid,
    name: `Film ${videoCount}`,
    duration: 'PT1S',
    views: 0,
    published: publishedAt,
    updated: publishedAt,
    to: [PUBLIC],
    cc: [],
    commentsPolicy: 1,
    likes: `${id}/likes`,
    hasParts: `${id}/chapters`,
    url: [{ type: 'Link', mediaType: 'video/mp4', href: `${id}.mp4`, height: 720, size: 1, fps: 25 }],
    icon: [{ type: 'Image', url: `${id}.jpg`, mediaType: 'image/jpeg', width: 280, height: 157 }],
    attributedTo: [
      { type: 'Person', id: owner.url },
      { type: 'Group', id: channel.url }
    ],
    ...overrides
  }
  serveDocument(document)
  return document
}
const pathOf = (url: string) => new URL(url).pathname
const serveDocument = (document: any) => peer.serve(pathOf(document.id), { ...document })
const serveGone = (document: any) => peer.serve(pathOf(document.id), (_request, response) => void response.writeHead(410).end())
const announceOf = (document: any) => ({ type: 'Announce', id: `${document.id}/announces/1`, actor: channel.url, object: document.id })
const createOf = (document: any) => ({ type: 'Create', id: `${document.id}/activity`, actor: owner.url, object: document })
/** Serves an outbox, newest first, ten to a page. */
function serveOutbox(actor: HostileActor, items: object[], overrides: object = {}): void {
  const url = `${actor.url}/outbox`
  peer.serve(pathOf(url), { type: 'OrderedCollection', id: url, totalItems: items.length, first: `${url}?page=1`, ...overrides })
  for (let page = 1; page <= Math.max(1, Math.ceil(items.length / 10)); page++) {
    peer.serve(`${pathOf(url)}?page=${page}`, {
      type: 'OrderedCollectionPage',
      id: `${url}?page=${page}`,
      partOf: url,
      totalItems: items.length,
      orderedItems: items.slice((page - 1) * 10, page * 10),
      ...(page * 10 < items.length ? { next: `${url}?page=${page + 1}` } : {})
    })
  }
}
const remoteVideoNames = async () =>
  (await runQuery<{ name: string }>(sql`SELECT name FROM videos WHERE remote ORDER BY published_at DESC`)).map(row => row.name)
const findActorId = async (actor: HostileActor) => (await resolveActor(actor.url)).id

beforeAll(async () => {
  site = await startTestInstance({
    federation: { fetch: { per_host: { max: 100_000 } } },
    internals: { crawl: { maxPages: 6, maxItems: 100 } }
  })
  peer = await startHostilePeer()
  owner = await peer.actor('owner')
  channel = await peer.actor('films', 'Group', { attributedTo: [{ type: 'Person', id: owner.url }] })
})
afterAll(async () => {
  await peer?.stop()
  await site?.stop()
})

describe('crawling an outbox', () => {
  it('stores the videos of a newly followed channel, and later the added and removed ones, without needless requests', async () => {
    const token = (await site.user('reader')).token
    let videos = Array.from({ length: 24 }, () => serveNewVideo()).reverse()
    peer.serve(`${pathOf(videos[0].id)}/likes`, { type: 'OrderedCollection', id: videos[0].likes, totalItems: 7 })
    peer.serve(`${pathOf(videos[0].id)}/chapters`, {
      id: videos[0].hasParts,
      hasPart: [
        { name: 'One', startOffset: 0, endOffset: 1 },
        { name: 'Two', startOffset: 1, endOffset: 1 }
      ]
    })
    serveOutbox(channel, videos.map(announceOf))
    await site.call('POST /users/me/subscriptions', { token, body: { uri: `films@${peer.host}` } })
    const follow = await eventually(
      async () => peer.received.map(post => post.activity).find(activity => activity.type === 'Follow' && activity.object === channel.url),
      20,
      'the follow'
    )
    await peer.post(`${follow.actor}/inbox`, { type: 'Accept', id: peer.id(), actor: channel.url, object: follow })
    await eventually(async () => (await remoteVideoNames()).length === 24, 20, 'the backfill')
    const [crawlState] = await runQuery<{ total: number; complete: boolean }>(
      sql`SELECT outbox_total AS total, outbox_cursor IS NOT NULL AS complete FROM actors WHERE url = ${channel.url}`
    )
    await eventually(
      async () => (await runQuery(sql`SELECT 1 FROM actors WHERE url = ${channel.url} AND outbox_cursor IS NOT NULL`)).length > 0
    )
    expect(crawlState!.total).toBe(24)
    const newestVideo = await eventually(
      async () => {
        const { json } = await site.call(`GET /videos/${videos[0].uuid}`)
        return json.likes === 7 && json
      },
      20,
      'the likes'
    )
    expect(newestVideo.name).toBe(videos[0].name)
    expect((await site.call(`GET /videos/${videos[0].uuid}/chapters`)).json).toEqual({
      chapters: [
        { timecode: 0, title: 'One' },
        { timecode: 1, title: 'Two' }
      ]
    })

    const requestsBefore = peer.asked.length
    await crawlOutbox(await findActorId(channel))
    const requestedPaths = peer.asked.slice(requestsBefore)
    expect(requestedPaths.some(url => url.includes('/videos/watch/') && !url.endsWith('/likes') && !url.endsWith('/chapters'))).toBe(false)

    // While this instance was offline: two videos were added, and two were deleted.
    const added = [serveNewVideo(), serveNewVideo()]
    serveGone(videos[3])
    serveGone(videos[20])
    videos = [...added.reverse(), ...videos.filter((_, index) => ![3, 20].includes(index))]
    serveOutbox(channel, videos.map(announceOf))
    await crawlOutbox(await findActorId(channel))
    expect(await remoteVideoNames()).toEqual(videos.map(video => video.name))
  }, 60_000)

  it('restores a video that was deleted for a while, and a 404 requested before the restoration does not delete it again', async () => {
    const reader = await site.user('keeper')
    const id = await findActorId(channel)
    const video = serveNewVideo()
    serveOutbox(channel, [announceOf(video)])
    await crawlOutbox(id)
    const status = async () => (await site.call(`GET /videos/${video.uuid}`)).status
    const { json } = await site.call(`GET /videos/${video.uuid}`)
    // The rating of a local user is retained, and with it the row of the video.
    expect((await site.call(`PUT /videos/${json.id}/rate`, { token: reader.token, body: { rating: 'like' } })).status).toBe(204)
    serveGone(video)
    serveOutbox(channel, [])
    await crawlOutbox(id)
    expect(await status()).toBe(404)
    serveDocument(video)
    serveOutbox(channel, [announceOf(video)])
    await crawlOutbox(id)
    expect(await status()).toBe(200)

    let sendResponse = () => undefined as void
    const requestReceived = new Promise<void>(resolve =>
      peer.serve(pathOf(video.id), (_request, response) => {
        sendResponse = () => void response.writeHead(404).end()
        resolve()
      })
    )
    const slowRefresh = resolveVideo(video.id, { refresh: true }).catch((error: Error) => error.message)
    await requestReceived
    serveDocument(video)
    await resolveVideo(video.id, { refresh: true })
    sendResponse()
    await slowRefresh
    expect(await status()).toBe(200)
  })

  it('stores new and updated videos from the documents embedded in an account’s outbox, without fetching each', async () => {
    const videos = Array.from({ length: 5 }, () => serveNewVideo())
    serveOutbox(owner, videos.map(createOf))
    const id = await findActorId(owner)
    const requestsBefore = peer.asked.length
    await crawlOutbox(id)
    expect(peer.asked.slice(requestsBefore).filter(requested => videos.some(video => pathOf(video.id) === requested))).toEqual([])
    const changed = videos.map(video => ({ ...video, name: `${video.name} again`, updated: '2026-11-01T00:00:00.000Z' }))
    serveOutbox(owner, changed.map(createOf))
    await crawlOutbox(id)
    expect(await remoteVideoNames()).toEqual(expect.arrayContaining(changed.map(video => video.name)))
  })

  it('continues a long outbox where the last crawl stopped', async () => {
    const longChannel = await peer.actor('long', 'Group', { attributedTo: [{ type: 'Person', id: owner.url }] })
    const videos = Array.from({ length: 83 }, () =>
      serveNewVideo({
        attributedTo: [
          { type: 'Person', id: owner.url },
          { type: 'Group', id: longChannel.url }
        ]
      })
    ).reverse()
    serveOutbox(longChannel, videos.map(announceOf))
    const storedCount = async () =>
      Number(
        (
          await runQuery<{ count: string }>(
            sql`SELECT count(*) FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors a ON a.id = c.actor_id
              WHERE a.url = ${longChannel.url}`
          )
        )[0]!.count
      )
    await crawlOutbox(await findActorId(longChannel))
    expect(await storedCount()).toBe(60)
    await crawlOutbox(await findActorId(longChannel))
    expect(await storedCount()).toBe(83)
  }, 60_000)
})

describe('an endless or malicious collection is read within limits', () => {
  const pageOf = (url: string, fields: object) => ({ type: 'OrderedCollectionPage', id: url, orderedItems: [], ...fields })
  it.each([
    [
      '`next` is the page itself',
      (url: string) => {
        peer.serve(`${pathOf(url)}?page=1`, pageOf(`${url}?page=1`, { orderedItems: [announceOf(serveNewVideo())], next: `${url}?page=1` }))
      }
    ],
    [
      'two pages point at each other',
      (url: string) => {
        for (const [page, otherPage] of [
          [1, 2],
          [2, 1]
        ])
          peer.serve(
            `${pathOf(url)}?page=${page}`,
            pageOf(`${url}?page=${page}`, { orderedItems: [announceOf(serveNewVideo())], next: `${url}?page=${otherPage}` })
          )
      }
    ],
    [
      '`next` is on the crawling host',
      (url: string) => {
        peer.serve(
          `${pathOf(url)}?page=1`,
          pageOf(`${url}?page=1`, { orderedItems: [announceOf(serveNewVideo())], next: `${site.url}/accounts/peertube/outbox?page=1` })
        )
      }
    ],
    [
      '`first` is on the crawling host',
      (url: string) => {
        peer.serve(pathOf(url), { type: 'OrderedCollection', id: url, totalItems: 5, first: `${site.url}/accounts/peertube/outbox?page=1` })
      }
    ],
    [
      'the pages never end, and the total is wrong',
      (url: string) => {
        peer.serve(pathOf(url), (request, response) => {
          const pageNumber = Number(new URL(request.url!, peer.url).searchParams.get('page') ?? 0)
          const body =
            pageNumber === 0
              ? { type: 'OrderedCollection', id: url, totalItems: 1e9, first: `${url}?page=1` }
              : pageOf(`${url}?page=${pageNumber}`, {
                  orderedItems: Array.from({ length: 50 }, (_, index) => `${peer.url}/none/${pageNumber}/${index}`),
                  next: `${url}?page=${pageNumber + 1}`
                })
          response.writeHead(200, { 'content-type': 'application/activity+json' }).end(JSON.stringify(body))
        })
      }
    ]
  ])(
    '%s',
    async (name, serve) => {
      const actor = await peer.actor(`c${randomUUID().slice(0, 8)}`, 'Group', { attributedTo: [{ type: 'Person', id: owner.url }] })
      const url = `${actor.url}/outbox`
      peer.serve(pathOf(url), { type: 'OrderedCollection', id: url, totalItems: 3, first: `${url}?page=1` })
      serve(url)
      const id = await findActorId(actor)
      const requestsBefore = peer.asked.length
      await crawlOutbox(id)
      expect(peer.asked.slice(requestsBefore).filter(requested => requested.startsWith(pathOf(url))).length, name).toBeLessThanOrEqual(
        CRAWL.maxPages + 2
      )
    },
    30_000
  )
})
