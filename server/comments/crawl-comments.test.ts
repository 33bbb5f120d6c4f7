import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { requestObjectRefresh } from '../fediverse/object-refreshes.ts'
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

type RemoteVideo = { id: string; uuid: string; comments: string[] }
type RemoteNote = { id: string; [key: string]: unknown }

/** Serves a video with a list of comments at its origin. */
function serveVideo(more: object = {}): RemoteVideo {
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
function serveNote(at: HostilePeer, by: HostileActor, inReplyTo: string, content: string, more: object = {}): RemoteNote {
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
const deliver = async (type: string, object: unknown) => {
  await origin.post(`${site.url}/inbox`, { type, id: origin.id(), actor: owner.url, to: [PUBLIC], object })
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 20, 'quiet')
}
const deliverVideo = async (video: RemoteVideo) => {
  await deliver('Create', await (await fetch(video.id)).json())
}
const listCommentTexts = async (uuid: string): Promise<string[]> =>
  (await site.call(`GET /videos/${uuid}/comment-threads?sort=createdAt`)).json.data
    ?.filter((video: { isDeleted: boolean }) => !video.isDeleted)
    .map((video: { text: string }) => video.text.replace(/<[^>]*>/g, '').trim())
const videoIdOf = async (url: string) => (await runQuery<{ id: number }>(sql`SELECT id FROM videos WHERE url = ${url}`))[0]!.id

test('existing comments and replies of a new video are crawled, and later crawls follow changes', async () => {
  const video = serveVideo()
  const first = serveNote(origin, owner, video.id, 'First')
  const reply = serveNote(elsewhere, writer, first.id, 'Answer')
  const second = serveNote(elsewhere, writer, video.id, 'Second', { published: '2026-11-03T00:00:00.000Z' })
  video.comments.push(second.id, reply.id, first.id)
  await deliverVideo(video)
  await eventually(async () => (await listCommentTexts(video.uuid))?.length === 2, 10, 'the threads')
  expect(await listCommentTexts(video.uuid)).toEqual(['First', 'Second'])
  await eventually(async () => (await site.call(`GET /videos/${video.uuid}`)).json.comments === 3, 10, 'the answer')
  // One comment is deleted by its author, one is removed from the list by the video's owner, one is new.
  elsewhere.serve(new URL(second.id).pathname, { type: 'Tombstone', id: second.id, formerType: 'Note' })
  const third = serveNote(origin, owner, video.id, 'Third', { published: '2026-11-04T00:00:00.000Z' })
  video.comments.splice(0, 3, third.id, first.id)
  await crawlComments(await videoIdOf(video.id))
  expect(await listCommentTexts(video.uuid)).toEqual(['First', 'Third'])
  expect((await site.call(`GET /videos/${video.uuid}`)).json.comments).toBe(2)
  const before = elsewhere.asked.length + origin.asked.length
  await crawlComments(await videoIdOf(video.id))
  expect(elsewhere.asked.length + origin.asked.length - before).toBe(2)
})

test('a list that shifts while its pages are read deletes no comment', async () => {
  const video = serveVideo()
  const notes = [
    serveNote(elsewhere, writer, video.id, 'One'),
    serveNote(origin, owner, video.id, 'Two'),
    serveNote(origin, owner, video.id, 'Three')
  ]
  video.comments.push(...notes.map(({ id }) => id).reverse())
  await deliverVideo(video)
  await eventually(async () => (await listCommentTexts(video.uuid))?.length === 3, 10, 'the threads')
  const list = `${video.id}/comments`
  /** Two comments a page; `afterPage` is called once the first one was sent. */
  const servePages = (afterPage: () => void) =>
    origin.serve(new URL(list).pathname, (request, response) => {
      const page = Number(new URL(request.url!, origin.url).searchParams.get('page') ?? 0)
      const document =
        page === 0
          ? { type: 'OrderedCollection', id: list, first: `${list}?page=1`, totalItems: video.comments.length }
          : {
              type: 'OrderedCollectionPage',
              id: `${list}?page=${page}`,
              partOf: list,
              orderedItems: video.comments.slice((page - 1) * 2, page * 2),
              ...(page === 1 ? { next: `${list}?page=2` } : {})
            }
      response.writeHead(200, { 'content-type': 'application/activity+json' }).end(JSON.stringify(document))
      if (page === 1) afterPage()
    })
  const removeFirst = () => void (video.comments.length === 3 && video.comments.shift())
  servePages(removeFirst)
  await crawlComments(await videoIdOf(video.id))
  expect((await listCommentTexts(video.uuid)).sort()).toEqual(['One', 'Three', 'Two'])
  // One that the origin itself serves is not deleted by its list alone.
  video.comments.splice(0)
  servePages(() => undefined)
  await crawlComments(await videoIdOf(video.id))
  expect((await listCommentTexts(video.uuid)).sort()).toEqual(['Three', 'Two'])
  origin.refuse(new URL(notes[2]!.id).pathname, 503)
  origin.serve(new URL(notes[1]!.id).pathname, { type: 'Tombstone', id: notes[1]!.id, formerType: 'Note' })
  await crawlComments(await videoIdOf(video.id))
  expect(await listCommentTexts(video.uuid)).toEqual(['Three'])
})

test('a listed comment whose server does not answer is asked for later', async () => {
  const video = serveVideo()
  const note = serveNote(elsewhere, writer, video.id, 'Later')
  elsewhere.refuse(new URL(note.id).pathname, 503)
  video.comments.push(note.id)
  await deliverVideo(video)
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM object_refreshes WHERE url = ${note.id}`)).length === 1, 10, 'the request')
  elsewhere.refuse(new URL(note.id).pathname, null)
  await runQuery(sql`UPDATE object_refreshes SET not_before = now() WHERE url = ${note.id}`)
  await requestObjectRefresh(note.id)
  await eventually(async () => (await listCommentTexts(video.uuid))?.length === 1, 20, 'the comment')
})

test('lists with comments of other videos, forged comments or endless pages store nothing', async () => {
  const [video, other] = [serveVideo(), serveVideo()]
  const forgedNote = serveNote(elsewhere, owner, video.id, 'In the name of the owner')
  const noteWithScript = serveNote(elsewhere, writer, video.id, '<img src=x onerror=alert(1)>Fine', {
    published: '2026-11-05T00:00:00.000Z'
  })
  const privateNote = serveNote(elsewhere, writer, video.id, 'Not for all', { to: [writer.url] })
  video.comments.push(
    forgedNote.id,
    privateNote.id,
    `${site.url}/videos/watch/x/comments/1`,
    'javascript:alert(1)',
    `${elsewhere.url}/nothing`,
    noteWithScript.id
  )
  await deliverVideo(video)
  await deliverVideo(other)
  await eventually(async () => (await listCommentTexts(video.uuid))?.length === 1, 10, 'the comment')
  expect((await site.call(`GET /videos/${video.uuid}/comment-threads`)).json.data[0].text).not.toContain('onerror')
  // A comment whose thread leads to another video is stored below that video.
  const noteOfOtherVideo = serveNote(elsewhere, writer, other.id, 'Below the other')
  video.comments.push(noteOfOtherVideo.id)
  await crawlComments(await videoIdOf(video.id))
  expect([await listCommentTexts(video.uuid), await listCommentTexts(other.uuid)]).toEqual([['Fine'], ['Below the other']])
  origin.serve(`${new URL(video.id).pathname}/comments`, (request, response) => {
    const page = Number(new URL(request.url!, origin.url).searchParams.get('page') ?? 0)
    response.writeHead(200, { 'content-type': 'application/activity+json' }).end(
      JSON.stringify({
        type: 'OrderedCollectionPage',
        id: `${origin.url}${request.url}`,
        first: `${video.id}/comments?page=1`,
        next: `${video.id}/comments?page=${page + 1}`,
        ...(page > 0 ? { orderedItems: [forgedNote.id] } : {})
      })
    )
  })
  await expect(crawlComments(await videoIdOf(video.id))).rejects.toThrow(/goes on|asked/)
  expect(await listCommentTexts(video.uuid)).toEqual(['Fine'])
})

test('a video that its origin deletes and restores keeps local comments and ratings, but no metadata in between', async () => {
  const video = serveVideo({ content: 'A secret description' })
  const first = serveNote(origin, owner, video.id, 'First')
  video.comments.push(first.id)
  await deliverVideo(video)
  await eventually(async () => (await listCommentTexts(video.uuid))?.length === 1, 10, 'the comment')
  expect((await site.call(`POST /videos/${video.uuid}/comment-threads`, { token: ada.token, body: { text: 'From here' } })).status).toBe(
    200
  )
  await site.call(`PUT /videos/${video.uuid}/rate`, { token: ada.token, body: { rating: 'like' } })
  const { pathname } = new URL(video.id)
  origin.refuse(pathname, 404)
  await deliver('Delete', video.id)
  await eventually(async () => (await site.call(`GET /videos/${video.uuid}`)).status === 404, 10, 'the deletion')
  expect(
    (await site.call(`GET /search/videos?search=${encodeURIComponent('far film')}&host=${origin.host}`)).json.data.some(
      (found: { uuid: string }) => found.uuid === video.uuid
    )
  ).toBe(false)
  expect(await runQuery(sql`SELECT description, tags FROM videos WHERE url = ${video.id}`)).toEqual([{ description: null, tags: [] }])
  expect(await runQuery(sql`SELECT 1 FROM remote_playlists p JOIN videos v ON v.id = p.video_id WHERE v.url = ${video.id}`)).toEqual([])
  const laterNote = serveNote(origin, owner, video.id, 'While it was away', { published: '2026-11-04T00:00:00.000Z' })
  video.comments.push(laterNote.id)
  origin.refuse(pathname, null)
  // Followers of the channel or the instance receive an Announce.
  await origin.post(`${site.url}/inbox`, { type: 'Announce', id: origin.id(), actor: channel.url, to: [PUBLIC], object: video.id })
  await eventually(async () => (await listCommentTexts(video.uuid))?.length === 3, 10, 'all comments')
  expect((await site.call(`GET /users/me/videos/${await videoIdOf(video.id)}/rating`, { token: ada.token })).json.rating).toBe('like')
  // A video without comments or ratings of local users is deleted at once.
  const otherVideo = serveVideo()
  await deliverVideo(otherVideo)
  origin.refuse(new URL(otherVideo.id).pathname, 404)
  await deliver('Delete', otherVideo.id)
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM videos WHERE url = ${otherVideo.id}`)).length === 0, 10, 'the deletion')
})
