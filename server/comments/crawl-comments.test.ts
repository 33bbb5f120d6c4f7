import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { crawlComments } from './crawl-comments.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
let site: TestInstance
let origin: HostilePeer
let elsewhere: HostilePeer
let owner: HostileActor
let channel: HostileActor
let writer: HostileActor
let ada: { token: string }

beforeAll(async () => {
  ;[site, origin, elsewhere] = await Promise.all([
    startTestInstance({ federation: { crawl: { interval: '1 hour' } } }),
    startHostilePeer(),
    startHostilePeer()
  ])
  ada = await site.user('ada')
  owner = await origin.actor('owner')
  channel = await origin.actor('films', 'Group', { attributedTo: [{ type: 'Person', id: owner.url }] })
  writer = await elsewhere.actor('writer')
  await origin.post(`${site.url}/inbox`, { type: 'Follow', id: origin.id(), actor: owner.url, object: `${site.url}/accounts/peertube` })
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM follows WHERE state = 'accepted'`)).length === 1, 20, 'the follow')
}, 120_000)
afterAll(async () => {
  await Promise.all([site.stop(), origin.stop(), elsewhere.stop()])
})

type Film = { id: string; uuid: string; comments: string[] }
type Note = { id: string; [key: string]: unknown }

/** A film of the origin with a list of comments, served there. */
function film(more: object = {}): Film {
  const uuid = randomUUID()
  const id = `${origin.url}/videos/watch/${uuid}`
  const comments: string[] = []
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
    commentsPolicy: 1,
    comments: `${id}/comments`,
    url: [
      { type: 'Link', mediaType: 'text/html', href: id },
      {
        type: 'Link',
        mediaType: 'application/x-mpegURL',
        href: `${origin.url}/hls/${uuid}/master.m3u8`,
        tag: [
          { type: 'Link', mediaType: 'video/mp4', href: `${origin.url}/hls/${uuid}/720.mp4`, height: 720, width: 1280, size: 1000, fps: 25 }
        ]
      }
    ],
    icon: [{ type: 'Image', url: `${origin.url}/pictures/${uuid}.jpg`, mediaType: 'image/jpeg', width: 280, height: 157 }],
    attributedTo: [
      { type: 'Person', id: owner.url },
      { type: 'Group', id: channel.url }
    ],
    ...more
  }
  origin.serve(new URL(id).pathname, { '@context': 'https://www.w3.org/ns/activitystreams', ...document })
  const list = (page: boolean) =>
    page
      ? {
          type: 'OrderedCollectionPage',
          id: `${id}/comments?page=1`,
          partOf: `${id}/comments`,
          orderedItems: comments,
          totalItems: comments.length
        }
      : { type: 'OrderedCollection', id: `${id}/comments`, totalItems: comments.length, first: `${id}/comments?page=1` }
  origin.serve(`${new URL(id).pathname}/comments`, (request, response) =>
    response.writeHead(200, { 'content-type': 'application/activity+json' }).end(JSON.stringify(list(request.url!.includes('page='))))
  )
  return { id, uuid, comments }
}
function note(at: HostilePeer, by: HostileActor, inReplyTo: string, content: string, more: object = {}): Note {
  const id = at.id('note')
  const document = {
    type: 'Note',
    id,
    url: id,
    attributedTo: by.url,
    content: `<p>${content}</p>`,
    inReplyTo,
    published: '2026-11-02T00:00:00.000Z',
    to: [PUBLIC],
    cc: [],
    ...more
  }
  at.serve(new URL(id).pathname, document)
  return document
}
const say = async (type: string, object: unknown) => {
  await origin.post(`${site.url}/inbox`, { type, id: origin.id(), actor: owner.url, to: [PUBLIC], object })
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 20, 'quiet')
}
const bring = async (one: Film) => {
  await say('Create', await (await fetch(one.id)).json())
}
const words = async (uuid: string): Promise<string[]> =>
  (await site.call(`GET /videos/${uuid}/comment-threads?sort=createdAt`)).json.data
    ?.filter((one: { isDeleted: boolean }) => !one.isDeleted)
    .map((one: { text: string }) => one.text.replace(/<[^>]*>/g, '').trim())
const numberOf = async (url: string) => (await runQuery<{ id: number }>(sql`SELECT id FROM videos WHERE url = ${url}`))[0]!.id

test('what was said before a video came here is read with it, answers too, and kept in step', async () => {
  const one = film()
  const first = note(origin, owner, one.id, 'First')
  const answer = note(elsewhere, writer, first.id, 'Answer')
  const second = note(elsewhere, writer, one.id, 'Second', { published: '2026-11-03T00:00:00.000Z' })
  one.comments.push(second.id, answer.id, first.id)
  await bring(one)
  await eventually(async () => (await words(one.uuid))?.length === 2, 10, 'the threads')
  expect(await words(one.uuid)).toEqual(['First', 'Second'])
  await eventually(async () => (await site.call(`GET /videos/${one.uuid}`)).json.comments === 3, 10, 'the answer')
  // One is gone at its author's, one was taken off the list by the video's owner, one is new.
  elsewhere.serve(new URL(second.id).pathname, { type: 'Tombstone', id: second.id, formerType: 'Note' })
  const third = note(origin, owner, one.id, 'Third', { published: '2026-11-04T00:00:00.000Z' })
  one.comments.splice(0, 3, third.id, first.id)
  await crawlComments(await numberOf(one.id))
  expect(await words(one.uuid)).toEqual(['First', 'Third'])
  expect((await site.call(`GET /videos/${one.uuid}`)).json.comments).toBe(2)
  const before = elsewhere.asked.length + origin.asked.length
  await crawlComments(await numberOf(one.id))
  expect(elsewhere.asked.length + origin.asked.length - before).toBe(2)
})

test('lists that name what is not below the video, of others, or never ends, bring nothing', async () => {
  const [one, other] = [film(), film()]
  const forged = note(elsewhere, owner, one.id, 'In the name of the owner')
  const scripted = note(elsewhere, writer, one.id, '<img src=x onerror=alert(1)>Fine', { published: '2026-11-05T00:00:00.000Z' })
  const secret = note(elsewhere, writer, one.id, 'Not for all', { to: [writer.url] })
  one.comments.push(
    forged.id,
    secret.id,
    `${site.url}/videos/watch/x/comments/1`,
    'javascript:alert(1)',
    `${elsewhere.url}/nothing`,
    scripted.id
  )
  await bring(one)
  await bring(other)
  await eventually(async () => (await words(one.uuid))?.length === 1, 10, 'the comment')
  expect((await site.call(`GET /videos/${one.uuid}/comment-threads`)).json.data[0].text).not.toContain('onerror')
  // A comment whose thread leads to another video stays there.
  const strayed = note(elsewhere, writer, other.id, 'Below the other')
  one.comments.push(strayed.id)
  await crawlComments(await numberOf(one.id))
  expect([await words(one.uuid), await words(other.uuid)]).toEqual([['Fine'], ['Below the other']])
  origin.serve(`${new URL(one.id).pathname}/comments`, (request, response) => {
    const page = Number(new URL(request.url!, origin.url).searchParams.get('page') ?? 0)
    response.writeHead(200, { 'content-type': 'application/activity+json' }).end(
      JSON.stringify({
        type: 'OrderedCollectionPage',
        id: `${origin.url}${request.url}`,
        first: `${one.id}/comments?page=1`,
        next: `${one.id}/comments?page=${page + 1}`,
        ...(page > 0 ? { orderedItems: [forged.id] } : {})
      })
    )
  })
  await expect(crawlComments(await numberOf(one.id))).rejects.toThrow(/goes on|asked/)
  expect(await words(one.uuid)).toEqual(['Fine'])
})

test('a video that its origin takes away and brings back has what people here said about it; of the video itself nothing is kept meanwhile', async () => {
  const one = film({ content: 'A secret description' })
  const first = note(origin, owner, one.id, 'First')
  one.comments.push(first.id)
  await bring(one)
  await eventually(async () => (await words(one.uuid))?.length === 1, 10, 'the comment')
  expect((await site.call(`POST /videos/${one.uuid}/comment-threads`, { token: ada.token, body: { text: 'From here' } })).status).toBe(200)
  await site.call(`PUT /videos/${one.uuid}/rate`, { token: ada.token, body: { rating: 'like' } })
  await say('Delete', one.id)
  expect((await site.call(`GET /videos/${one.uuid}`)).status).toBe(404)
  expect(
    (await site.call(`GET /videos?search=${encodeURIComponent('far film')}&host=${origin.host}`)).json.data.some(
      (video: { uuid: string }) => video.uuid === one.uuid
    )
  ).toBe(false)
  expect(await runQuery(sql`SELECT description, tags FROM videos WHERE url = ${one.id}`)).toEqual([{ description: null, tags: [] }])
  expect(await runQuery(sql`SELECT 1 FROM remote_playlists p JOIN videos v ON v.id = p.video_id WHERE v.url = ${one.id}`)).toEqual([])
  const late = note(origin, owner, one.id, 'While it was away', { published: '2026-11-04T00:00:00.000Z' })
  one.comments.push(late.id)
  // Whoever follows the channel or the instance hears of it by an Announce.
  await origin.post(`${site.url}/inbox`, { type: 'Announce', id: origin.id(), actor: channel.url, to: [PUBLIC], object: one.id })
  await eventually(async () => (await words(one.uuid))?.length === 3, 10, 'all comments')
  expect((await site.call(`GET /users/me/videos/${await numberOf(one.id)}/rating`, { token: ada.token })).json.rating).toBe('like')
  // One that nobody here said anything about goes at once.
  const two = film()
  await bring(two)
  await say('Delete', two.id)
  expect(await runQuery(sql`SELECT 1 FROM videos WHERE url = ${two.id}`)).toEqual([])
})
