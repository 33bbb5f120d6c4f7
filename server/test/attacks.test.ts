import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { clearKeyringCache } from '../actors/actors-keyring.ts'
import { REMOTE_ACTORS } from '../actors/actor-internals.ts'
import { overrideInternals } from '../core/internals.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor, type HostileRequestOptions } from './hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from './instance.ts'

let site: TestInstance
let good: HostilePeer
let evil: HostilePeer
let alice: HostileActor
let mallory: HostileActor
beforeAll(async () => {
  site = await startTestInstance({
    federation: { inbox: { per_host: { max: 100_000 } } },
    internals: { inbox: { checkInterval: 100, retryDelay: 20, attempts: 2, viewsInterval: 50 }, actors: { keyRefresh: 100 } }
  })
  ;[good, evil] = [await startHostilePeer(), await startHostilePeer()]
  alice = await good.actor('alice')
  mallory = await evil.actor('mallory')
})
afterAll(async () => await Promise.all([site, good, evil].map(async one => await one?.stop())))

const post = async (activity: object, way: HostileRequestOptions = {}) => {
  const peer = String((activity as { actor: string }).actor).startsWith(evil.url) || way.as?.url.startsWith(evil.url) ? evil : good
  return (await peer.post(`${site.url}/inbox`, activity as never, way)).status
}
const waitForOutcome = async (id: string) =>
  await eventually(
    async () =>
      (
        await runQuery<{ outcome: string }>(sql`
  SELECT outcome FROM incoming WHERE done_at IS NOT NULL AND (activity_id LIKE ${`${id}%`} OR activity_id LIKE ${`% ${id}`})
  ORDER BY id DESC LIMIT 1`)
      )[0]?.outcome,
    10,
    `the outcome of ${id}`
  )
const findActorRow = async (url: string) =>
  (
    await runQuery<{ inbox_url: string; public_key: string; preferred_username: string }>(
      sql`SELECT inbox_url, public_key, preferred_username FROM actors WHERE url = ${url}`
    )
  )[0]
const like = (actor: string, peer: HostilePeer) => ({ id: peer.id(), type: 'Like', actor, object: `${site.url}/videos/watch/1` })

