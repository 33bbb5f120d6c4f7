import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor, type HostileRequestOptions } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { scriptedKeyring, type ScriptedKeyring } from '../test/scripted-keyring.ts'
import { setKeyring } from './keyring.ts'
import { RetryLaterError, onActivity, type IncomingActivity } from './activity-handlers.ts'

let site: TestInstance
let peer: HostilePeer
let otherPeer: HostilePeer
let alice: HostileActor
let mallory: HostileActor
let keyring: ScriptedKeyring
beforeAll(async () => {
  site = await startTestInstance({
    http: { headers_timeout: '1 second', body_timeout: '1 second' },
    federation: { inbox: { max_waiting: 3000 } },
    internals: { inbox: { maxBody: 102_400, checkInterval: 100, retryDelay: 20, attempts: 3, viewsInterval: 50 } }
  })
  ;[peer, otherPeer] = [await startHostilePeer(), await startHostilePeer()]
  keyring = scriptedKeyring()
  setKeyring(keyring)
  alice = await peer.actor('alice')
  mallory = await otherPeer.actor('mallory')
  keyring.knows(alice, mallory)
  onActivity('Create(Thing)', async incoming => {
    receivedThings.push(incoming)
    return true
  })
  onActivity('Tell', async incoming => await handleTell(incoming))
})
afterAll(async () => {
  await Promise.all([site, peer, otherPeer].map(async service => await service?.stop()))
})

let receivedThings: IncomingActivity[] = []
let handleTell: (incoming: IncomingActivity) => Promise<boolean> = async () => true
beforeEach(() => {
  receivedThings = []
})

const inboxUrl = () => `${site.url}/inbox`
const createThing = (id = peer.id('things')) => ({
  id: `${id}/activity`,
  type: 'Create',
  actor: alice.url,
  object: { type: 'Thing', id, attributedTo: alice.url }
})
const tellActivity = (overrides: object = {}) => ({
  id: peer.id(),
  type: 'Tell',
  actor: alice.url,
  object: `${site.url}/videos/watch/1`,
  ...overrides
})
const post = async (activity: object, options: HostileRequestOptions = {}) =>
  (
    await (String((activity as { actor: string }).actor).startsWith(otherPeer.url) ? otherPeer : peer).post(
      inboxUrl(),
      activity as never,
      options
    )
  ).status
const signedBy = 'Signature: keyId="https://drip.example/key"\r\n'
const rows = async (id: string) =>
  await runQuery<{ outcome: string | null; proof: string; attempts: number }>(sql`
  SELECT CASE WHEN done_at IS NOT NULL THEN outcome END AS outcome, proof, attempts FROM incoming WHERE activity_id = ${id}
    OR activity_id LIKE ${`${id} %`} OR activity_id LIKE ${`% ${id}`} ORDER BY id`)
const outcome = async (id: string) => await eventually(async () => (await rows(id)).at(-1)?.outcome, 10, `the outcome of ${id}`)

