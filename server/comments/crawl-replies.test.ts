import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostileActor, type HostilePeer } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'
import { crawlDueCommentersJob } from './crawl-commenters.job.ts'
import { crawlDueRepliesJob } from './crawl-replies.job.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
type Json = { [key: string]: unknown }
let site: TestInstance
let peer: HostilePeer
let bob: HostileActor
let carol: HostileActor
let ada: Awaited<ReturnType<TestInstance['user']>>
let video: { uuid: string; url: string }
beforeAll(async () => {
  site = await startTestInstance({
    jobs: { timers_interval: 100_000 },
    internals: { inbox: { checkInterval: 100 }, commentRepair: { firstRetryAfter: 300 } }
  })
  ada = await site.user('ada')
  peer = await startHostilePeer()
  bob = await peer.actor('bob')
  carol = await peer.actor('carol')
}, 60_000)
afterAll(async () => {
  await Promise.all([site?.stop(), peer?.stop()])
})
beforeEach(async () => {
  const { id, uuid } = await seedVideo({ channelId: ada.channelId })
  video = { uuid, url: `${site.url}/videos/watch/${uuid}` }
  await runQuery(sql`UPDATE videos SET url = ${video.url} WHERE id = ${id}`)
})
const sleep = async (ms: number) => await new Promise(resolve => setTimeout(resolve, ms))
const settle = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 30, 'the processing')
const serveNote = (by: HostileActor, inReplyTo: string): Json & { id: string } => {
  const id = peer.id('notes')
  const note = {
    type: 'Note',
    id,
    attributedTo: by.url,
    inReplyTo,
    content: 'Hi',
    published: new Date().toISOString(),
    to: [PUBLIC],
    cc: []
  }
  peer.serve(new URL(id).pathname, note)
  return note
}
const receive = async (note: Json) => {
  await peer.post(`${site.url}/inbox`, { type: 'Create', id: peer.id(), actor: note.attributedTo, to: [PUBLIC], object: note })
  await settle()
}
const endOutage = async () => void (await runQuery(sql`UPDATE uptime SET missed_from = now() - interval '1 hour', missed_until = now()`))
const run = async (job: typeof crawlDueRepliesJob | typeof crawlDueCommentersJob) =>
  await job.run({}, { progress: () => undefined, signal: new AbortController().signal })
const countComments = async () => (await site.call(`GET /videos/${video.uuid}`)).json.comments
const countRequests = (url: string) => peer.asked.filter(path => path === new URL(url).pathname).length

test('replies are read once the server of their comment answers, and it is not asked all the time', async () => {
  const note = serveNote(bob, video.url)
  await receive(note)
  const reply = serveNote(carol, note.id)
  peer.serve(new URL(note.id).pathname, { ...note, replies: { type: 'Collection', items: [reply.id] } })
  await endOutage()
  peer.refuse(new URL(note.id).pathname, 503)
  for (let time = 0; time < 3; time++) await run(crawlDueRepliesJob)
  expect(countRequests(note.id)).toBe(1)
  peer.refuse(new URL(note.id).pathname, null)
  await sleep(400)
  await run(crawlDueRepliesJob)
  expect(await countComments()).toBe(2)
  const before = countRequests(note.id)
  await run(crawlDueRepliesJob)
  expect(countRequests(note.id)).toBe(before)
})

test('a comment that its server refuses to show is asked for once', async () => {
  const note = serveNote(bob, video.url)
  await receive(note)
  await endOutage()
  peer.refuse(new URL(note.id).pathname, 403)
  await run(crawlDueRepliesJob)
  const before = countRequests(note.id)
  expect(before).toBeGreaterThan(0)
  await sleep(400)
  await run(crawlDueRepliesJob)
  expect(countRequests(note.id)).toBe(before)
})

test('the outbox of a commenter is read once its server answers', async () => {
  await receive(serveNote(bob, video.url))
  const lost = serveNote(bob, video.url)
  const create = { type: 'Create', id: peer.id(), actor: bob.url, to: [PUBLIC], object: lost }
  peer.serve('/accounts/bob/outbox', { type: 'OrderedCollection', id: `${bob.url}/outbox`, totalItems: 1, orderedItems: [create] })
  await endOutage()
  peer.refuse('/accounts/bob/outbox', 503)
  for (let time = 0; time < 3; time++) await run(crawlDueCommentersJob)
  expect(countRequests(`${bob.url}/outbox`)).toBe(1)
  peer.refuse('/accounts/bob/outbox', null)
  await sleep(400)
  await run(crawlDueCommentersJob)
  await settle()
  expect(await countComments()).toBe(2)
  await run(crawlDueCommentersJob)
  expect(countRequests(`${bob.url}/outbox`)).toBe(2)
})
