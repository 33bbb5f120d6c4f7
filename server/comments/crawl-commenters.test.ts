import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostileActor, type HostilePeer } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'
import { crawlCommenterOutbox } from './crawl-commenters.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
type Json = { [key: string]: unknown }
let site: TestInstance
let peer: HostilePeer
let neighbour: HostileActor
let ada: Awaited<ReturnType<TestInstance['user']>>
let bob: HostileActor
let video: { uuid: string; url: string }
beforeAll(async () => {
  site = await startTestInstance({ internals: { inbox: { checkInterval: 100 }, commentRepair: { maxOutboxFetches: 4 } } })
  ada = await site.user('ada')
  peer = await startHostilePeer()
  neighbour = await peer.actor('neighbour')
}, 60_000)
afterAll(async () => {
  await Promise.all([site?.stop(), peer?.stop()])
})
let count = 0
beforeEach(async () => {
  const { id, uuid } = await seedVideo({ channelId: ada.channelId })
  video = { uuid, url: `${site.url}/videos/watch/${uuid}` }
  await runQuery(sql`UPDATE videos SET url = ${video.url} WHERE id = ${id}`)
  bob = await peer.actor(`bob${++count}`)
  await receive(activityOf('Create', noteOf()))
})
const noteOf = (overrides: Json = {}): Json & { id: string } => {
  const id = peer.id('notes')
  const published = '2026-11-01T00:00:00Z'
  const note = {
    type: 'Note',
    id,
    attributedTo: bob.url,
    inReplyTo: video.url,
    content: 'Hi',
    published,
    to: [PUBLIC],
    cc: [],
    ...overrides
  }
  peer.serve(new URL(id).pathname, note)
  return note
}
const activityOf = (type: string, object: unknown): Json & { id: string } => {
  const activity = { type, id: peer.id(), actor: bob.url, to: [PUBLIC], object }
  peer.serve(new URL(activity.id).pathname, activity)
  return activity
}
const settle = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 30, 'the processing')
let second = 0
/** Each with another time, as signatures of one second are the same. */
async function receive(activity: Json): Promise<void> {
  await peer.post(`${site.url}/inbox`, activity, { date: new Date(Date.now() - 200_000 + 1000 * second++) })
  await settle()
}
/** Reads an outbox with these items, the newest first. */
const crawl = async (orderedItems: unknown[]) => {
  const id = `${bob.url}/outbox`
  peer.serve(new URL(id).pathname, { type: 'OrderedCollection', id, totalItems: orderedItems.length, orderedItems })
  await crawlCommenterOutbox(
    (
      await runQuery<{ id: number; url: string; outbox: string }>(
        sql`SELECT id, url, outbox_url AS outbox FROM actors WHERE url = ${bob.url}`
      )
    )[0]!
  )
  await settle()
}
const listComments = async () =>
  (await site.call(`GET /videos/${video.uuid}/comment-threads`)).json.data.map(({ url, isDeleted }: Json) => (isDeleted ? 'deleted' : url))
const countRatings = async () => {
  const { likes, dislikes } = (await site.call(`GET /videos/${video.uuid}`)).json
  return [likes, dislikes]
}

test('activities and their objects are fetched where an outbox names them by their ids', async () => {
  const [one, two, three] = [noteOf(), noteOf(), noteOf()]
  await crawl([activityOf('Create', one.id), activityOf('Create', two.id).id, { id: activityOf('Create', { id: three.id }).id }])
  expect(await listComments()).toEqual(expect.arrayContaining([one.id, two.id]))
  // Four fetches a time; what is known is not fetched again.
  const asked = peer.asked.length
  await crawl([activityOf('Create', one.id), three.id, activityOf('Create', three)])
  expect(await listComments()).toHaveLength(4)
  expect(peer.asked.length - asked).toBe(2)
})

test('what others wrote, or nobody serves, is not taken for what the actor of an outbox wrote', async () => {
  const foreign = noteOf({ attributedTo: neighbour.url })
  const privateNote = noteOf({ to: [], cc: [] })
  await crawl([
    activityOf('Create', foreign.id),
    { ...activityOf('Create', noteOf()), actor: neighbour.url },
    `${peer.url}/nothing`,
    'https://x.example/1',
    activityOf('Create', `${peer.url}/nothing`),
    activityOf('Create', privateNote.id),
    null,
    5,
    [],
    {}
  ])
  expect(await listComments()).toHaveLength(1)
})

test('an Update by the id of its object changes a known comment', async () => {
  const note = noteOf()
  await receive(activityOf('Create', note))
  peer.serve(new URL(note.id).pathname, { ...note, content: 'Edited', updated: '2026-11-02T00:00:00Z' })
  await crawl([activityOf('Update', note.id)])
  expect(await runQuery(sql`SELECT text FROM comments WHERE url = ${note.id}`)).toEqual([{ text: 'Edited' }])
})

test('of a reaction and its end in an outbox the newest counts', async () => {
  const like = activityOf('Like', video.url)
  const undo = activityOf('Undo', like)
  await receive(like)
  await receive(undo)
  await crawl([undo, like])
  expect(await countRatings()).toEqual([0, 0])
  await crawl([activityOf('Undo', like.id), like])
  expect(await countRatings()).toEqual([0, 0])
  await crawl([activityOf('Undo', { type: 'Like', actor: bob.url, object: video.url }), activityOf('Like', video.url)])
  expect(await countRatings()).toEqual([0, 0])
  // The Like has the same id each time.
  await crawl([{ ...like, cc: [] }, undo, like])
  expect(await countRatings()).toEqual([1, 0])
  await crawl([activityOf('Dislike', video.url), activityOf('Undo', like)])
  expect(await countRatings()).toEqual([0, 1])
})

test('an Undo in an outbox that did not arrive takes a reaction back, and one of something unknown has no effect', async () => {
  const like = activityOf('Like', video.url)
  await receive(like)
  expect(await countRatings()).toEqual([1, 0])
  await crawl([activityOf('Undo', like.id)])
  expect(await countRatings()).toEqual([0, 0])
  await crawl([activityOf('Undo', { ...like })])
  await receive(like)
  expect(await countRatings()).toEqual([1, 0])
})

test('a comment that was deleted later in an outbox is not stored, one that its actor has shared is', async () => {
  const [deleted, shared, known] = [noteOf(), noteOf(), noteOf()]
  await receive(activityOf('Create', known))
  await crawl([
    activityOf('Delete', known.id),
    activityOf('Announce', shared.id),
    activityOf('Delete', { type: 'Tombstone', id: deleted.id }),
    activityOf('Create', shared),
    activityOf('Create', deleted)
  ])
  const comments = await listComments()
  expect(comments).toContain(shared.id)
  expect(comments).not.toContain(deleted.id)
  expect(await runQuery(sql`SELECT 1 FROM comments WHERE url = ${known.id} AND deleted_at IS NULL`)).toEqual([])
})
