import { beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../core/config.ts'
import { checkOrigin, checkConfirmedOrigin } from './origin-policy.ts'
import type { IncomingActivity } from './activity-handlers.ts'
import { idOf, isObject, listOf, type Json, type JsonObject } from './vocabulary.ts'

beforeAll(() => loadConfig({ overrides: { webserver: { hostname: 'here.example' } } }))

const GOOD = 'https://good.example'
const EVIL = 'https://evil.example'
const HERE = 'https://here.example'
const ALICE = `${GOOD}/accounts/alice`

const incoming = (activity: JsonObject, signer = String(idOf(activity.actor)), proof?: IncomingActivity['proof']): IncomingActivity => ({
  id: String(activity.id),
  type: String(activity.type),
  actor: String(idOf(activity.actor)),
  activity,
  object: activity.object ?? null,
  proof: proof ?? (idOf(activity.actor) === signer ? 'http' : 'none'),
  signer,
  body: JSON.stringify(activity),
  receivedAt: new Date()
})
const verdict = (activity: JsonObject, signer?: string, proof?: IncomingActivity['proof']) =>
  checkOrigin(incoming(activity, signer, proof)).kind

/** One whole number below `limit` after the other, the same for the same seed. */
function dice(seed: number): (limit: number) => number {
  let state = seed
  return limit => {
    state = (state * 1103515245 + 12345) & 0x7fffffff
    return (state >> 8) % limit
  }
}

type Sample = { activity: JsonObject; authority: (string | number)[][] }

/** A lawful activity of alice, and where in it the words of authority stand. */
function sample(roll: (limit: number) => number): Sample {
  const number = roll(10_000)
  const video = `${GOOD}/videos/watch/${number}`
  const elsewhere = `${[HERE, 'https://third.example', GOOD][roll(3)]}/videos/watch/${number}`
  const envelope = { id: `${GOOD}/activities/${number}`, actor: roll(2) ? ALICE : ({ type: 'Person', id: ALICE } as Json) }
  const actorPath = typeof envelope.actor === 'string' ? ['actor'] : ['actor', 'id']
  const own = [['id'], actorPath]
  const note: JsonObject = { type: 'Note', id: `${GOOD}/notes/${number}`, content: 'Hello', inReplyTo: elsewhere, attributedTo: ALICE }
  const attributed: JsonObject = { id: video, attributedTo: [{ type: 'Person', id: ALICE }, `${GOOD}/video-channels/films`] }
  const like: JsonObject = { type: 'Like', id: `${ALICE}/likes/${number}`, actor: ALICE, object: elsewhere }
  const follow: JsonObject = { type: 'Follow', id: `${HERE}/accounts/bob/follows/${number}`, actor: `${HERE}/accounts/bob`, object: ALICE }
  const samples: Sample[] = [
    { activity: { ...envelope, type: 'Create', object: note }, authority: [...own, ['object', 'id'], ['object', 'attributedTo']] },
    { activity: { ...envelope, type: 'Update', object: note }, authority: [...own, ['object', 'id'], ['object', 'attributedTo']] },
    {
      activity: { ...envelope, type: ['Create', 'Update'][roll(2)]!, object: { type: 'Video', ...attributed } },
      authority: [...own, ['object', 'id'], ['object', 'attributedTo', 0, 'id'], ['object', 'attributedTo', 1]]
    },
    {
      activity: {
        ...envelope,
        type: ['Create', 'Update'][roll(2)]!,
        object: { type: 'Playlist', ...attributed, attributedTo: [`${GOOD}/video-channels/films`] }
      },
      authority: [...own, ['object', 'id'], ['object', 'attributedTo', 0]]
    },
    {
      activity: {
        ...envelope,
        type: ['Create', 'Update'][roll(2)]!,
        object: { type: 'CacheFile', id: `${GOOD}/redundancy/${number}`, object: elsewhere }
      },
      authority: [...own, ['object', 'id']]
    },
    {
      activity: {
        ...envelope,
        type: 'Create',
        object: { type: 'WatchAction', id: `${GOOD}/videos/local-viewer/${number}`, actor: ALICE, object: elsewhere }
      },
      authority: [...own, ['object', 'id'], ['object', 'actor']]
    },
    {
      activity: { ...envelope, type: 'Update', object: { type: 'Person', id: ALICE, publicKey: { owner: ALICE } } },
      authority: [...own, ['object', 'id']]
    },
    { activity: { ...envelope, type: 'Delete', object: roll(2) ? video : [video] }, authority: own },
    { activity: { ...envelope, type: 'Delete', object: { type: 'Video', id: video } }, authority: [...own, ['object', 'id']] },
    { activity: { ...envelope, type: 'Delete', object: { type: 'Person', id: ALICE } }, authority: [...own, ['object', 'id']] },
    { activity: { ...envelope, type: 'Move', object: ALICE, target: `${EVIL}/accounts/alice` }, authority: [...own, ['object']] },
    { activity: { ...envelope, type: 'Undo', object: like }, authority: [...own, ['object', 'id'], ['object', 'actor']] },
    { activity: { ...envelope, type: 'Undo', object: `${ALICE}/likes/${number}` }, authority: [...own, ['object']] },
    {
      activity: {
        ...envelope,
        type: 'Undo',
        object: {
          type: 'Create',
          id: `${GOOD}/c/${number}`,
          actor: ALICE,
          object: { type: 'CacheFile', id: `${GOOD}/redundancy/${number}` }
        }
      },
      authority: [...own, ['object', 'id'], ['object', 'actor'], ['object', 'object', 'id']]
    },
    {
      activity: { ...envelope, type: ['Accept', 'Reject'][roll(2)]!, object: follow },
      authority: [...own, ['object', 'id'], ['object', 'actor'], ['object', 'object']]
    },
    {
      activity: {
        ...envelope,
        type: ['Like', 'Dislike', 'Follow', 'View', 'Announce', 'Flag', 'ApproveReply'][roll(7)]!,
        object: elsewhere
      },
      authority: own
    }
  ]
  return samples[roll(samples.length)]!
}

function at(value: Json, path: (string | number)[]): string {
  return path.reduce<any>((inner, key) => inner[key], value) as string
}

function swapped(activity: JsonObject, path: (string | number)[], to: string): JsonObject {
  const copy = structuredClone(activity)
  const holder = at(copy, path.slice(0, -1)) as any
  holder[path.at(-1)!] = to
  return copy
}

describe('the origin law', () => {
  it('lets thousands of lawful activities pass, and none whose host is swapped anywhere it speaks with authority', () => {
    const roll = dice(2026)
    const kinds = new Set<string>()
    for (let round = 0; round < 5000; round++) {
      const { activity, authority } = sample(roll)
      expect(verdict(activity), JSON.stringify(activity)).toBe('act')
      kinds.add(`${activity.type}(${isObject(activity.object) ? activity.object.type : ''})`)
      for (const path of authority) {
        const old = new URL(at(activity, path))
        const others = [
          EVIL,
          GOOD.replace('https', 'http'),
          `${GOOD}:8443`,
          'https://good.example.evil.example',
          'https://sub.good.example',
          HERE === old.origin ? GOOD : HERE
        ]
        const changed = swapped(activity, path, others[roll(others.length)]! + old.pathname)
        expect(verdict(changed, ALICE), `${path.join('.')} of ${JSON.stringify(changed)}`).not.toBe('act')
      }
    }
    expect(kinds.size).toBeGreaterThan(15)
  })

  it('lets an activity of another signer pass only where the origin is asked', () => {
    const roll = dice(7)
    for (let round = 0; round < 3000; round++) {
      const { activity } = sample(roll)
      for (const proof of ['none', 'ld', 'integrity'] as const) {
        const judgement = checkOrigin(incoming(activity, `${EVIL}/accounts/mallory`, proof))
        const object = listOf(activity.object)[0]
        const carried =
          activity.type === 'View' ||
          (isObject(object) &&
            ['Note', 'CacheFile'].includes(String(object.type)) &&
            (activity.type === 'Create' || (activity.type === 'Update' && (object.type === 'CacheFile' || proof === 'integrity')))) ||
          (activity.type === 'Undo' && isObject(object) && isObject(object.object) && object.object.type === 'CacheFile')
        if (proof === 'none' || !carried) expect(judgement.kind, `${proof} ${JSON.stringify(activity)}`).not.toBe('act')
        else expect(judgement.kind, `${proof} ${JSON.stringify(activity)}`).toBe('act')
        if (judgement.kind === 'ask') expect(new URL(judgement.url).origin).toBe(GOOD)
      }
    }
  })

  it('what it lets pass tells nothing about foreign things but their address', () => {
    const lie = { type: 'Video', id: `${EVIL}/v/1`, name: 'A lie about somebody’s film', attributedTo: [ALICE] }
    for (const type of ['Like', 'Announce', 'View', 'Flag', 'Whatever']) {
      const judgement = checkOrigin(incoming({ id: `${GOOD}/1`, type, actor: ALICE, object: lie }))
      expect(judgement).toMatchObject({ kind: 'act', incoming: { object: `${EVIL}/v/1`, activity: { object: `${EVIL}/v/1` } } })
    }
    expect(
      checkOrigin(incoming({ id: `${GOOD}/1`, type: 'Flag', actor: ALICE, object: [lie, `${HERE}/2`, 7, { id: 'urn:x' }] }))
    ).toMatchObject({
      incoming: { object: [`${EVIL}/v/1`, `${HERE}/2`] }
    })
  })

  it('an Update of a video by a stranger has no effect', () => {
    const video = { type: 'Video', id: `${GOOD}/videos/watch/1`, name: 'Taken over', attributedTo: [{ type: 'Person', id: ALICE }] }
    expect(verdict({ id: `${EVIL}/1`, type: 'Update', actor: `${EVIL}/mallory`, object: video })).toBe('drop')
    expect(verdict({ id: `${GOOD}/1`, type: 'Update', actor: ALICE, object: video }, `${EVIL}/mallory`)).toBe('ask')
  })

  it('an Update of an actor changes only its signer', () => {
    for (const id of [`${HERE}/accounts/root`, `${GOOD}/accounts/bob`, `${EVIL}/accounts/alice`]) {
      expect(verdict({ id: `${GOOD}/1`, type: 'Update', actor: ALICE, object: { type: 'Person', id } })).toBe('drop')
    }
    expect(verdict({ id: `${GOOD}/1`, type: 'Update', actor: ALICE, object: { type: 'Person', id: ALICE } })).toBe('act')
  })

  it('an object of an author elsewhere is refused', () => {
    for (const attributedTo of [`${EVIL}/a`, [ALICE, `${EVIL}/a`], { id: `${EVIL}/a` }, [null], [7], 'nonsense']) {
      expect(
        verdict({
          id: `${GOOD}/1`,
          type: 'Create',
          actor: ALICE,
          object: { type: 'Note', id: `${GOOD}/n`, attributedTo: attributedTo as Json }
        })
      ).toBe('drop')
    }
  })

  it('nobody undoes for another, not even on the same host; a foreign comment needs an exception', () => {
    const like = { type: 'Like', id: `${GOOD}/accounts/bob/likes/1`, actor: `${GOOD}/accounts/bob`, object: `${HERE}/v` }
    expect(verdict({ id: `${GOOD}/1`, type: 'Undo', actor: ALICE, object: like })).toBe('drop')
    expect(verdict({ id: `${GOOD}/1`, type: 'Undo', actor: ALICE, object: `${EVIL}/likes/1` })).toBe('drop')
    expect(verdict({ id: `${GOOD}/1`, type: 'Delete', actor: ALICE, object: `${EVIL}/notes/1` })).toBe('except')
    expect(verdict({ id: `${EVIL}/notes/1/delete`, type: 'Delete', actor: ALICE, object: `${EVIL}/notes/1` })).toBe('except')
    expect(verdict({ id: `${EVIL}/notes/1/delete`, type: 'Delete', actor: ALICE, object: `${GOOD}/notes/1` })).toBe('drop')
    expect(verdict({ id: `${GOOD}/1`, type: 'Delete', actor: ALICE, object: { type: 'Video', id: `${EVIL}/v/1` } })).toBe('drop')
    expect(verdict({ id: `${GOOD}/1`, type: 'Delete', actor: ALICE, object: { type: 'Person', id: `${GOOD}/accounts/bob` } })).toBe('drop')
  })

  it('an Accept must answer us, and for its signer', () => {
    const follow = { type: 'Follow', id: `${HERE}/f/1`, actor: `${HERE}/accounts/bob`, object: `${GOOD}/accounts/bob` }
    expect(verdict({ id: `${GOOD}/1`, type: 'Accept', actor: ALICE, object: follow })).toBe('drop')
    expect(verdict({ id: `${GOOD}/1`, type: 'Accept', actor: ALICE, object: `${EVIL}/f/1` })).toBe('drop')
    expect(verdict({ id: `${GOOD}/1`, type: 'Accept', actor: ALICE, object: `${HERE}/f/1` })).toBe('act')
    expect(verdict({ id: `${GOOD}/1`, type: 'Accept', actor: ALICE, object: { ...follow, object: ALICE } })).toBe('act')
  })

  it('a playlist in somebody’s channel is refused', () => {
    const playlist = { type: 'Playlist', id: `${GOOD}/p/1`, attributedTo: [`${EVIL}/video-channels/victim`] }
    expect(verdict({ id: `${GOOD}/1`, type: 'Create', actor: ALICE, object: playlist })).toBe('drop')
  })

  it('what a group announces counts only as its origin tells it (FEP-1b12)', () => {
    const inner = {
      id: `${EVIL}/c/1`,
      type: 'Create',
      actor: `${EVIL}/bob`,
      object: { type: 'Note', id: `${EVIL}/n/1`, attributedTo: `${EVIL}/bob`, content: 'x' }
    }
    const wrapped = (object: JsonObject, proof?: IncomingActivity['proof']) =>
      checkOrigin(incoming({ id: `${GOOD}/a/1`, type: 'Announce', actor: ALICE, object }, proof ? EVIL : ALICE, proof))
    expect(wrapped(inner)).toMatchObject({
      kind: 'ask',
      url: `${EVIL}/n/1`,
      expected: 'document',
      incoming: { type: 'Create', actor: `${EVIL}/bob`, proof: 'none', signer: ALICE }
    })
    expect(wrapped({ ...inner, type: 'Delete', object: `${EVIL}/n/1` })).toMatchObject({ kind: 'ask', expected: 'gone' })
    expect(wrapped({ ...inner, actor: ALICE }).kind).toBe('drop')
    expect(wrapped({ ...inner, id: `${GOOD}/c/1` }).kind).toBe('drop')
    expect(wrapped({ ...inner, type: 'Undo' }).kind).toBe('drop')
    expect(wrapped({ ...inner, type: 'Announce', object: inner }).kind).toBe('drop')
    expect(wrapped(inner, 'ld').kind).toBe('ask')
    expect(wrapped(inner, 'none').kind).toBe('drop')
    expect(wrapped({ ...inner, id: `${HERE}/c/1`, actor: `${HERE}/accounts/root`, object: `${HERE}/v/1` }).kind).toBe('drop')
  })

  it('what an origin confirmed is judged as its own words, and keeps saying how it was proven', () => {
    const good = incoming(
      { id: `${GOOD}/1`, type: 'Create', actor: ALICE, object: { type: 'Video', id: `${GOOD}/v`, attributedTo: [ALICE] } },
      `${EVIL}/x`
    )
    expect(checkConfirmedOrigin(good)).toMatchObject({ kind: 'act', incoming: { proof: 'none' } })
    expect(checkConfirmedOrigin({ ...good, object: { type: 'Video', id: `${GOOD}/v`, attributedTo: [`${EVIL}/x`] } }).kind).toBe('drop')
  })

  it('nobody speaks for this instance', () => {
    expect(verdict({ id: `${HERE}/1`, type: 'Create', actor: `${HERE}/accounts/root`, object: { type: 'Note', id: `${HERE}/n` } })).toBe(
      'drop'
    )
    expect(verdict({ id: `${GOOD}/1`, type: 'Update', actor: ALICE, object: { type: 'Video', id: `${HERE}/videos/watch/1` } })).toBe('drop')
    expect(verdict({ id: `${GOOD}/1`, type: 'Delete', actor: ALICE, object: { type: 'Video', id: `${HERE}/videos/watch/1` } })).toBe('drop')
  })

  it('is judged without an exception, whatever its shape', () => {
    const roll = dice(42)
    const oddities: Json[] = [
      null,
      0,
      -1,
      true,
      '',
      'x',
      [],
      {},
      [[]],
      [null, null],
      { id: null },
      { id: {} },
      { type: [] },
      `${GOOD}/x`,
      ['a', { id: 7 }]
    ]
    for (let round = 0; round < 3000; round++) {
      const { activity } = sample(roll)
      const paths = allPaths(activity)
      const changed = swapped(activity, paths[roll(paths.length)]!, oddities[roll(oddities.length)] as string)
      expect(['act', 'ask', 'except', 'drop']).toContain(
        checkOrigin({ ...incoming(activity), activity: changed, object: changed.object ?? null }).kind
      )
    }
  })
})

function allPaths(value: Json, before: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [
    [...before, Array.isArray(value) ? Number(key) : key],
    ...allPaths(inner, [...before, Array.isArray(value) ? Number(key) : key])
  ])
}
