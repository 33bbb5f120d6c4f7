import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { resolveActor } from '../actors/resolve-actor.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { crawlOutbox } from './outbox-crawler.ts'
import { resolveVideo } from './resolve-video.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
let site: TestInstance
let peer: HostilePeer
let owner: HostileActor
let channel: HostileActor
let places = 0

function film(more: Record<string, unknown> = {}): any {
  const uuid = randomUUID()
  const id = `${peer.url}/videos/watch/${uuid}`
  const day = new Date(Date.UTC(2026, 0, 1) + ++places * 3600_000).toISOString()
  const document = {
    type: 'Video',
    id,
    uuid,
    name: `Film ${places}`,
    duration: 'PT1S',
    views: 0,
    published: day,
    updated: day,
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
    ...more
  }
  put(document)
  return document
}
const path = (url: string) => new URL(url).pathname
const put = (document: any) => peer.serve(path(document.id), { ...document })
const take = (document: any) => peer.serve(path(document.id), (_request, response) => void response.writeHead(410).end())
const announce = (document: any) => ({ type: 'Announce', id: `${document.id}/announces/1`, actor: channel.url, object: document.id })
const create = (document: any) => ({ type: 'Create', id: `${document.id}/activity`, actor: owner.url, object: document })
/** Serves an outbox, newest first, ten to a page. */
function outbox(actor: HostileActor, entries: object[], more: object = {}): void {
  const url = `${actor.url}/outbox`
  peer.serve(path(url), { type: 'OrderedCollection', id: url, totalItems: entries.length, first: `${url}?page=1`, ...more })
  for (let page = 1; page <= Math.max(1, Math.ceil(entries.length / 10)); page++) {
    peer.serve(`${path(url)}?page=${page}`, {
      type: 'OrderedCollectionPage',
      id: `${url}?page=${page}`,
      partOf: url,
      totalItems: entries.length,
      orderedItems: entries.slice((page - 1) * 10, page * 10),
      ...(page * 10 < entries.length ? { next: `${url}?page=${page + 1}` } : {})
    })
  }
}
const names = async () =>
  (await runQuery<{ name: string }>(sql`SELECT name FROM videos WHERE remote ORDER BY published_at DESC`)).map(row => row.name)
const actorId = async (actor: HostileActor) => (await resolveActor(actor.url)).id

beforeAll(async () => {
  site = await startTestInstance({ federation: { crawl: { max_pages: 6, max_items: 100 }, fetch: { per_host: { max: 100_000 } } } })
  peer = await startHostilePeer()
  owner = await peer.actor('owner')
  channel = await peer.actor('films', 'Group', { attributedTo: [{ type: 'Person', id: owner.url }] })
})
afterAll(async () => {
  await peer?.stop()
  await site?.stop()
})