describe('POST /inbox', () => {
  it('stores a signed activity, answers 202 and processes it', async () => {
    const activity = createThing()
    expect(await post(activity)).toBe(202)
    expect(await outcome(activity.id)).toBe('done')
    expect(receivedThings).toHaveLength(1)
    expect(receivedThings[0]).toMatchObject({
      id: activity.id,
      type: 'Create',
      actor: alice.url,
      signer: alice.url,
      proof: 'http',
      object: activity.object,
      body: JSON.stringify(activity)
    })
  })

  it('records the contact of the sending host', async () => {
    await post(tellActivity())
    await eventually(
      async () => (await runQuery(sql`SELECT host FROM peers WHERE host = ${peer.host} AND last_received_at IS NOT NULL`)).length === 1
    )
  })

  it('exists for accounts and channels, and answers 404 for unknown ones', async () => {
    for (const [path, status] of [
      ['/accounts/alice/inbox', 202],
      ['/video-channels/films/inbox', 202],
      ['/accounts/nobody/inbox', 404],
      ['/video-channels/alice/inbox', 404]
    ] as const) {
      expect((await peer.post(site.url + path, tellActivity())).status, path).toBe(status)
    }
  })

  it('accepts and drops activities of unknown types', async () => {
    const activity = { ...tellActivity(), type: 'Bewilder' }
    expect(await post(activity)).toBe(202)
    expect(await outcome(activity.id)).toBe('it concerns nothing here')
  })

  it('refuses unsigned, wrongly signed and invalid requests', async () => {
    expect(await post(tellActivity(), { as: null })).toBe(401)
    expect(await post(tellActivity(), { headers: { signature: 'nonsense' } })).toBe(401)
    expect(await post(tellActivity(), { keyId: mallory.keyId })).toBe(401)
    expect(await post(tellActivity(), { headers: { 'content-type': 'text/plain' } })).toBe(415)
    for (const invalid of [
      { id: undefined },
      { id: 'urn:x' },
      { type: [5] },
      { type: '' },
      { object: 'x', actor: undefined },
      { actor: [alice.url] }
    ]) {
      expect(await post({ ...tellActivity(), ...invalid }, { as: alice }), JSON.stringify(invalid)).toBe(400)
    }
    expect((await peer.post(inboxUrl(), tellActivity(), { as: null })).headers['content-type']).toMatch('application/problem+json')
  })

  it('retries an activity whose handler throws RetryLaterError, and gives up in the end', async () => {
    let attempts = 0
    handleTell = async () => {
      if (++attempts < 3) throw new RetryLaterError('not now')
      return true
    }
    const first = tellActivity()
    expect(await post(first)).toBe(202)
    expect(await outcome(first.id)).toBe('done')
    expect(attempts).toBe(3)
    handleTell = async () => {
      throw new RetryLaterError('never')
    }
    const second = tellActivity()
    await post(second)
    expect(await outcome(second.id)).toBe('given up: never')
    handleTell = async () => {
      throw new Error('a fault')
    }
    const third = tellActivity()
    await post(third)
    expect(await outcome(third.id)).toBe('failed: a fault')
    handleTell = async () => true
  })

  it('an activity signed by another actor is refused, or confirmed at its origin for known hosts', async () => {
    expect(await post({ ...tellActivity(), type: 'Like' }, { as: mallory })).toBe(401)
    expect(await post({ ...tellActivity(), type: 'Follow' }, { as: mallory })).toBe(401)
    const forged = createThing()
    peer.serve(new URL(forged.object.id).pathname, forged.object)
    expect(await post(forged, { as: mallory })).toBe(202)
    expect(await outcome(forged.id)).toMatch(/^dropped: nobody follows/)
    expect(peer.asked).toEqual([])
    const deleted = { id: peer.id(), type: 'Delete', actor: alice.url, object: forged.object.id }
    await post(deleted, { as: mallory })
    expect(await outcome(deleted.id)).toMatch(/^dropped/)
    // The original is still accepted: another sender cannot use up its id.
    expect(await post(forged)).toBe(202)
    await eventually(async () => receivedThings.length === 1)
  })

  it('a repeated request has one effect, and is refused after two hours', async () => {
    let handledCount = 0
    handleTell = async () => {
      handledCount++
      return true
    }
    const activity = tellActivity()
    await post(activity)
    const oldDate = { date: new Date(Date.now() - 2 * 3_600_000 - 1000) }
    expect(await post(tellActivity(), oldDate)).toBe(401)
    expect(await post(activity)).toBe(202)
    expect(await post(activity, { date: new Date(Date.now() - 60_000) })).toBe(202)
    await outcome(activity.id)
    expect(await rows(activity.id)).toHaveLength(1)
    expect(handledCount).toBe(1)
    handleTell = async () => true
  })

  it('a repeatable activity repeats only with a new signature', async () => {
    const like = { ...tellActivity(), type: 'Like' }
    const date = new Date()
    for (const _ of [1, 2, 3]) await post(like, { date })
    expect(await rows(like.id)).toHaveLength(1)
    await post(like, { date: new Date(Date.now() - 5000) })
    expect(await rows(like.id)).toHaveLength(2)
    const view = { ...tellActivity(), type: 'View' }
    for (const seconds of [0, 5, 10]) await post(view, { date: new Date(Date.now() - seconds * 1000) })
    await post({ ...view, expires: new Date().toISOString() })
    expect(await rows(view.id)).toHaveLength(2)
  })

  it('a body that is too large, compressed or without a length is refused early', async () => {
    const huge = { ...tellActivity(), content: 'x'.repeat(110_000) }
    expect(await post(huge)).toBe(413)
    expect(await post(tellActivity(), { headers: { 'content-encoding': 'gzip' } })).toBe(415)
    expect(await post(tellActivity(), { headers: { 'content-length': '1000000000' }, body: '{' }).catch(() => 413)).toBe(413)
    expect(
      await sendRaw(
        `POST /inbox HTTP/1.1\r\nHost: x\r\n${signedBy}Content-Type: application/activity+json\r\nTransfer-Encoding: chunked\r\n\r\n${`8000\r\n${'x'.repeat(0x8000)}\r\n`.repeat(8)}`
      )
    ).toMatch(/^HTTP\/1.1 413/)
  })

  it('deep, wide, ambiguous and prototype-polluting JSON is refused', async () => {
    const deep = JSON.stringify(tellActivity()).replace('{', `{"x":${'['.repeat(20_000)}${']'.repeat(20_000)},`)
    const wide = JSON.stringify({ ...tellActivity(), x: Array(45_000).fill(1) })
    const doubled = JSON.stringify(tellActivity()).replace('{', '{"type":"Follow",')
    expect(await post(tellActivity(), { body: deep })).toBe(400)
    expect(await post(tellActivity(), { body: wide })).toBe(413)
    const polluted = JSON.stringify(tellActivity()).replace('{', '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},')
    for (const body of [doubled, polluted, '\uFEFF{}', '[]', '"x"', '{', '', '{"a":NaN}'])
      expect(await post(tellActivity(), { body }), body.slice(0, 20)).toBe(400)
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })

  it('a slow sender is disconnected', async () => {
    const slowHeaders = await sendRaw('POST /inbox HTTP/1.1\r\nHost: x\r\n', 10)
    expect(slowHeaders === '' || slowHeaders.startsWith('HTTP/1.1 408')).toBe(true)
    expect(
      await sendRaw(
        `POST /inbox HTTP/1.1\r\nHost: x\r\n${signedBy}Content-Type: application/activity+json\r\nContent-Length: 1000\r\n\r\n`,
        10
      )
    ).toMatch(/^HTTP\/1.1 408/)
  }, 60_000)

  it('who is not signed, blocked or over the limit is refused before the body arrives', async () => {
    const head = (signature: string) =>
      `POST /inbox HTTP/1.1\r\nHost: x\r\n${signature}Content-Type: application/activity+json\r\nContent-Length: 1000\r\n\r\n`
    expect(await sendRaw(head(''), 10)).toMatch(/^HTTP\/1.1 401/)
    keyring.blocks('drip.example')
    expect(await sendRaw(head(signedBy), 10)).toMatch(/^HTTP\/1.1 403/)
    keyring.unblocks('drip.example')
    const { max } = config.federation.inbox.per_host
    config.federation.inbox.per_host.max = 0
    const flooding = await sendRaw(head('Signature: keyId="https://flood.example/key"\r\n'), 10)
    config.federation.inbox.per_host.max = max
    expect(flooding).toMatch(/^HTTP\/1.1 429/)
  })

  it('activities of blocked hosts and actors are refused, also when forwarded', async () => {
    keyring.blocks(otherPeer.host)
    expect(await post({ id: otherPeer.id(), type: 'Tell', actor: mallory.url, object: site.url })).toBe(403)
    keyring.unblocks(otherPeer.host)
    keyring.blocks(mallory.url)
    expect(await post({ id: otherPeer.id(), type: 'Tell', actor: mallory.url, object: site.url })).toBe(403)
    const forwarded = { id: otherPeer.id(), type: 'Delete', actor: mallory.url, object: otherPeer.id() }
    expect(await post(forwarded, { as: alice })).toBe(202)
    expect(await outcome(forwarded.id)).toMatch('blocked')
    keyring.unblocks(mallory.url)
  })

  it('an Undo before its Like and a Delete before its Create take effect', async () => {
    await addFollowFromGoodHost()
    const like = { ...tellActivity(), type: 'EmojiReact' }
    const undo = { id: `${like.id}/undo`, type: 'Undo', actor: alice.url, object: like }
    await post(undo)
    await outcome(undo.id)
    await post(like)
    expect(await outcome(like.id)).toBe('dropped: it was taken back')
    // Only once: ids of Likes are reused.
    await post(like, { date: new Date(Date.now() - 3000) })
    await eventually(async () => (await rows(like.id)).at(-1)?.outcome === 'it concerns nothing here')

    const created = createThing()
    const deleted = { id: peer.id(), type: 'Delete', actor: alice.url, object: { type: 'Tombstone', id: created.object.id } }
    await post(deleted)
    await outcome(deleted.id)
    await post(created)
    expect(await outcome(created.id)).toBe('dropped: it was deleted')
    expect(receivedThings).toEqual([])
    // The origin serves it again, such as a video that was private for a while.
    peer.serve(new URL(created.object.id).pathname, created.object)
    await post({ ...created, id: `${created.id}/2` })
    expect(await outcome(`${created.id}/2`)).toBe('done')
    expect(receivedThings).toHaveLength(1)
  })

  it('a second activity with the same id and another content is ignored', async () => {
    const activity = createThing()
    await post(activity)
    expect(await post({ ...activity, object: { ...activity.object, name: 'Other words' } })).toBe(202)
    await outcome(activity.id)
    expect(await rows(activity.id)).toHaveLength(1)
    expect(receivedThings.filter(service => service.id === activity.id)).toHaveLength(1)
    expect(receivedThings.at(-1)!.object).toEqual(activity.object)
  })
})

