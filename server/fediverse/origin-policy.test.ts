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

const toIncoming = (activity: JsonObject, signer = String(idOf(activity.actor)), proof?: IncomingActivity['proof']): IncomingActivity => ({
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
const decisionKind = (activity: JsonObject, signer?: string, proof?: IncomingActivity['proof']) =>
  checkOrigin(toIncoming(activity, signer, proof)).kind

/** A deterministic generator of whole numbers below `limit`. */
function seededRandom(seed: number): (limit: number) => number {
  let state = seed
  return limit => {
    state = (state * 1103515245 + 12345) & 0x7fffffff
    return (state >> 8) % limit
  }
}

type Sample = { activity: JsonObject; authority: (string | number)[][] }

/** A valid activity of alice, and the paths of the values in it that must have her origin. */
function randomActivity(random: (limit: number) => number): Sample {
  const number = random(10_000)
  const video = `${GOOD}/videos/watch/${number}`
  const elsewhere = `${[HERE, 'https://third.example', GOOD][random(3)]}/videos/watch/${number}`
  const envelope = { id: `${GOOD}/activities/${number}`, actor: random(2) ? ALICE : ({ type: 'Person', id: ALICE } as Json) }
  const actorPath = typeof envelope.actor === 'string' ? ['actor'] : ['actor', 'id']
  const envelopePaths = [['id'], actorPath]
  const note: JsonObject = { type: 'Note', id: `${GOOD}/notes/${number}`, content: 'Hello', inReplyTo: elsewhere, attributedTo: ALICE }
  const attributed: JsonObject = { id: video, attributedTo: [{ type: 'Person', id: ALICE }, `${GOOD}/video-channels/films`] }
  const like: JsonObject = { type: 'Like', id: `${ALICE}/likes/${number}`, actor: ALICE, object: elsewhere }
  const follow: JsonObject = { type: 'Follow', id: `${HERE}/accounts/bob/follows/${number}`, actor: `${HERE}/accounts/bob`, object: ALICE }
  const samples: Sample[] = [
    {
      activity: { ...envelope, type: 'Create', object: note },
      authority: [...envelopePaths, ['object', 'id'], ['object', 'attributedTo']]
    },
    {
      activity: { ...envelope, type: 'Update', object: note },
      authority: [...envelopePaths, ['object', 'id'], ['object', 'attributedTo']]
    },
    {
      activity: { ...envelope, type: ['Create', 'Update'][random(2)]!, object: { type: 'Video', ...attributed } },
      authority: [...envelopePaths, ['object', 'id'], ['object', 'attributedTo', 0, 'id'], ['object', 'attributedTo', 1]]
    },
    {
      activity: {
        ...envelope,
        type: ['Create', 'Update'][random(2)]!,
        object: { type: 'Playlist', ...attributed, attributedTo: [`${GOOD}/video-channels/films`] }
      },
      authority: [...envelopePaths, ['object', 'id'], ['object', 'attributedTo', 0]]
    },
    {
      activity: {
        ...envelope,
        type: ['Create', 'Update'][random(2)]!,
        object: { type: 'CacheFile', id: `${GOOD}/redundancy/${number}`, object: elsewhere }
      },
      authority: [...envelopePaths, ['object', 'id']]
    },
    {
      activity: {
        ...envelope,
        type: 'Create',
        object: { type: 'WatchAction', id: `${GOOD}/videos/local-viewer/${number}`, actor: ALICE, object: elsewhere }
      },
      authority: [...envelopePaths, ['object', 'id'], ['object', 'actor']]
    },
    {
      activity: { ...envelope, type: 'Update', object: { type: 'Person', id: ALICE, publicKey: { owner: ALICE } } },
      authority: [...envelopePaths, ['object', 'id']]
    },
    { activity: { ...envelope, type: 'Delete', object: random(2) ? video : [video] }, authority: envelopePaths },
    { activity: { ...envelope, type: 'Delete', object: { type: 'Video', id: video } }, authority: [...envelopePaths, ['object', 'id']] },
    { activity: { ...envelope, type: 'Delete', object: { type: 'Person', id: ALICE } }, authority: [...envelopePaths, ['object', 'id']] },
    { activity: { ...envelope, type: 'Move', object: ALICE, target: `${EVIL}/accounts/alice` }, authority: [...envelopePaths, ['object']] },
    { activity: { ...envelope, type: 'Undo', object: like }, authority: [...envelopePaths, ['object', 'id'], ['object', 'actor']] },
    { activity: { ...envelope, type: 'Undo', object: `${ALICE}/likes/${number}` }, authority: [...envelopePaths, ['object']] },
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
      authority: [...envelopePaths, ['object', 'id'], ['object', 'actor'], ['object', 'object', 'id']]
    },
    {
      activity: { ...envelope, type: ['Accept', 'Reject'][random(2)]!, object: follow },
      authority: [...envelopePaths, ['object', 'id'], ['object', 'actor'], ['object', 'object']]
    },
    {
      activity: {
        ...envelope,
        type: ['Like', 'Dislike', 'Follow', 'View', 'Announce', 'Flag', 'ApproveReply'][random(7)]!,
        object: elsewhere
      },
      authority: envelopePaths
    }
  ]
  return samples[random(samples.length)]!
}

function valueAt(value: Json, path: (string | number)[]): string {
  return path.reduce<any>((inner, key) => inner[key], value) as string
}

function withValueAt(activity: JsonObject, path: (string | number)[], to: string): JsonObject {
  const copy = structuredClone(activity)
  const parent = valueAt(copy, path.slice(0, -1)) as any
  parent[path.at(-1)!] = to
  return copy
}

describe('checkOrigin', () => {
  it('accepts random valid activities, and none with another host at any authoritative path', () => {
    const random = seededRandom(2026)
    const testedTypes = new Set<string>()
    for (let round = 0; round < 5000; round++) {
      const { activity, authority } = randomActivity(random)
      expect(decisionKind(activity), JSON.stringify(activity)).toBe('accept')
      testedTypes.add(`${activity.type}(${isObject(activity.object) ? activity.object.type : ''})`)
      for (const path of authority) {
        const old = new URL(valueAt(activity, path))
        const others = [
          EVIL,
          GOOD.replace('https', 'http'),
          `${GOOD}:8443`,
          'https://good.example.evil.example',
          'https://sub.good.example',
          HERE === old.origin ? GOOD : HERE
        ]
        const changed = withValueAt(activity, path, others[random(others.length)]! + old.pathname)
        expect(decisionKind(changed, ALICE), `${path.join('.')} of ${JSON.stringify(changed)}`).not.toBe('accept')
      }
    }
    expect(testedTypes.size).toBeGreaterThan(15)
  })

  it('accepts an activity signed by another actor only with a proof for a forwardable type', () => {
    const random = seededRandom(7)
    for (let round = 0; round < 3000; round++) {
      const { activity } = randomActivity(random)
      for (const proof of ['none', 'ld', 'integrity'] as const) {
        const decision = checkOrigin(toIncoming(activity, `${EVIL}/accounts/mallory`, proof))
        const object = listOf(activity.object)[0]
        const isForwardable =
          activity.type === 'View' ||
          (isObject(object) &&
            ['Note', 'CacheFile'].includes(String(object.type)) &&
            (activity.type === 'Create' || (activity.type === 'Update' && (object.type === 'CacheFile' || proof === 'integrity')))) ||
          (activity.type === 'Undo' && isObject(object) && isObject(object.object) && object.object.type === 'CacheFile')
        if (proof === 'none' || !isForwardable) expect(decision.kind, `${proof} ${JSON.stringify(activity)}`).not.toBe('accept')
        else expect(decision.kind, `${proof} ${JSON.stringify(activity)}`).toBe('accept')
        if (decision.kind === 'confirm') expect(new URL(decision.url).origin).toBe(GOOD)
      }
    }
  })

  it('reduces foreign objects to their ids', () => {
    const foreignVideo = { type: 'Video', id: `${EVIL}/v/1`, name: 'A false title', attributedTo: [ALICE] }
    for (const type of ['Like', 'Announce', 'View', 'Flag', 'Whatever']) {
      const decision = checkOrigin(toIncoming({ id: `${GOOD}/1`, type, actor: ALICE, object: foreignVideo }))
      expect(decision).toMatchObject({ kind: 'accept', incoming: { object: `${EVIL}/v/1`, activity: { object: `${EVIL}/v/1` } } })
    }
    expect(
      checkOrigin(toIncoming({ id: `${GOOD}/1`, type: 'Flag', actor: ALICE, object: [foreignVideo, `${HERE}/2`, 7, { id: 'urn:x' }] }))
    ).toMatchObject({
      incoming: { object: [`${EVIL}/v/1`, `${HERE}/2`] }
    })
  })

  it('an Update of a video by another origin is dropped or confirmed at its origin', () => {
    const video = { type: 'Video', id: `${GOOD}/videos/watch/1`, name: 'Taken over', attributedTo: [{ type: 'Person', id: ALICE }] }
    expect(decisionKind({ id: `${EVIL}/1`, type: 'Update', actor: `${EVIL}/mallory`, object: video })).toBe('drop')
    expect(decisionKind({ id: `${GOOD}/1`, type: 'Update', actor: ALICE, object: video }, `${EVIL}/mallory`)).toBe('confirm')
  })

  it('an Update of an actor changes only its signer', () => {
    for (const id of [`${HERE}/accounts/root`, `${GOOD}/accounts/bob`, `${EVIL}/accounts/alice`]) {
      expect(decisionKind({ id: `${GOOD}/1`, type: 'Update', actor: ALICE, object: { type: 'Person', id } })).toBe('drop')
    }
    expect(decisionKind({ id: `${GOOD}/1`, type: 'Update', actor: ALICE, object: { type: 'Person', id: ALICE } })).toBe('accept')
  })

  it('an object attributed to an actor of another origin is dropped', () => {
    for (const attributedTo of [`${EVIL}/a`, [ALICE, `${EVIL}/a`], { id: `${EVIL}/a` }, [null], [7], 'nonsense']) {
      expect(
        decisionKind({
          id: `${GOOD}/1`,
          type: 'Create',
          actor: ALICE,
          object: { type: 'Note', id: `${GOOD}/n`, attributedTo: attributedTo as Json }
        })
      ).toBe('drop')
    }
  })

  it('an Undo or Delete by another actor is dropped; a Delete of a foreign comment needs an exception', () => {
    const like = { type: 'Like', id: `${GOOD}/accounts/bob/likes/1`, actor: `${GOOD}/accounts/bob`, object: `${HERE}/v` }
    expect(decisionKind({ id: `${GOOD}/1`, type: 'Undo', actor: ALICE, object: like })).toBe('drop')
    expect(decisionKind({ id: `${GOOD}/1`, type: 'Undo', actor: ALICE, object: `${EVIL}/likes/1` })).toBe('drop')
    expect(decisionKind({ id: `${GOOD}/1`, type: 'Delete', actor: ALICE, object: `${EVIL}/notes/1` })).toBe('exception')
    expect(decisionKind({ id: `${EVIL}/notes/1/delete`, type: 'Delete', actor: ALICE, object: `${EVIL}/notes/1` })).toBe('exception')
    expect(decisionKind({ id: `${EVIL}/notes/1/delete`, type: 'Delete', actor: ALICE, object: `${GOOD}/notes/1` })).toBe('drop')
    expect(decisionKind({ id: `${GOOD}/1`, type: 'Delete', actor: ALICE, object: { type: 'Video', id: `${EVIL}/v/1` } })).toBe('drop')
    expect(decisionKind({ id: `${GOOD}/1`, type: 'Delete', actor: ALICE, object: { type: 'Person', id: `${GOOD}/accounts/bob` } })).toBe(
      'drop'
    )
  })

  it('an Accept must refer to a Follow of a local actor whose target is the signer', () => {
    const follow = { type: 'Follow', id: `${HERE}/f/1`, actor: `${HERE}/accounts/bob`, object: `${GOOD}/accounts/bob` }
    expect(decisionKind({ id: `${GOOD}/1`, type: 'Accept', actor: ALICE, object: follow })).toBe('drop')
    expect(decisionKind({ id: `${GOOD}/1`, type: 'Accept', actor: ALICE, object: `${EVIL}/f/1` })).toBe('drop')
    expect(decisionKind({ id: `${GOOD}/1`, type: 'Accept', actor: ALICE, object: `${HERE}/f/1` })).toBe('accept')
    expect(decisionKind({ id: `${GOOD}/1`, type: 'Accept', actor: ALICE, object: { ...follow, object: ALICE } })).toBe('accept')
  })

  it('a playlist in a channel of another origin is dropped', () => {
    const playlist = { type: 'Playlist', id: `${GOOD}/p/1`, attributedTo: [`${EVIL}/video-channels/victim`] }
    expect(decisionKind({ id: `${GOOD}/1`, type: 'Create', actor: ALICE, object: playlist })).toBe('drop')
  })

  it('an activity announced by a group is confirmed at its origin (FEP-1b12)', () => {
    const inner = {
      id: `${EVIL}/c/1`,
      type: 'Create',
      actor: `${EVIL}/bob`,
      object: { type: 'Note', id: `${EVIL}/n/1`, attributedTo: `${EVIL}/bob`, content: 'x' }
    }
    const checkAnnounced = (object: JsonObject, proof?: IncomingActivity['proof']) =>
      checkOrigin(toIncoming({ id: `${GOOD}/a/1`, type: 'Announce', actor: ALICE, object }, proof ? EVIL : ALICE, proof))
    expect(checkAnnounced(inner)).toMatchObject({
      kind: 'confirm',
      url: `${EVIL}/n/1`,
      expected: 'document',
      incoming: { type: 'Create', actor: `${EVIL}/bob`, proof: 'none', signer: ALICE }
    })
    expect(checkAnnounced({ ...inner, type: 'Delete', object: `${EVIL}/n/1` })).toMatchObject({ kind: 'confirm', expected: 'gone' })
    expect(checkAnnounced({ ...inner, actor: ALICE }).kind).toBe('drop')
    expect(checkAnnounced({ ...inner, id: `${GOOD}/c/1` }).kind).toBe('drop')
    expect(checkAnnounced({ ...inner, type: 'Undo' }).kind).toBe('drop')
    expect(checkAnnounced({ ...inner, type: 'Announce', object: inner }).kind).toBe('drop')
    expect(checkAnnounced(inner, 'ld').kind).toBe('confirm')
    expect(checkAnnounced(inner, 'none').kind).toBe('drop')
    expect(checkAnnounced({ ...inner, id: `${HERE}/c/1`, actor: `${HERE}/accounts/root`, object: `${HERE}/v/1` }).kind).toBe('drop')
  })

  it('checkConfirmedOrigin ignores the missing proof but keeps its value', () => {
    const good = toIncoming(
      { id: `${GOOD}/1`, type: 'Create', actor: ALICE, object: { type: 'Video', id: `${GOOD}/v`, attributedTo: [ALICE] } },
      `${EVIL}/x`
    )
    expect(checkConfirmedOrigin(good)).toMatchObject({ kind: 'accept', incoming: { proof: 'none' } })
    expect(checkConfirmedOrigin({ ...good, object: { type: 'Video', id: `${GOOD}/v`, attributedTo: [`${EVIL}/x`] } }).kind).toBe('drop')
  })

  it('an activity for an actor or object of this instance is dropped', () => {
    expect(
      decisionKind({ id: `${HERE}/1`, type: 'Create', actor: `${HERE}/accounts/root`, object: { type: 'Note', id: `${HERE}/n` } })
    ).toBe('drop')
    expect(decisionKind({ id: `${GOOD}/1`, type: 'Update', actor: ALICE, object: { type: 'Video', id: `${HERE}/videos/watch/1` } })).toBe(
      'drop'
    )
    expect(decisionKind({ id: `${GOOD}/1`, type: 'Delete', actor: ALICE, object: { type: 'Video', id: `${HERE}/videos/watch/1` } })).toBe(
      'drop'
    )
  })

  it('returns a decision for values of any shape without throwing', () => {
    const random = seededRandom(42)
    const oddValues: Json[] = [
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
      const { activity } = randomActivity(random)
      const paths = pathsOf(activity)
      const changed = withValueAt(activity, paths[random(paths.length)]!, oddValues[random(oddValues.length)] as string)
      expect(['accept', 'confirm', 'exception', 'drop']).toContain(
        checkOrigin({ ...toIncoming(activity), activity: changed, object: changed.object ?? null }).kind
      )
    }
  })
})

function pathsOf(value: Json, before: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [
    [...before, Array.isArray(value) ? Number(key) : key],
    ...pathsOf(inner, [...before, Array.isArray(value) ? Number(key) : key])
  ])
}