describe('keys', () => {
  it('a key is accepted only if its owner is of the same host and both name each other', async () => {
    const cases: [string, () => Promise<{ activity: object; way: HostileRequestOptions }>][] = [
      [
        'a key whose owner is another actor',
        async () => {
          const actor = await evil.actor('owner-elsewhere')
          evil.serve('/accounts/owner-elsewhere', {
            ...actor.document,
            publicKey: { ...(actor.document.publicKey as object), owner: alice.url }
          })
          return { activity: like(alice.url, good), way: { as: actor } }
        }
      ],
      [
        'the key of another actor, listed as own',
        async () => {
          const actor = await evil.actor('lists-alice')
          evil.serve('/accounts/lists-alice', {
            ...actor.document,
            publicKey: { id: alice.keyId, owner: actor.url, publicKeyPem: alice.publicKeyPem }
          })
          return { activity: like(actor.url, evil), way: { as: { ...alice, url: actor.url } } }
        }
      ],
      [
        'a key on another host than its owner',
        async () => {
          const actor = await evil.actor('key-elsewhere')
          evil.serve('/accounts/key-elsewhere', {
            ...actor.document,
            publicKey: { ...(actor.document.publicKey as object), id: `${good.url}/keys/1` }
          })
          return { activity: like(actor.url, evil), way: { as: actor } }
        }
      ],
      [
        'a key document that names an owner on another host',
        async () => {
          evil.serve('/keys/alice', { id: `${evil.url}/keys/alice`, owner: alice.url, publicKeyPem: mallory.publicKeyPem })
          return { activity: like(alice.url, good), way: { as: { ...mallory, keyId: `${evil.url}/keys/alice` } } }
        }
      ],
      [
        'a key document that its owner does not list',
        async () => {
          evil.serve('/keys/mallory', { id: `${evil.url}/keys/mallory`, owner: mallory.url, publicKeyPem: mallory.publicKeyPem })
          return { activity: like(mallory.url, evil), way: { as: { ...mallory, keyId: `${evil.url}/keys/mallory` } } }
        }
      ],
      [
        'a key document with the id of another key',
        async () => {
          evil.serve('/keys/other', { id: `${evil.url}/keys/mallory`, owner: mallory.url, publicKeyPem: mallory.publicKeyPem })
          return { activity: like(mallory.url, evil), way: { as: { ...mallory, keyId: `${evil.url}/keys/other` } } }
        }
      ],
      [
        'an actor document of another host',
        async () => {
          evil.serve('/accounts/alice', alice.document)
          return { activity: like(alice.url, good), way: { as: { ...mallory, keyId: `${evil.url}/accounts/alice` } } }
        }
      ],
      [
        'no key at all',
        async () => {
          const actor = await evil.actor('keyless', 'Person', { publicKey: undefined })
          return { activity: like(actor.url, evil), way: { as: actor } }
        }
      ]
    ]
    for (const [name, make] of cases) {
      const { activity, way } = await make()
      expect(await post(activity, way), name).toBe(401)
    }
    expect(await runQuery(sql`SELECT id FROM incoming`)).toEqual([])
    // The correct keys are accepted.
    expect(await post(like(alice.url, good))).toBe(202)
    expect(await post(like(mallory.url, evil))).toBe(202)
  })

  it('a changed key of an actor is fetched, but not for every request', async () => {
    const { keyRefresh } = REMOTE_ACTORS
    overrideInternals(REMOTE_ACTORS, { keyRefresh: 300_000 })
    try {
      const actor = await good.actor('rotating')
      expect(await post(like(actor.url, good))).toBe(202)
      const renewed = await good.actor('rotating')
      const asked = () => good.asked.filter(path => path === '/accounts/rotating').length
      const before = asked()
      expect(await post(like(actor.url, good), { as: renewed })).toBe(202)
      for (const _ of [1, 2, 3, 4, 5])
        expect(await post(like(actor.url, good), { as: { ...mallory, url: actor.url, keyId: actor.keyId } })).toBe(401)
      expect(asked() - before).toBe(1)
    } finally {
      overrideInternals(REMOTE_ACTORS, { keyRefresh })
    }
  })

  it('a key that could not be fetched is fetched again after half a minute, not before', async () => {
    const actor = await good.actor('late')
    good.serve('/accounts/late', (_request, response) => response.writeHead(503).end())
    const asked = () => good.asked.filter(path => path === '/accounts/late').length
    for (const _ of [1, 2, 3]) expect(await post(like(actor.url, good))).toBe(503)
    expect(asked()).toBe(1)
    good.serve('/accounts/late', actor.document)
    expect(await post(like(actor.url, good))).toBe(503)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 })
    try {
      expect(await post(like(actor.url, good))).toBe(202)
    } finally {
      vi.useRealTimers()
    }
    // Entries cached with the fake time would expire too late.
    clearKeyringCache()
    expect(asked()).toBe(2)
  })
})

