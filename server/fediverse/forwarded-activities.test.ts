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
let forwarderPeer: HostilePeer
let authorPeer: HostilePeer
let group: HostileActor
let bob: HostileActor
let keyring: ScriptedKeyring
let receivedThings: IncomingActivity[] = []
beforeAll(async () => {
  site = await startTestInstance({
    internals: { inbox: { checkInterval: 100, retryDelay: 20, attempts: 3, viewsInterval: 50 } }
  })
  ;[forwarderPeer, authorPeer] = [await startHostilePeer(), await startHostilePeer()]
  keyring = scriptedKeyring()
  setKeyring(keyring)
  group = await forwarderPeer.actor('films', 'Group')
  bob = await authorPeer.actor('bob')
  keyring.knows(group, bob)
  onActivity('Create(Thing)', async incoming => {
    receivedThings.push(incoming)
    return true
  })
  // The host of the group follows a local actor.
  await runQuery(sql`
    INSERT INTO actors (type, url, preferred_username, host, inbox_url, created_at, updated_at)
    VALUES ('Group', ${group.url}, 'films', ${forwarderPeer.host}, ${group.inbox}, now(), now())`)
  await runQuery(sql`
    INSERT INTO follows (url, actor_id, target_id, state, created_at, updated_at)
    SELECT ${forwarderPeer.url} || '/follow', remote.id, ours.id, 'accepted', now(), now() FROM actors AS remote, actors AS ours
    WHERE remote.url = ${group.url} AND ours.host IS NULL LIMIT 1`)
})
afterAll(async () => await Promise.all([site, forwarderPeer, authorPeer].map(async one => await one?.stop())))
beforeEach(() => {
  receivedThings = []
})

const CONTEXT = ['https://www.w3.org/ns/activitystreams', 'https://w3id.org/security/v1']
const forwardByGroup = async (activity: object) => (await forwarderPeer.post(`${site.url}/inbox`, activity as never, { as: group })).status
const withLdSignature = async (activity: object, signer = bob) =>
  await createLdSignature({ '@context': CONTEXT, ...activity }, { actor: signer.url, keyId: signer.keyId, privateKey: signer.privateKey })
const storedRows = async (id: string) =>
  await runQuery<{ outcome: string | null; proof: string }>(sql`
  SELECT CASE WHEN done_at IS NOT NULL THEN outcome END AS outcome, proof FROM incoming WHERE activity_id LIKE ${`${id}%`}
    OR activity_id LIKE ${`% ${id}`} ORDER BY id`)
const waitForOutcome = async (id: string) =>
  await eventually(async () => (await storedRows(id)).at(-1)?.outcome, 10, `the outcome of ${id}`)
