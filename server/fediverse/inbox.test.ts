import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor, type HostileRequestOptions } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { scriptedKeyring, type ScriptedKeyring } from '../test/scripted-keyring.ts'
import { setKeyring } from './keyring.ts'
import { RetryLaterError, onActivity, type IncomingActivity } from './activity-handlers.ts'

let site: TestInstance
let good: HostilePeer
let evil: HostilePeer
let alice: HostileActor
let mallory: HostileActor
let keyring: ScriptedKeyring
beforeAll(async () => {
  site = await startTestInstance({
    http: { headers_timeout: '1 second' },
    federation: {
      inbox: {
        max_body: '100KB',
        body_timeout: '1 second',
        max_waiting: 3000,
        check_interval: '100 ms',
        retry_delay: '20 ms',
        attempts: 3,
        views_interval: '50 ms'
      }
    }
  })
  ;[good, evil] = [await startHostilePeer(), await startHostilePeer()]
  keyring = scriptedKeyring()
  setKeyring(keyring)
  alice = await good.actor('alice')
  mallory = await evil.actor('mallory')
  keyring.knows(alice, mallory)
  onActivity('Create(Thing)', async incoming => {
    heard.push(incoming)
    return true
  })
  onActivity('Tell', async incoming => await tell(incoming))
})
afterAll(async () => {
  await Promise.all([site, good, evil].map(async one => await one?.stop()))
})

let heard: IncomingActivity[] = []
let tell: (incoming: IncomingActivity) => Promise<boolean> = async () => true
beforeEach(() => {
  heard = []
})

const inbox = () => `${site.url}/inbox`
const thing = (id = good.id('things')) => ({
  id: `${id}/activity`,
  type: 'Create',
  actor: alice.url,
  object: { type: 'Thing', id, attributedTo: alice.url }
})
const told = (more: object = {}) => ({ id: good.id(), type: 'Tell', actor: alice.url, object: `${site.url}/videos/watch/1`, ...more })
const post = async (activity: object, way: HostileRequestOptions = {}) =>
  (await (String((activity as { actor: string }).actor).startsWith(evil.url) ? evil : good).post(inbox(), activity as never, way)).status
const rows = async (id: string) =>
  await runQuery<{ outcome: string | null; proof: string; attempts: number }>(sql`
  SELECT CASE WHEN done_at IS NOT NULL THEN outcome END AS outcome, proof, attempts FROM incoming WHERE activity_id = ${id} OR activity_id LIKE ${`${id} %`} OR activity_id LIKE ${`% ${id}`} ORDER BY id`)
const outcome = async (id: string) => await eventually(async () => (await rows(id)).at(-1)?.outcome, 10, `the outcome of ${id}`)