describe('actors and follows', () => {
  it('an actor is changed only by itself, and its key and inbox are read from its origin only', async () => {
    expect(await post(like(alice.url, good))).toBe(202)
    const before = await eventually(async () => await findActorRow(alice.url))
    const forged = {
      ...alice.document,
      inbox: `${evil.url}/inbox`,
      publicKey: { ...(alice.document.publicKey as object), publicKeyPem: mallory.publicKeyPem }
    }
    for (const object of [forged, { ...forged, id: alice.url.replace('alice', 'bob') }, { ...mallory.document, id: alice.url }]) {
      const activity = { id: evil.id(), type: 'Update', actor: mallory.url, object }
      expect(await post(activity)).toBe(202)
      expect(await waitForOutcome(activity.id)).toMatch(/^dropped/)
    }
    const signed = { id: good.id(), type: 'Update', actor: alice.url, object: forged }
    expect(await post(signed)).toBe(202)
    await waitForOutcome(signed.id)
    expect(await findActorRow(alice.url)).toEqual(before)
  })

  it('an Undo or Delete by another actor has no effect, not even from the same host', async () => {
    const bob = await good.actor('bob')
    const follow = { id: good.id('follows'), type: 'Follow', actor: alice.url, object: `${site.url}/accounts/peertube` }
    expect(await post(follow)).toBe(202)
    await eventually(async () => (await runQuery(sql`SELECT id FROM follows WHERE url = ${follow.id}`)).length === 1)
    for (const [actor, peer, object] of [
      [bob, good, follow],
      [bob, good, { ...follow, actor: bob.url }],
      [bob, good, follow.id],
      [mallory, evil, follow],
      [mallory, evil, { ...follow, actor: mallory.url, id: evil.id() }]
    ] as const) {
      const activity = { id: peer.id(), type: 'Undo', actor: actor.url, object }
      expect(await post(activity)).toBe(202)
      await waitForOutcome(activity.id)
    }
    for (const actor of [bob, mallory]) {
      const activity = { id: (actor === bob ? good : evil).id(), type: 'Delete', actor: actor.url, object: alice.url }
      expect(await post(activity)).toBe(202)
      await waitForOutcome(activity.id)
    }
    expect(await runQuery(sql`SELECT id FROM follows WHERE url = ${follow.id}`)).toHaveLength(1)
    expect(await findActorRow(alice.url)).toBeDefined()
  })

  it('an Accept counts only from the target of the Follow', async () => {
    await post(like(mallory.url, evil))
    const [follow] = await runQuery<{ url: string }>(sql`
      INSERT INTO follows (url, actor_id, target_id, state, created_at, updated_at)
      SELECT ${`${site.url}/accounts/peertube/follows/900`}, ours.id, theirs.id, 'pending', now(), now() FROM actors ours, actors theirs
      WHERE ours.host IS NULL AND ours.preferred_username = 'peertube' AND theirs.url = ${mallory.url} RETURNING url`)
    const state = async () => (await runQuery<{ state: string }>(sql`SELECT state FROM follows WHERE url = ${follow!.url}`))[0]!.state
    const embeddedFollow = { id: follow!.url, type: 'Follow', actor: `${site.url}/accounts/peertube`, object: mallory.url }
    for (const object of [
      embeddedFollow,
      { ...embeddedFollow, object: alice.url },
      follow!.url,
      { ...embeddedFollow, id: `${site.url}/accounts/peertube/follows/901`, object: alice.url }
    ]) {
      const activity = { id: good.id(), type: 'Accept', actor: alice.url, object }
      expect(await post(activity)).toBe(202)
      await waitForOutcome(activity.id)
      expect(await state()).toBe('pending')
    }
    const accept = { id: evil.id(), type: 'Accept', actor: mallory.url, object: embeddedFollow }
    await post(accept)
    await eventually(async () => (await state()) === 'accepted')
  })
})

describe('actors without follow relation', () => {
  beforeEach(async () => {
    await runQuery(sql`DELETE FROM follows`)
  })

  it('hundreds of Announces of unknown URLs cause no request', async () => {
    const victim = await startHostilePeer()
    const group = await evil.actor('loud', 'Group')
    expect(await post(like(group.url, evil))).toBe(202)
    const ids = [...Array(300)].map(() => evil.id())
    await Promise.all(
      ids.map(
        async id => await post({ id, type: 'Announce', actor: group.url, object: `${victim.url}/videos/watch/${id.split('/').at(-1)}` })
      )
    )
    await eventually(async () => (await runQuery(sql`SELECT id FROM incoming WHERE done_at IS NULL`)).length === 0)
    expect(victim.asked).toEqual([])
    await victim.stop()
  })

  it('activities of a blocked host are refused, also if forwarded by others, and its actors are not fetched', async () => {
    const outcast = await startHostilePeer()
    const eve = await outcast.actor('eve')
    await runQuery(sql`INSERT INTO blocked_hosts (host) VALUES (${outcast.host})`)
    // Blocks are cached for a second.
    await new Promise(resolve => setTimeout(resolve, 1100))
    expect((await outcast.post(`${site.url}/inbox`, like(eve.url, outcast) as never)).status).toBe(403)
    expect(outcast.asked).toEqual([])
    const forwarded = {
      id: outcast.id(),
      type: 'Create',
      actor: eve.url,
      object: { type: 'Note', id: outcast.id(), attributedTo: eve.url, content: 'x' }
    }
    expect(await post(forwarded, { as: alice })).toBe(202)
    expect(await waitForOutcome(forwarded.id)).toMatch('blocked')
    expect(outcast.asked).toEqual([])
    await outcast.stop()
  })
})