const createNote = (id = authorPeer.id('notes')) => ({
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

it('a forwarded comment with the LD signature of its author is accepted', async () => {
  const activity = await withLdSignature(createNote())
  expect(await forwardByGroup(activity)).toBe(202)
  expect(await waitForOutcome(String(activity.id))).not.toMatch(/^(dropped|known)/)
  expect((await storedRows(String(activity.id)))[0]!.proof).toBe('ld')
  // Received from its author as well, and from another forwarder: it counts once.
  await authorPeer.post(`${site.url}/inbox`, activity as never)
  await forwardByGroup(activity)
  const other = await forwarderPeer.actor('other', 'Group')
  keyring.knows(other)
  await forwarderPeer.post(`${site.url}/inbox`, activity as never, { as: other })
  await eventually(async () => (await storedRows(String(activity.id))).at(-1)?.outcome === 'known')
  expect(authorPeer.asked).toEqual([])
})

it('changed activities, other signers and types that are not forwardable are dropped', async () => {
  const changed = await withLdSignature(createNote())
  ;(changed.object as { content: string }).content = 'Something else'
  await forwardByGroup(changed)
  expect(await waitForOutcome(String(changed.id))).toMatch(/^dropped: its origin does not have it/)
  const byOtherActor = await withLdSignature(createNote(), group)
  await forwardByGroup(byOtherActor)
  expect(await waitForOutcome(String(byOtherActor.id))).toMatch(/^dropped/)
  for (const type of ['Like', 'Follow', 'Undo', 'Accept']) {
    const activity = await withLdSignature({
      type,
      id: authorPeer.id(),
      actor: bob.url,
      object: type === 'Undo' ? authorPeer.id() : type === 'Accept' ? `${site.url}/follows/1` : `${site.url}/videos/watch/1`
    })
    await forwardByGroup(activity)
    expect(await waitForOutcome(String(activity.id)), type).toBe('dropped: nothing vouches for its actor')
  }
})

it('a deleted object stays deleted, although its old signature is valid', async () => {
  const activity = await withLdSignature(createNote())
  await addTombstone((activity.object as { id: string }).id)
  await forwardByGroup(activity)
  expect(await waitForOutcome(String(activity.id))).toBe('dropped: it was deleted')
})

it('a forwarded View is accepted with an LD signature and refused without', async () => {
  const view = { type: 'View', id: authorPeer.id('views'), actor: bob.url, object: `${site.url}/videos/watch/1` }
  const good = await withLdSignature(view)
  expect(await forwardByGroup(good)).toBe(202)
  expect(await waitForOutcome(view.id)).not.toMatch(/^dropped/)
  expect(await forwardByGroup({ ...view, id: authorPeer.id('views') })).toBe(401)
})

it('a forwarded Create without a proof gets the object that its origin serves', async () => {
  const id = authorPeer.id('things')
  authorPeer.serve(new URL(id).pathname, { type: 'Thing', id, attributedTo: bob.url, name: 'As it is' })
  const activity = {
    type: 'Create',
    id: `${id}/activity`,
    actor: bob.url,
    object: { type: 'Thing', id, attributedTo: bob.url, name: 'As it was sent' }
  }
  await forwardByGroup(activity)
  expect(await waitForOutcome(activity.id)).toBe('done')
  expect(receivedThings[0]).toMatchObject({ proof: 'none', actor: bob.url, signer: group.url, object: { name: 'As it is' } })
  const byOtherActor = { ...activity, id: `${id}/2`, actor: `${authorPeer.url}/accounts/carol` }
  await forwardByGroup(byOtherActor)
  expect(await waitForOutcome(byOtherActor.id)).toBe('dropped: it is by somebody else')
  const ofOtherType = { ...activity, id: `${id}/3`, object: { ...activity.object, type: 'Note' } }
  await forwardByGroup(ofOtherType)
  expect(await waitForOutcome(ofOtherType.id)).toBe('dropped: its origin says something else')
})

it('an origin that does not answer is asked again later', async () => {
  const id = authorPeer.id('things')
  let requestCount = 0
  authorPeer.serve(new URL(id).pathname, (_request, response) => {
    if (++requestCount < 3) return void response.writeHead(503).end()
    response
      .writeHead(200, { 'content-type': 'application/activity+json' })
      .end(JSON.stringify({ type: 'Thing', id, attributedTo: bob.url }))
  })
  await forwardByGroup({ type: 'Create', id: `${id}/activity`, actor: bob.url, object: id })
  expect(await waitForOutcome(`${id}/activity`)).toBe('done')
  expect(requestCount).toBe(3)
})

it('an activity announced by a group gets the object that its origin serves (FEP-1b12)', async () => {
  const id = authorPeer.id('things')
  const inner = {
    id: `${id}/activity`,
    type: 'Create',
    actor: bob.url,
    object: { type: 'Thing', id, attributedTo: bob.url, name: 'As it was sent' }
  }
  const announce = { id: forwarderPeer.id(), type: 'Announce', actor: group.url, object: inner }
  authorPeer.serve(new URL(id).pathname, { ...inner.object, name: 'As it is' })
  await forwardByGroup(announce)
  expect(await waitForOutcome(announce.id)).toBe('done')
  expect(receivedThings[0]).toMatchObject({ id: inner.id, actor: bob.url, proof: 'none', signer: group.url, object: { name: 'As it is' } })
  const byOtherActor = { ...announce, id: forwarderPeer.id(), object: { ...inner, id: `${id}/2`, actor: group.url } }
  await forwardByGroup(byOtherActor)
  expect(await waitForOutcome(byOtherActor.id)).toMatch(/^dropped/)
})

it('a forwarded Delete counts when its origin no longer has the object', async () => {
  const id = authorPeer.id('things')
  authorPeer.serve(new URL(id).pathname, { type: 'Thing', id })
  const first = { id: authorPeer.id(), type: 'Delete', actor: bob.url, object: id }
  await forwardByGroup(first)
  expect(await waitForOutcome(first.id)).toBe('dropped: its origin still has it')
  for (const [path, status] of [
    ['gone', 410],
    ['missing', 404],
    ['stone', 200]
  ] as const) {
    authorPeer.serve(`/${path}`, (_request, response) =>
      response
        .writeHead(status, { 'content-type': 'application/activity+json' })
        .end(JSON.stringify({ type: 'Tombstone', id: `${authorPeer.url}/${path}` }))
    )
    const second = { id: authorPeer.id(), type: 'Delete', actor: bob.url, object: `${authorPeer.url}/${path}` }
    await forwardByGroup(second)
    expect(await waitForOutcome(second.id), path).toBe('it concerns nothing here')
  }
})

it('unknown senders cause no fetches', async () => {
  const before = authorPeer.asked.length
  const stranger = await startHostilePeer()
  const eve = await stranger.actor('eve')
  keyring.knows(eve)
  const id = authorPeer.id('things')
  const thing = { type: 'Create', id: `${id}/activity`, actor: `${authorPeer.url}/accounts/unknown`, object: { type: 'Thing', id } }
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
  for (const id of sent) expect(await waitForOutcome(id)).toMatch(/^dropped: nobody follows/)
  expect(authorPeer.asked.length).toBe(before)
  expect(stranger.asked).toEqual([])
  expect(keyring.asked.filter(key => key.includes('unknown'))).toEqual([])
  await stranger.stop()
})