describe('POST /inbox', () => {
  it('stores what is signed, answers 202, and acts on it', async () => {
    const activity = thing()
    expect(await post(activity)).toBe(202)
    expect(await outcome(activity.id)).toBe('done')
    expect(heard).toHaveLength(1)
    expect(heard[0]).toMatchObject({
      id: activity.id,
      type: 'Create',
      actor: alice.url,
      signer: alice.url,
      proof: 'http',
      object: activity.object,
      body: JSON.stringify(activity)
    })
  })

  it('knows who has spoken', async () => {
    await post(told())
    await eventually(
      async () => (await runQuery(sql`SELECT host FROM peers WHERE host = ${good.host} AND last_received_at IS NOT NULL`)).length === 1
    )
  })

  it('is there for accounts and channels, and for nobody else', async () => {
    for (const [path, status] of [
      ['/accounts/alice/inbox', 202],
      ['/video-channels/films/inbox', 202],
      ['/accounts/nobody/inbox', 404],
      ['/video-channels/alice/inbox', 404]
    ] as const) {
      expect((await good.post(site.url + path, told())).status, path).toBe(status)
    }
  })

  it('answers and drops what it does not know', async () => {
    const activity = { ...told(), type: 'Bewilder' }
    expect(await post(activity)).toBe(202)
    expect(await outcome(activity.id)).toBe('nobody took it')
  })

  it('refuses what is unsigned, wrongly signed, or no activity', async () => {
    expect(await post(told(), { as: null })).toBe(401)
    expect(await post(told(), { headers: { signature: 'nonsense' } })).toBe(401)
    expect(await post(told(), { keyId: mallory.keyId })).toBe(401)
    expect(await post(told(), { headers: { 'content-type': 'text/plain' } })).toBe(415)
    for (const wrong of [
      { id: undefined },
      { id: 'urn:x' },
      { type: ['Tell'] },
      { type: '' },
      { object: 'x', actor: undefined },
      { actor: [alice.url] }
    ]) {
      expect(await post({ ...told(), ...wrong }, { as: alice }), JSON.stringify(wrong)).toBe(400)
    }
    expect((await good.post(inbox(), told(), { as: null })).headers['content-type']).toMatch('application/problem+json')
  })

  it('takes what a listener cannot do now up again, and gives up in the end', async () => {
    let tries = 0
    tell = async () => {
      if (++tries < 3) throw new RetryLaterError('not now')
      return true
    }
    const first = told()
    expect(await post(first)).toBe(202)
    expect(await outcome(first.id)).toBe('done')
    expect(tries).toBe(3)
    tell = async () => {
      throw new RetryLaterError('never')
    }
    const second = told()
    await post(second)
    expect(await outcome(second.id)).toBe('given up: never')
    tell = async () => {
      throw new Error('a fault')
    }
    const third = told()
    await post(third)
    expect(await outcome(third.id)).toBe('failed: a fault')
    tell = async () => true
  })

  it('an activity of somebody else is refused, or asked about at its origin by those we know', async () => {
    expect(await post({ ...told(), type: 'Like' }, { as: mallory })).toBe(401)
    expect(await post({ ...told(), type: 'Follow' }, { as: mallory })).toBe(401)
    const forged = thing()
    good.serve(new URL(forged.object.id).pathname, forged.object)
    expect(await post(forged, { as: mallory })).toBe(202)
    expect(await outcome(forged.id)).toMatch(/^dropped: nobody follows/)
    expect(good.asked).toEqual([])
    const deleted = { id: good.id(), type: 'Delete', actor: alice.url, object: forged.object.id }
    await post(deleted, { as: mallory })
    expect(await outcome(deleted.id)).toMatch(/^dropped/)
    // The real one is still taken: a stranger cannot use up its id.
    expect(await post(forged)).toBe(202)
    await eventually(async () => heard.length === 1)
  })

  it('the same request twice has one effect, and none after two hours', async () => {
    let count = 0
    tell = async () => {
      count++
      return true
    }
    const activity = told()
    await post(activity)
    const late = { date: new Date(Date.now() - 2 * 3_600_000 - 1000) }
    expect(await post(told(), late)).toBe(401)
    expect(await post(activity)).toBe(202)
    expect(await post(activity, { date: new Date(Date.now() - 60_000) })).toBe(202)
    await outcome(activity.id)
    expect(await rows(activity.id)).toHaveLength(1)
    expect(count).toBe(1)
    tell = async () => true
  })

  it('what may repeat repeats only with a signature of its own', async () => {
    const like = { ...told(), type: 'Like' }
    const date = new Date()
    for (const _ of [1, 2, 3]) await post(like, { date })
    expect(await rows(like.id)).toHaveLength(1)
    await post(like, { date: new Date(Date.now() - 5000) })
    expect(await rows(like.id)).toHaveLength(2)
    const view = { ...told(), type: 'View' }
    for (const seconds of [0, 5, 10]) await post(view, { date: new Date(Date.now() - seconds * 1000) })
    await post({ ...view, expires: new Date().toISOString() })
    expect(await rows(view.id)).toHaveLength(2)
  })

  it('a huge body, compressed or without a length, is refused before it is read', async () => {
    const huge = { ...told(), content: 'x'.repeat(110_000) }
    expect(await post(huge)).toBe(413)
    expect(await post(told(), { headers: { 'content-encoding': 'gzip' } })).toBe(415)
    expect(await post(told(), { headers: { 'content-length': '1000000000' }, body: '{' }).catch(() => 413)).toBe(413)
    expect(
      await raw(
        `POST /inbox HTTP/1.1\r\nHost: x\r\nContent-Type: application/activity+json\r\nTransfer-Encoding: chunked\r\n\r\n${`8000\r\n${'x'.repeat(0x8000)}\r\n`.repeat(8)}`
      )
    ).toMatch(/^HTTP\/1.1 413/)
  })

  it('deep and wide JSON is refused, and a prototype stays as it is', async () => {
    const deep = JSON.stringify(told()).replace('{', `{"x":${'['.repeat(20_000)}${']'.repeat(20_000)},`)
    const wide = JSON.stringify({ ...told(), x: Array(45_000).fill(1) })
    const doubled = JSON.stringify(told()).replace('{', '{"type":"Follow",')
    for (const body of [deep, wide]) expect(await post(told(), { body }), body.slice(0, 20)).toBe(413)
    const polluted = JSON.stringify(told()).replace('{', '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},')
    for (const body of [doubled, polluted, '\uFEFF{}', '[]', '"x"', '{', '', '{"a":NaN}'])
      expect(await post(told(), { body }), body.slice(0, 20)).toBe(400)
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })

  it('whoever sends byte by byte is cut off', async () => {
    const slowHeaders = await raw('POST /inbox HTTP/1.1\r\nHost: x\r\n', 10)
    expect(slowHeaders === '' || slowHeaders.startsWith('HTTP/1.1 408')).toBe(true)
    expect(
      await raw('POST /inbox HTTP/1.1\r\nHost: x\r\nContent-Type: application/activity+json\r\nContent-Length: 1000\r\n\r\n', 10)
    ).toMatch(/^HTTP\/1.1 408/)
  }, 60_000)

  it('nothing comes in from a blocked host, nor through others', async () => {
    keyring.blocks(evil.host)
    expect(await post({ id: evil.id(), type: 'Tell', actor: mallory.url, object: site.url })).toBe(403)
    keyring.unblocks(evil.host)
    keyring.blocks(mallory.url)
    expect(await post({ id: evil.id(), type: 'Tell', actor: mallory.url, object: site.url })).toBe(403)
    const forwarded = { id: evil.id(), type: 'Delete', actor: mallory.url, object: evil.id() }
    expect(await post(forwarded, { as: alice })).toBe(202)
    expect(await outcome(forwarded.id)).toMatch('blocked')
    keyring.unblocks(mallory.url)
  })

  it('an Undo before its Like and a Delete before its Create win', async () => {
    await follow()
    const like = { ...told(), type: 'EmojiReact' }
    const undo = { id: `${like.id}/undo`, type: 'Undo', actor: alice.url, object: like }
    await post(undo)
    await outcome(undo.id)
    await post(like)
    expect(await outcome(like.id)).toBe('dropped: it was taken back')
    // Only once: the next one of that id is a new one.
    await post(like, { date: new Date(Date.now() - 3000) })
    await eventually(async () => (await rows(like.id)).at(-1)?.outcome === 'nobody took it')

    const created = thing()
    const deleted = { id: good.id(), type: 'Delete', actor: alice.url, object: { type: 'Tombstone', id: created.object.id } }
    await post(deleted)
    await outcome(deleted.id)
    await post(created)
    expect(await outcome(created.id)).toBe('dropped: it was deleted')
    expect(heard).toEqual([])
    // Served by its origin again, as a film that was private for a while, it lives.
    good.serve(new URL(created.object.id).pathname, created.object)
    await post({ ...created, id: `${created.id}/2` })
    expect(await outcome(`${created.id}/2`)).toBe('done')
    expect(heard).toHaveLength(1)
  })

  it('the same id with other words stays the first', async () => {
    const activity = thing()
    await post(activity)
    expect(await post({ ...activity, object: { ...activity.object, name: 'Other words' } })).toBe(202)
    await outcome(activity.id)
    expect(await rows(activity.id)).toHaveLength(1)
    expect(heard.filter(one => one.id === activity.id)).toHaveLength(1)
    expect(heard.at(-1)!.object).toEqual(activity.object)
  })
})

