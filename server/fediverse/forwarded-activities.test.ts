import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { scriptedKeyring, type ScriptedKeyring } from '../test/scripted-keyring.ts'
import { setKeyring } from './keyring.ts'
import { createLdSignature } from './ld-signature.ts'
import { onActivity, type IncomingActivity } from './activity-handlers.ts'
import { addTombstone } from './tombstones.ts'

let site: TestInstance
let friend: HostilePeer
let author: HostilePeer
let forwarder: HostileActor
let bob: HostileActor
let keyring: ScriptedKeyring
let heard: IncomingActivity[] = []
beforeAll(async () => {
  site = await startTestInstance({
    federation: { inbox: { check_interval: '100 ms', retry_delay: '20 ms', attempts: 3, views_interval: '50 ms' } }
  })
  ;[friend, author] = [await startHostilePeer(), await startHostilePeer()]
  keyring = scriptedKeyring()
  setKeyring(keyring)
  forwarder = await friend.actor('films', 'Group')
  bob = await author.actor('bob')
  keyring.knows(forwarder, bob)
  onActivity('Create(Thing)', async incoming => {
    heard.push(incoming)
    return true
  })
  // Our host is followed by the forwarder's.
  await runQuery(sql`
    INSERT INTO actors (type, url, preferred_username, host, inbox_url, created_at, updated_at)
    VALUES ('Group', ${forwarder.url}, 'films', ${friend.host}, ${forwarder.inbox}, now(), now())`)
  await runQuery(sql`
    INSERT INTO follows (url, actor_id, target_id, state, created_at, updated_at)
    SELECT ${friend.url} || '/follow', remote.id, ours.id, 'accepted', now(), now() FROM actors AS remote, actors AS ours
    WHERE remote.url = ${forwarder.url} AND ours.host IS NULL LIMIT 1`)
})
afterAll(async () => await Promise.all([site, friend, author].map(async one => await one?.stop())))
beforeEach(() => {
  heard = []
})

const CONTEXT = ['https://www.w3.org/ns/activitystreams', 'https://w3id.org/security/v1']
const forward = async (activity: object) => (await friend.post(`${site.url}/inbox`, activity as never, { as: forwarder })).status
const signed = async (activity: object, as = bob) =>
  await createLdSignature({ '@context': CONTEXT, ...activity }, { actor: as.url, keyId: as.keyId, privateKey: as.privateKey })
const rows = async (id: string) =>
  await runQuery<{ outcome: string | null; proof: string }>(sql`
  SELECT CASE WHEN done_at IS NOT NULL THEN outcome END AS outcome, proof FROM incoming WHERE activity_id LIKE ${`${id}%`} OR activity_id LIKE ${`% ${id}`} ORDER BY id`)
const outcome = async (id: string) => await eventually(async () => (await rows(id)).at(-1)?.outcome, 10, `the outcome of ${id}`)
const note = (id = author.id('notes')) => ({
  type: 'Create',
  id: `${id}/activity`,
  actor: bob.url,
  to: ['https://www.w3.org/ns/activitystreams#Public'],
  object: {
    type: 'Note',
    id,
    content: 'Hello',
    attributedTo: bob.url,
    inReplyTo: 'https://nowhere.example/video',
    published: '2026-11-20T12:00:00Z'
  }
})

it('a comment with the LD signature of its author is taken from whoever sends it on', async () => {
  const activity = await signed(note())
  expect(await forward(activity)).toBe(202)
  expect(await outcome(String(activity.id))).not.toMatch(/^(dropped|known)/)
  expect((await rows(String(activity.id)))[0]!.proof).toBe('ld')
  // From its author too, or from somebody else: it is one.
  await author.post(`${site.url}/inbox`, activity as never)
  await forward(activity)
  const other = await friend.actor('other', 'Group')
  keyring.knows(other)
  await friend.post(`${site.url}/inbox`, activity as never, { as: other })
  await eventually(async () => (await rows(String(activity.id))).at(-1)?.outcome === 'known')
  expect(author.asked).toEqual([])
})

it('a changed one, one signed by another, and kinds that are not sent on have no effect', async () => {
  const changed = await signed(note())
  ;(changed.object as { content: string }).content = 'Something else'
  await forward(changed)
  expect(await outcome(String(changed.id))).toMatch(/^dropped: its origin does not have it/)
  const foreign = await signed(note(), forwarder)
  await forward(foreign)
  expect(await outcome(String(foreign.id))).toMatch(/^dropped/)
  for (const type of ['Like', 'Follow', 'Undo', 'Accept']) {
    const activity = await signed({
      type,
      id: author.id(),
      actor: bob.url,
      object: type === 'Undo' ? author.id() : type === 'Accept' ? `${site.url}/follows/1` : `${site.url}/videos/watch/1`
    })
    await forward(activity)
    expect(await outcome(String(activity.id)), type).toBe('dropped: nothing vouches for its actor')
  }
})

it('what was deleted stays deleted, though its old signature still fits', async () => {
  const activity = await signed(note())
  await addTombstone((activity.object as { id: string }).id)
  await forward(activity)
  expect(await outcome(String(activity.id))).toBe('dropped: it was deleted')
})

