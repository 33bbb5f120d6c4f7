import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { noteUptime } from '../fediverse/outages.ts'
import { startHostilePeer, type HostileActor, type HostilePeer } from './hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from './instance.ts'
import { REPAIR_JOBS, runRepairJobs } from './repair.ts'
import { seedVideo } from './seed-video.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
let site: TestInstance
let peer: HostilePeer
let other: HostilePeer
let owner: HostileActor
let channel: HostileActor
let writer: HostileActor
let stranger: HostileActor
let localVideo: string

beforeAll(async () => {
  ;[site, peer, other] = await Promise.all([
    startTestInstance({ jobs: { timers_interval: 100_000 } }),
    startHostilePeer(),
    startHostilePeer()
  ])
  const ada = await site.user('ada')
  owner = await peer.actor('owner')
  channel = await peer.actor('films', 'Group', { attributedTo: [{ type: 'Person', id: owner.url }] })
  writer = await peer.actor('writer')
  stranger = await other.actor('stranger')
  await peer.post(`${site.url}/inbox`, { type: 'Follow', id: peer.id(), actor: owner.url, object: `${site.url}/accounts/peertube` })
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM follows WHERE state = 'accepted'`)).length === 1, 20, 'the follow')
  const { uuid } = await seedVideo({ channelId: ada.channelId })
  localVideo = `${site.url}/videos/watch/${uuid}`
  await runQuery(sql`UPDATE videos SET url = ${localVideo} WHERE uuid = ${uuid}`)
}, 60_000)
afterAll(async () => {
  await Promise.all([site?.stop(), peer?.stop(), other?.stop()])
})

const serveList = (at: HostilePeer, url: string, items: unknown[]) =>
  at.serve(new URL(url).pathname, { type: 'OrderedCollection', id: url, totalItems: items.length, orderedItems: items })
function serveVideo(name: string, id: string, updated: string, { likes = 0, comments = [] as string[] } = {}): object {
  const document = {
    type: 'Video',
    id,
    uuid: id.slice(-36),
    name,
    duration: 'PT42S',
    views: 5,
    published: '2026-11-01T00:00:00.000Z',
    updated,
    to: [PUBLIC],
    cc: [],
    commentsPolicy: 1,
    comments: `${id}/comments`,
    likes: `${id}/likes`,
    dislikes: `${id}/dislikes`,
    url: [
      { type: 'Link', mediaType: 'text/html', href: id },
      {
        type: 'Link',
        mediaType: 'video/mp4',
        href: `${peer.url}/files/${id.slice(-36)}.mp4`,
        height: 720,
        width: 1280,
        size: 1000,
        fps: 25
      }
    ],
    icon: [{ type: 'Image', url: `${peer.url}/pictures/${id.slice(-36)}.jpg`, mediaType: 'image/jpeg', width: 280, height: 157 }],
    attributedTo: [
      { type: 'Person', id: owner.url },
      { type: 'Group', id: channel.url }
    ]
  }
  peer.serve(new URL(id).pathname, document)
  serveList(peer, document.comments, comments)
  serveList(
    peer,
    document.likes,
    Array.from({ length: likes }, (_, index) => `${peer.url}/likes/${index}`)
  )
  serveList(peer, document.dislikes, [])
  return document
}
function serveNote(at: HostilePeer, by: HostileActor, inReplyTo: string, content: string, more: object = {}) {
  const id = at.id('note')
  const note = {
    type: 'Note',
    id,
    url: id,
    attributedTo: by.url,
    content,
    inReplyTo,
    published: new Date().toISOString(),
    to: [PUBLIC],
    cc: [],
    ...more
  }
  at.serve(new URL(id).pathname, note)
  return note
}
const post = async (by: HostileActor, type: string, object: { id: string }) => {
  const at = by === stranger ? other : peer
  await at.post(`${site.url}/inbox`, { type, id: `${object.id}/${type}`, actor: by.url, to: [PUBLIC], object })
}
const create = (by: HostileActor, object: { id: string }) => ({
  type: 'Create',
  id: `${object.id}/Create`,
  actor: by.url,
  to: [PUBLIC],
  object
})
const comments = async () =>
  (
    await runQuery<{ text: string }>(
      sql`SELECT regexp_replace(text, '<[^>]*>', '', 'g') AS text FROM comments WHERE deleted_at IS NULL ORDER BY text`
    )
  ).map(({ text }) => text.trim())
const repair = async () => await runRepairJobs(REPAIR_JOBS)

test('what was missed in an outage of an hour is read from the other servers within 15 minutes', { timeout: 120_000 }, async () => {
  const id = `${peer.url}/videos/watch/${randomUUID()}`
  await post(owner, 'Create', serveVideo('Before', id, '2026-11-01T00:00:00.000Z') as { id: string })
  const first = serveNote(peer, writer, localVideo, 'A comment from before')
  await post(writer, 'Create', first)
  await eventually(async () => (await comments()).length === 1, 20, 'the comment')
  await eventually(
    async () => (await runQuery(sql`SELECT 1 FROM videos WHERE url = ${id} AND comments_read_at IS NOT NULL`)).length === 1,
    20,
    'the video'
  )
  await repair()

  // What nobody sends again: a new name, a like and a comment of the video, a comment and a like of ours, a reply by a third server.
  const below = serveNote(peer, owner, id, 'Below the far video')
  serveVideo('Renamed', id, '2026-11-02T00:00:00.000Z', { likes: 3, comments: [below.id] })
  const missed = serveNote(peer, writer, localVideo, 'A missed comment')
  const reply = serveNote(other, stranger, first.id, 'A reply by a third server')
  const forged = { ...serveNote(other, stranger, localVideo, 'Not by the writer') }
  const like = { type: 'Like', id: `${writer.url}/likes/1`, actor: writer.url, object: localVideo }
  peer.serve(new URL(first.id).pathname, {
    ...first,
    content: 'A comment from before, edited',
    updated: new Date().toISOString(),
    replies: {
      type: 'Collection',
      id: `${first.id}/replies`,
      first: { type: 'CollectionPage', partOf: `${first.id}/replies`, items: [reply.id, 'nonsense', 7] }
    }
  })
  serveList(peer, `${writer.url}/outbox`, [
    null,
    { type: 'Create' },
    { type: 'Create', id: 'urn:x', actor: writer.url, object: missed },
    create(stranger, forged),
    { ...create(writer, forged), id: `${other.url}/activities/1` },
    create(writer, serveNote(peer, writer, 'https://elsewhere.example/1', 'About somebody else')),
    like,
    create(writer, missed)
  ])
  const state = async () => {
    const [video] = await runQuery<{ name: string; likes: number }>(sql`SELECT name, likes FROM videos WHERE url = ${id}`)
    const [ours] = await runQuery<{ likes: number }>(sql`SELECT likes FROM videos WHERE url = ${localVideo}`)
    return { ...video, ours: ours!.likes, comments: await comments() }
  }
  const before = { name: 'Before', likes: 0, ours: 0, comments: ['A comment from before'] }
  // Without an outage nothing is asked again so soon.
  await noteUptime()
  await repair()
  expect(await state()).toEqual(before)

  await runQuery(sql`UPDATE uptime SET seen_at = now() - interval '1 hour'`)
  await noteUptime()
  await repair()
  const after = {
    name: 'Renamed',
    likes: 3,
    ours: 1,
    comments: ['A comment from before, edited', 'A missed comment', 'A reply by a third server', 'Below the far video']
  }
  await eventually(async () => JSON.stringify(await state()) === JSON.stringify(after), 20, JSON.stringify(after)).catch(async () => {
    expect(await state()).toEqual(after)
  })
  // Once it was read, nothing is asked again.
  const asked = () => peer.asked.length + other.asked.length
  await eventually(
    async () => (await runQuery(sql`SELECT 1 FROM videos WHERE comments_read_at < (SELECT missed_until FROM uptime)`)).length === 0,
    20,
    'all comments'
  )
  // The comments found may have replies, too.
  await repair()
  const askedBefore = asked()
  await noteUptime()
  await repair()
  expect([await state(), asked()]).toEqual([after, askedBefore])
  // Each job begins at least every five minutes, so that all are through in fifteen.
  for (const job of REPAIR_JOBS) expect([job.name, job.every!()]).toEqual([job.name, expect.toSatisfy((every: number) => every <= 300_000)])
})

test('a comment that is gone at its origin when its replies are read is deleted here', async () => {
  const note = serveNote(peer, writer, localVideo, 'Soon gone')
  await post(writer, 'Create', note)
  await eventually(async () => (await comments()).includes('Soon gone'), 20, 'the comment')
  peer.serve(new URL(note.id).pathname, { type: 'Tombstone', id: note.id, formerType: 'Note' })
  await runQuery(sql`UPDATE uptime SET missed_until = now()`)
  await runQuery(sql`UPDATE comments SET replies_read_at = now() - interval '1 minute'`)
  await repair()
  expect(await comments()).not.toContain('Soon gone')
})