/** Makes alice's host one that follows us. */
async function follow(): Promise<void> {
  await runQuery(sql`
    INSERT INTO actors (type, url, preferred_username, host, inbox_url, created_at, updated_at)
    VALUES ('Person', ${alice.url}, 'alice', ${good.host}, ${alice.inbox}, now(), now()) ON CONFLICT DO NOTHING`)
  await runQuery(sql`
    INSERT INTO follows (url, actor_id, target_id, state, created_at, updated_at)
    SELECT ${good.url} || '/follow', remote.id, ours.id, 'accepted', now(), now() FROM actors AS remote, actors AS ours
    WHERE remote.url = ${alice.url} AND ours.host IS NULL LIMIT 1 ON CONFLICT DO NOTHING`)
}

/** Writes bytes to the instance and reads until it closes; `drip`: then a byte every so many ms. */
async function raw(text: string, drip = 0): Promise<string> {
  return await new Promise(resolve => {
    const { hostname, port } = new URL(site.url)
    const socket = connect(Number(port), hostname, () => socket.write(text))
    let answer = ''
    const timer = drip > 0 ? setInterval(() => socket.write('x'), drip * 10) : undefined
    socket.on('data', chunk => {
      answer += chunk.toString()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearInterval(timer)
      resolve(answer)
    })
  })
}
