import { afterAll, beforeAll, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { AS_PUBLIC } from '../fediverse/vocabulary.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from './hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from './instance.ts'
import { waitForTranscoding, uploadVideo } from './upload.ts'

let site: TestInstance
let good: HostilePeer
let evil: HostilePeer
let alice: HostileActor
let neighbour: HostileActor
let mallory: HostileActor
let video: string
let uuid: string
beforeAll(async () => {
  site = await startTestInstance({ internals: { inbox: { checkInterval: 100, retryDelay: 20, attempts: 2 } } })
  ;[good, evil] = [await startHostilePeer(), await startHostilePeer()]
  alice = await good.actor('alice')
  neighbour = await good.actor('neighbour')
  mallory = await evil.actor('mallory')
  const owner = await site.user('owner')
  ;({ uuid } = await uploadVideo(site, owner, { name: 'Talked about', privacy: 1 }))
  await waitForTranscoding(site, owner, uuid)
  video = `${site.url}/videos/watch/${uuid}`
})
afterAll(async () => await Promise.all([site, good, evil].map(async one => await one?.stop())))

const note = (author: HostileActor, content: string, more: object = {}) => {
  const id = (author === mallory ? evil : good).id('notes')
  return {
    type: 'Note',
    id,
    url: id,
    content,
    attributedTo: author.url,
    inReplyTo: video,
    published: new Date().toISOString(),
    to: [AS_PUBLIC],
    cc: [],
    ...more
  }
}
const sendAndGetOutcome = async (type: string, actor: HostileActor, object: object | string) => {
  const peer = actor === mallory ? evil : good
  const id = peer.id()
  expect((await peer.post(`${site.url}/inbox`, { id, type, actor: actor.url, object, to: [AS_PUBLIC], cc: [] })).status).toBe(202)
  return await eventually(
    async () =>
      (
        await runQuery<{ outcome: string }>(sql`
    SELECT outcome FROM incoming WHERE done_at IS NOT NULL AND (activity_id LIKE ${`${id}%`} OR activity_id LIKE ${`% ${id}`})
    ORDER BY id DESC LIMIT 1`)
      )[0]?.outcome,
    20,
    `the outcome of ${type}`
  )
}
const visibleTexts = async () =>
  ((await site.call(`GET /videos/${uuid}/comment-threads?count=50`)).json.data as { text: string; isDeleted: boolean }[])
    .filter(one => !one.isDeleted)
    .map(one => one.text.replace(/<[^>]*>/g, '').trim())
const inOneSecond = () => new Date(Date.now() + 1000).toISOString()

it('a comment attributed to another actor is refused', async () => {
  expect(await sendAndGetOutcome('Create', mallory, note(mallory, 'In the name of another', { attributedTo: alice.url }))).toMatch(
    /^dropped/
  )
  await sendAndGetOutcome('Create', neighbour, note(alice, 'In the name of the neighbour'))
  expect(await sendAndGetOutcome('Create', mallory, note(alice, 'From elsewhere'))).toMatch(/^dropped/)
  expect(await visibleTexts()).toEqual([])
})

it('a comment is changed and deleted only by its author', async () => {
  const comment = note(alice, 'First words')
  good.serve(new URL(comment.id).pathname, comment)
  expect(await sendAndGetOutcome('Create', alice, comment)).toBe('done')
  expect(await visibleTexts()).toEqual(['First words'])
  for (const actor of [neighbour, mallory]) {
    await sendAndGetOutcome('Update', actor, { ...comment, content: 'Spoilt', updated: inOneSecond() })
    await sendAndGetOutcome('Update', actor, { ...comment, content: 'Spoilt', updated: inOneSecond(), attributedTo: actor.url })
    for (const object of [comment.id, { type: 'Note', id: comment.id }, { type: 'Tombstone', id: comment.id }])
      await sendAndGetOutcome('Delete', actor, object)
    expect(await visibleTexts()).toEqual(['First words'])
  }
  await new Promise(resolve => setTimeout(resolve, 1100))
  expect(await sendAndGetOutcome('Update', alice, { ...comment, content: 'Better words', updated: new Date().toISOString() })).toBe('done')
  expect(await visibleTexts()).toEqual(['Better words'])
  expect(await sendAndGetOutcome('Delete', alice, { type: 'Tombstone', id: comment.id })).toBe('done')
  expect(await visibleTexts()).toEqual([])
  // An old activity does not restore it.
  good.serve(new URL(comment.id).pathname, (_request, response) => response.writeHead(404).end())
  await sendAndGetOutcome('Create', alice, comment)
  await sendAndGetOutcome('Update', alice, { ...comment, updated: inOneSecond() })
  expect(await visibleTexts()).toEqual([])
})

it('active content of a comment is removed', async () => {
  const activeContents = [
    '<svg onload=alert(1)>',
    '<script>alert(1)</script>',
    '<a href="javascript:alert(1)">x</a>',
    '<img src=x onerror=alert(1)>',
    '<p style="position:fixed">x</p>',
    `${'<b>'.repeat(3000)}x`
  ]
  for (const content of activeContents) await sendAndGetOutcome('Create', alice, note(alice, `Words ${content}`))
  const { text } = await site.call(`GET /videos/${uuid}/comment-threads?count=50`)
  expect(text).toContain('Words')
  for (const forbidden of ['onload', '<script', 'javascript:', 'onerror', 'position:fixed']) expect(text).not.toContain(forbidden)
})