describe('repair', () => {
  it('reads an outbox once it is followed, finds what was missed, changed and removed, and asks no more than it must', async () => {
    const token = (await site.user('reader')).token
    let films = Array.from({ length: 24 }, () => film()).reverse()
    peer.serve(`${path(films[0].id)}/likes`, { type: 'OrderedCollection', id: films[0].likes, totalItems: 7 })
    peer.serve(`${path(films[0].id)}/chapters`, {
      id: films[0].hasParts,
      hasPart: [
        { name: 'One', startOffset: 0, endOffset: 1 },
        { name: 'Two', startOffset: 1, endOffset: 1 }
      ]
    })
    outbox(channel, films.map(announce))
    await site.call('POST /users/me/subscriptions', { token, body: { uri: `films@${peer.host}` } })
    const follow = await eventually(
      async () => peer.received.map(one => one.activity).find(one => one.type === 'Follow' && one.object === channel.url),
      20,
      'the follow'
    )
    await peer.post(`${follow.actor}/inbox`, { type: 'Accept', id: peer.id(), actor: channel.url, object: follow })
    await eventually(async () => (await names()).length === 24, 20, 'the backfill')
    const [state] = await runQuery<{ total: number; complete: boolean }>(
      sql`SELECT outbox_total AS total, outbox_cursor IS NOT NULL AS complete FROM actors WHERE url = ${channel.url}`
    )
    await eventually(
      async () => (await runQuery(sql`SELECT 1 FROM actors WHERE url = ${channel.url} AND outbox_cursor IS NOT NULL`)).length > 0
    )
    expect(state!.total).toBe(24)
    const first = await eventually(
      async () => {
        const { json } = await site.call(`GET /videos/${films[0].uuid}`)
        return json.likes === 7 && json
      },
      20,
      'the likes'
    )
    expect(first.name).toBe(films[0].name)
    expect((await site.call(`GET /videos/${films[0].uuid}/chapters`)).json).toEqual({
      chapters: [
        { timecode: 0, title: 'One' },
        { timecode: 1, title: 'Two' }
      ]
    })

    const before = peer.asked.length
    await crawlOutbox(await actorId(channel))
    const again = peer.asked.slice(before)
    expect(again.some(url => url.includes('/videos/watch/') && !url.endsWith('/likes') && !url.endsWith('/chapters'))).toBe(false)

    // While we were away: two new ones, of which one is old by date; one is gone; one is private.
    const added = [film(), film()]
    take(films[3])
    take(films[20])
    films = [...added.reverse(), ...films.filter(one => ![3, 20].includes(films.indexOf(one)))]
    outbox(channel, films.map(announce))
    await crawlOutbox(await actorId(channel))
    expect(await names()).toEqual(films.map(one => one.name))
  }, 60_000)

  it('brings back what was away for a while, and what its origin said before it came back does not take it away again', async () => {
    const reader = await site.user('keeper')
    const id = await actorId(channel)
    const one = film()
    outbox(channel, [announce(one)])
    await crawlOutbox(id)
    const shown = async () => (await site.call(`GET /videos/${one.uuid}`)).status
    const { json } = await site.call(`GET /videos/${one.uuid}`)
    // What somebody here said about it is kept, and with it the row of the video.
    expect((await site.call(`PUT /videos/${json.id}/rate`, { token: reader.token, body: { rating: 'like' } })).status).toBe(204)
    take(one)
    outbox(channel, [])
    await crawlOutbox(id)
    expect(await shown()).toBe(404)
    put(one)
    outbox(channel, [announce(one)])
    await crawlOutbox(id)
    expect(await shown()).toBe(200)

    let answer = () => undefined as void
    const held = new Promise<void>(resolve =>
      peer.serve(path(one.id), (_request, response) => {
        answer = () => void response.writeHead(404).end()
        resolve()
      })
    )
    const asking = resolveVideo(one.id, { refresh: true }).catch((error: Error) => error.message)
    await held
    put(one)
    await resolveVideo(one.id, { refresh: true })
    answer()
    await asking
    expect(await shown()).toBe(200)
  })

  it('takes what an account’s outbox carries with it, newer words too, without asking for each', async () => {
    const films = Array.from({ length: 5 }, () => film())
    outbox(owner, films.map(create))
    const id = await actorId(owner)
    let before = peer.asked.length
    await crawlOutbox(id)
    expect(peer.asked.slice(before).filter(url => films.some(one => path(one.id) === url))).toEqual([])
    const changed = films.map(one => ({ ...one, name: `${one.name} again`, updated: '2026-11-01T00:00:00.000Z' }))
    outbox(owner, changed.map(create))
    before = peer.asked.length
    await crawlOutbox(id)
    expect(await names()).toEqual(expect.arrayContaining(changed.map(one => one.name)))
  })

  it('goes on where a long outbox was left', async () => {
    const long = await peer.actor('long', 'Group', { attributedTo: [{ type: 'Person', id: owner.url }] })
    const films = Array.from({ length: 83 }, () =>
      film({
        attributedTo: [
          { type: 'Person', id: owner.url },
          { type: 'Group', id: long.url }
        ]
      })
    ).reverse()
    outbox(long, films.map(announce))
    const known = async () =>
      Number(
        (
          await runQuery<{ count: string }>(
            sql`SELECT count(*) FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors a ON a.id = c.actor_id WHERE a.url = ${long.url}`
          )
        )[0]!.count
      )
    await crawlOutbox(await actorId(long))
    expect(await known()).toBe(60)
    await crawlOutbox(await actorId(long))
    expect(await known()).toBe(83)
  }, 60_000)
})

describe('collections that do not end', () => {
  const page = (url: string, more: object) => ({ type: 'OrderedCollectionPage', id: url, orderedItems: [], ...more })
  it.each([
    [
      'next is the page itself',
      (url: string) => {
        peer.serve(`${path(url)}?page=1`, page(`${url}?page=1`, { orderedItems: [announce(film())], next: `${url}?page=1` }))
      }
    ],
    [
      'two pages point at each other',
      (url: string) => {
        for (const [one, other] of [
          [1, 2],
          [2, 1]
        ])
          peer.serve(
            `${path(url)}?page=${one}`,
            page(`${url}?page=${one}`, { orderedItems: [announce(film())], next: `${url}?page=${other}` })
          )
      }
    ],
    [
      'next is our own host',
      (url: string) => {
        peer.serve(
          `${path(url)}?page=1`,
          page(`${url}?page=1`, { orderedItems: [announce(film())], next: `${site.url}/accounts/peertube/outbox?page=1` })
        )
      }
    ],
    [
      'first is our own host',
      (url: string) => {
        peer.serve(path(url), { type: 'OrderedCollection', id: url, totalItems: 5, first: `${site.url}/accounts/peertube/outbox?page=1` })
      }
    ],
    [
      'pages without end, and a total that lies',
      (url: string) => {
        peer.serve(path(url), (request, response) => {
          const number = Number(new URL(request.url!, peer.url).searchParams.get('page') ?? 0)
          const body =
            number === 0
              ? { type: 'OrderedCollection', id: url, totalItems: 1e9, first: `${url}?page=1` }
              : page(`${url}?page=${number}`, {
                  orderedItems: Array.from({ length: 50 }, (_, place) => `${peer.url}/none/${number}/${place}`),
                  next: `${url}?page=${number + 1}`
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
      peer.serve(path(url), { type: 'OrderedCollection', id: url, totalItems: 3, first: `${url}?page=1` })
      serve(url)
      const id = await actorId(actor)
      const before = peer.asked.length
      await crawlOutbox(id)
      expect(peer.asked.slice(before).filter(asked => asked.startsWith(path(url))).length, name).toBeLessThanOrEqual(
        config.federation.crawl.max_pages + 2
      )
    },
    30_000
  )
})
