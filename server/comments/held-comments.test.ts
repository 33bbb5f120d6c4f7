import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostileActor, type HostilePeer } from '../test/hostile-peer.ts'
import { startScriptedPeerTube, type ScriptedPeerTube } from '../test/scripted-peertube.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'
import { crawlComments } from './crawl-comments.ts'
import { crawlReplies } from './crawl-replies.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
type Json = { [key: string]: unknown }
let site: TestInstance
let origin: ScriptedPeerTube
let other: HostilePeer
let mallory: HostileActor
let ada: Awaited<ReturnType<TestInstance['user']>>
beforeAll(async () => {
  site = await startTestInstance({ internals: { outbox: { checkInterval: 300 } } })
  origin = await startScriptedPeerTube(() => `${site.url}/inbox`)
  other = await startHostilePeer()
  await origin.follow()
  ada = await site.user('ada')
  mallory = await other.actor('mallory')
  await other.post(`${site.url}/inbox`, { type: 'Follow', id: other.id(), actor: mallory.url, object: `${site.url}/accounts/ada` })
  await eventually(async () => other.received.some(({ activity: { type } }) => type === 'Accept'), 20, 'the Accept')
}, 60_000)
afterAll(async () => {
  await Promise.all([origin?.peer.stop(), other?.stop(), site?.stop()])
})

/** Publishes a video of another server whose owner approves comments. */
async function publishGuardedVideo(): Promise<string> {
  const { video, activity } = origin.publish({ commentsPolicy: 3 })
  await origin.deliver(activity)
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM videos WHERE url = ${video.id}`)).length === 1, 20, 'the video')
  return video.id
}
/** Serves a comment of Mallory at its origin. */
function serveNote(inReplyTo: string, more: Json = {}): Json & { id: string } {
  const id = other.id('notes')
  const published = '2026-11-02T00:00:00Z'
  const note = { type: 'Note', id, attributedTo: mallory.url, inReplyTo, content: '<p>Spam</p>', published, to: [PUBLIC], cc: [], ...more }
  other.serve(new URL(id).pathname, note)
  return note
}
const sendCreate = async (object: Json) => {
  await other.post(`${site.url}/inbox`, { type: 'Create', id: other.id(), actor: mallory.url, to: [PUBLIC], object })
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 30, 'the processing')
}
const isStored = async ({ id }: { id: string }) => (await runQuery(sql`SELECT 1 FROM comments WHERE url = ${id}`)).length > 0

test('a comment that waits for the owner of a remote video can be read by the origin that judges it, and by nobody else', async () => {
  const { peer, account, instance } = origin
  const { video, activity } = origin.publish({ commentsPolicy: 3 })
  await origin.deliver(activity)
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM videos WHERE url = ${video.id}`)).length === 1, 20, 'the video')
  const bob = await site.user('bob')
  const { json } = await site.call(`POST /videos/${video.id.slice(-36)}/comment-threads`, { token: bob.token, body: { text: 'May I?' } })
  expect(json.comment.heldForReview).toBe(true)
  const { url } = json.comment
  await eventually(async () => peer.received.some(({ raw }) => raw.includes('May I?')), 20, 'the Create')

  const status = async (address: string, as: HostileActor | null, by = peer) => (await by.get(address, { as })).status
  const neighbour = await peer.actor('neighbour')
  const stranger = await other.actor('peertube', 'Application')
  for (const address of [url, `${url}/activity`]) {
    expect([await status(address, instance), await status(address, account)]).toEqual([200, 200])
    expect([await status(address, null), await status(address, neighbour), await status(address, stranger, other)]).toEqual([404, 404, 404])
  }
  // A falsified signature, and one of the right host with another key.
  expect((await peer.get(url, { as: { ...neighbour, keyId: instance.keyId } })).status).toBe(404)
  expect((await peer.get(url, { as: instance })).headers['cache-control']).toBe('private, no-store')
  expect((await peer.get(url, { as: instance })).json).toMatchObject({
    type: 'Note',
    inReplyTo: video.id,
    attributedTo: `${site.url}/accounts/bob`
  })
})