it('a forwarded view with its LD signature counts, a bare one does not', async () => {
  const view = { type: 'View', id: author.id('views'), actor: bob.url, object: `${site.url}/videos/watch/1` }
  const good = await signed(view)
  expect(await forward(good)).toBe(202)
  expect(await outcome(view.id)).not.toMatch(/^dropped/)
  expect(await forward({ ...view, id: author.id('views') })).toBe(401)
})

it('a forwarded statement without a proof counts as its origin serves it', async () => {
  const id = author.id('things')
  author.serve(new URL(id).pathname, { type: 'Thing', id, attributedTo: bob.url, name: 'As it is' })
  const activity = {
    type: 'Create',
    id: `${id}/activity`,
    actor: bob.url,
    object: { type: 'Thing', id, attributedTo: bob.url, name: 'As it was told' }
  }
  await forward(activity)
  expect(await outcome(activity.id)).toBe('done')
  expect(heard[0]).toMatchObject({ proof: 'none', actor: bob.url, signer: forwarder.url, object: { name: 'As it is' } })
  const foreign = { ...activity, id: `${id}/2`, actor: `${author.url}/accounts/carol` }
  await forward(foreign)
  expect(await outcome(foreign.id)).toBe('dropped: it is by somebody else')
  const otherwise = { ...activity, id: `${id}/3`, object: { ...activity.object, type: 'Note' } }
  await forward(otherwise)
  expect(await outcome(otherwise.id)).toBe('dropped: its origin says something else')
})

it('an origin that does not answer is asked again', async () => {
  const id = author.id('things')
  let asked = 0
  author.serve(new URL(id).pathname, (_request, response) => {
    if (++asked < 3) return void response.writeHead(503).end()
    response
      .writeHead(200, { 'content-type': 'application/activity+json' })
      .end(JSON.stringify({ type: 'Thing', id, attributedTo: bob.url }))
  })
  await forward({ type: 'Create', id: `${id}/activity`, actor: bob.url, object: id })
  expect(await outcome(`${id}/activity`)).toBe('done')
  expect(asked).toBe(3)
})

it('a group’s announcement of an activity counts as its origin tells it (FEP-1b12)', async () => {
  const id = author.id('things')
  const inner = {
    id: `${id}/activity`,
    type: 'Create',
    actor: bob.url,
    object: { type: 'Thing', id, attributedTo: bob.url, name: 'As it was told' }
  }
  const announce = { id: friend.id(), type: 'Announce', actor: forwarder.url, object: inner }
  author.serve(new URL(id).pathname, { ...inner.object, name: 'As it is' })
  await forward(announce)
  expect(await outcome(announce.id)).toBe('done')
  expect(heard[0]).toMatchObject({ id: inner.id, actor: bob.url, proof: 'none', signer: forwarder.url, object: { name: 'As it is' } })
  const foreign = { ...announce, id: friend.id(), object: { ...inner, id: `${id}/2`, actor: forwarder.url } }
  await forward(foreign)
  expect(await outcome(foreign.id)).toMatch(/^dropped/)
})

it('a forwarded deletion counts when its origin has the thing no more', async () => {
  const id = author.id('things')
  author.serve(new URL(id).pathname, { type: 'Thing', id })
  const first = { id: author.id(), type: 'Delete', actor: bob.url, object: id }
  await forward(first)
  expect(await outcome(first.id)).toBe('dropped: its origin still has it')
  for (const [path, status] of [
    ['gone', 410],
    ['missing', 404],
    ['stone', 200]
  ] as const) {
    author.serve(`/${path}`, (_request, response) =>
      response
        .writeHead(status, { 'content-type': 'application/activity+json' })
        .end(JSON.stringify({ type: 'Tombstone', id: `${author.url}/${path}` }))
    )
    const second = { id: author.id(), type: 'Delete', actor: bob.url, object: `${author.url}/${path}` }
    await forward(second)
    expect(await outcome(second.id), path).toBe('nobody took it')
  }
})

it('strangers make this instance ask nobody', async () => {
  const before = author.asked.length
  const stranger = await startHostilePeer()
  const eve = await stranger.actor('eve')
  keyring.knows(eve)
  const id = author.id('things')
  const thing = { type: 'Create', id: `${id}/activity`, actor: `${author.url}/accounts/unknown`, object: { type: 'Thing', id } }
  const sent = await Promise.all(
    [...Array(20).keys()].map(async number => {
      const activity =
        number % 2
          ? { id: stranger.id(), type: 'Announce', actor: eve.url, object: thing }
          : {
              ...thing,
              id: `${thing.id}/${number}`,
              signature: { type: 'RsaSignature2017', creator: thing.actor, created: '2026-11-20T12:00:00Z', signatureValue: 'AAAA' }
            }
      await stranger.post(`${site.url}/inbox`, activity, { as: eve })
      return activity.id
    })
  )
  for (const one of sent) expect(await outcome(one)).toMatch(/^dropped: nobody follows/)
  expect(author.asked.length).toBe(before)
  expect(stranger.asked).toEqual([])
  expect(keyring.asked.filter(key => key.includes('unknown'))).toEqual([])
  await stranger.stop()
})