/** Stores a follow of a local actor by alice. */
async function addFollowFromGoodHost(): Promise<void> {
  await runQuery(sql`
    INSERT INTO actors (type, url, preferred_username, host, inbox_url, created_at, updated_at)
    VALUES ('Person', ${alice.url}, 'alice', ${peer.host}, ${alice.inbox}, now(), now()) ON CONFLICT DO NOTHING`)
  await runQuery(sql`
    INSERT INTO follows (url, actor_id, target_id, state, created_at, updated_at)
    SELECT ${peer.url} || '/follow', remote.id, ours.id, 'accepted', now(), now() FROM actors AS remote, actors AS ours
    WHERE remote.url = ${alice.url} AND ours.host IS NULL LIMIT 1 ON CONFLICT DO NOTHING`)
}

/**
 * Sends raw bytes and returns what is received until the connection closes; with `dripInterval` it then sends a byte every ten times as
 * many ms.
 */
async function sendRaw(text: string, dripInterval = 0): Promise<string> {
  return await new Promise(resolve => {
    const { hostname, port } = new URL(site.url)
    const socket = connect(Number(port), hostname, () => socket.write(text))
    let response = ''
    const timer = dripInterval > 0 ? setInterval(() => socket.write('x'), dripInterval * 10) : undefined
    socket.on('data', chunk => {
      response += chunk.toString()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearInterval(timer)
      resolve(response)
    })
  })
}