test('an approval counts only as the origin of the video serves it, by its owner and for this comment', async () => {
  const guarded = await publishGuardedVideo()
  const { peer, account } = origin
  const neighbour = await peer.actor('moderator')
  const serveApproval = (overrides: Json) => {
    const id = peer.id('approvals')
    peer.serve(new URL(id).pathname, { type: 'ApproveReply', id, actor: account.url, inReplyTo: guarded, ...overrides })
    return id
  }
  const approvalElsewhere = other.id('approvals')
  for (const replyApproval of [approvalElsewhere, 'https://x.example/', `${guarded}/nothing`, guarded, 5, 'javascript:alert(1)']) {
    const note = serveNote(guarded, { replyApproval })
    other.serve(new URL(approvalElsewhere).pathname, {
      type: 'ApproveReply',
      id: approvalElsewhere,
      actor: account.url,
      inReplyTo: guarded,
      object: note.id
    })
    await sendCreate(note)
    expect([replyApproval, await isStored(note)]).toEqual([replyApproval, false])
  }
  for (const overrides of [
    { object: `${other.url}/notes/another` },
    { actor: neighbour.url },
    { type: 'Note' },
    { inReplyTo: `${guarded}/comments/1` },
    { actor: [account.url, neighbour.url] }
  ]) {
    const note = serveNote(guarded)
    await sendCreate({ ...note, replyApproval: serveApproval({ object: note.id, ...overrides }) })
    expect([overrides, await isStored(note)]).toEqual([overrides, false])
  }
  const approved = serveNote(guarded)
  await sendCreate({ ...approved, replyApproval: serveApproval({ object: approved.id }) })
  expect(await isStored(approved)).toBe(true)
})

test('the comments that a video lists are approved below that video and below none of another server', async () => {
  const guarded = await publishGuardedVideo()
  const uuid = randomUUID()
  const id = `${other.url}/videos/watch/${uuid}`
  const note = serveNote(guarded)
  const own = {
    type: 'Video',
    id,
    uuid,
    name: 'Mine',
    duration: 'PT1S',
    attributedTo: mallory.url,
    to: [PUBLIC],
    cc: [],
    published: '2026-11-01T00:00:00Z',
    comments: `${id}/comments`,
    commentsPolicy: 3,
    url: [{ type: 'Link', mediaType: 'video/mp4', href: `${id}.mp4`, height: 720 }]
  }
  const below = serveNote(id)
  const answer = serveNote(note.id)
  other.serve(new URL(id).pathname, own)
  other.serve(`${new URL(id).pathname}/comments`, {
    type: 'OrderedCollection',
    id: `${id}/comments`,
    totalItems: 3,
    orderedItems: [answer.id, note.id, below.id]
  })
  await sendCreate(note)
  expect(await isStored(note)).toBe(false)
  await sendCreate(own)
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM videos WHERE url = ${id}`)).length > 0, 20, 'the video')
  await crawlComments((await runQuery<{ id: number }>(sql`SELECT id FROM videos WHERE url = ${id}`))[0]!.id)
  expect([await isStored(note), await isStored(answer), await isStored(below)]).toEqual([false, false, true])
})

test('the replies that a comment here lists are not approved below a video of another server', async () => {
  const guarded = await publishGuardedVideo()
  const { id, uuid } = await seedVideo({ channelId: ada.channelId })
  const url = `${site.url}/videos/watch/${uuid}`
  await runQuery(sql`UPDATE videos SET url = ${url} WHERE id = ${id}`)
  const spam = serveNote(guarded)
  const note = serveNote(url, { replies: { type: 'Collection', items: [spam.id] } })
  await sendCreate(note)
  await crawlReplies((await runQuery<{ id: number; url: string }>(sql`SELECT id, url FROM comments WHERE url = ${note.id}`))[0]!)
  expect([await isStored(note), await isStored(spam)]).toEqual([true, false])
})
