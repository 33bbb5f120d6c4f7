import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig, projectFolder } from '../core/config.ts'
import { recordConnectionAttempts } from '../test/connection-attempts.ts'
import { scriptedKeyring, type ScriptedKeyring } from '../test/scripted-keyring.ts'
import { withContext } from './jsonld-context.ts'
import { setKeyring } from './keyring.ts'
import { createLdSignature, verifyLdSignature } from './ld-signature.ts'
import type { JsonObject } from './vocabulary.ts'

const GOOD = 'https://good.example'
const ALICE = `${GOOD}/accounts/alice`
const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
const AS = 'https://www.w3.org/ns/activitystreams'
const BASE = [AS, 'https://w3id.org/security/v1']

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
let keyring: ScriptedKeyring
const attempts = recordConnectionAttempts([], () => false)
beforeAll(() => {
  loadConfig({ overrides: { federation: { min_key_bits: 1024 } } })
  keyring = scriptedKeyring()
  setKeyring(keyring)
  keyring.knows(actorOf(ALICE, publicKey))
})
// Whatever a document names, nothing is asked for.
afterEach(() => expect(attempts.seen).toEqual([]))
afterAll(() => attempts.stop())

function actorOf(url: string, key: KeyObject) {
  return { url, keyId: `${url}#main-key`, publicKeyPem: key.export({ type: 'spki', format: 'pem' }).toString() }
}
const note = (more: object = {}) => ({
  id: `${GOOD}/notes/1`,
  type: 'Note',
  content: 'Hello',
  attributedTo: ALICE,
  inReplyTo: 'https://here.example/videos/watch/1',
  to: PUBLIC,
  published: '2026-11-20T12:00:00Z',
  ...more
})
const activity = (more: object = {}, context: unknown = BASE) => ({ '@context': context, ...bare(more) })
const bare = (more: object = {}) => ({
  id: `${GOOD}/notes/1/activity`,
  type: 'Create',
  actor: ALICE,
  to: [PUBLIC],
  object: note(),
  ...more
})
const signed = async (document: object) => await createLdSignature(document, { actor: ALICE, keyId: `${ALICE}#main-key`, privateKey })
const spoilt = async (spoil: (document: any) => void, document: object = activity()) => {
  const whole = structuredClone(await signed(document))
  spoil(whole)
  return await verifyLdSignature(whole)
}

describe('an LD signature', () => {
  it('is known by those who know the key, whatever terms its document brings along', async () => {
    expect(await verifyLdSignature(await signed(activity()))).toBe(ALICE)
    const tag = [{ type: 'Mention', href: ALICE, name: '@alice' }]
    for (const document of [
      withContext(
        'comment',
        bare({
          object: note({
            replyApproval: 'https://here.example/approvals/1',
            tag,
            contentMap: { en: 'Hello' },
            url: `${GOOD}/@alice/1`,
            cc: []
          })
        })
      ),
      withContext('view', bare({ type: 'View', object: 'https://here.example/videos/watch/1', expires: '2026-11-20T13:00:00Z' })),
      withContext(
        'cacheFile',
        bare({
          object: {
            type: 'CacheFile',
            id: `${GOOD}/copies/1`,
            expires: '2026-11-20T13:00:00Z',
            object: 'https://here.example/videos/watch/1',
            url: { type: 'Link', mediaType: 'application/x-mpegURL', href: `${GOOD}/1.m3u8` }
          }
        })
      ),
      withContext('base', bare({ type: 'Delete', object: { id: `${GOOD}/notes/1`, type: 'Tombstone' } })),
      activity(
        {
          object: note({
            tag: [...tag, { type: 'Hashtag', href: `${GOOD}/tags/x`, name: '#x' }, { type: 'Emoji', id: `${GOOD}/emoji/x`, name: ':x:' }]
          })
        },
        [
          AS,
          {
            Hashtag: 'as:Hashtag',
            ostatus: 'http://ostatus.org#',
            atomUri: 'ostatus:atomUri',
            sensitive: 'as:sensitive',
            toot: 'http://joinmastodon.org/ns#',
            Emoji: 'toot:Emoji'
          }
        ]
      )
    ])
      expect(await verifyLdSignature(await signed(document)), JSON.stringify(document)).toBe(ALICE)
  })

  it('is known on a reply as Mastodon writes it', async () => {
    const context = [
      AS,
      {
        ostatus: 'http://ostatus.org#',
        atomUri: 'ostatus:atomUri',
        inReplyToAtomUri: 'ostatus:inReplyToAtomUri',
        conversation: 'ostatus:conversation',
        sensitive: 'as:sensitive',
        toot: 'http://joinmastodon.org/ns#',
        votersCount: 'toot:votersCount',
        blurhash: 'toot:blurhash',
        focalPoint: { '@container': '@list', '@id': 'toot:focalPoint' },
        Emoji: 'toot:Emoji',
        Hashtag: 'as:Hashtag'
      }
    ]
    const whole = activity(
      {
        published: '2026-11-20T12:00:00Z',
        cc: [`${ALICE}/followers`],
        object: note({
          summary: null,
          url: `${GOOD}/@alice/1`,
          to: [PUBLIC],
          cc: [`${ALICE}/followers`, 'https://here.example/accounts/bob'],
          sensitive: false,
          atomUri: `${GOOD}/notes/1`,
          inReplyToAtomUri: 'https://here.example/videos/watch/1',
          conversation: 'tag:good.example,2026-11-20:objectId=1:objectType=Conversation',
          content: '<p>Hello</p>',
          contentMap: { en: '<p>Hello</p>' },
          attachment: [
            {
              type: 'Document',
              mediaType: 'image/png',
              url: `${GOOD}/1.png`,
              name: null,
              blurhash: 'UBL_',
              focalPoint: [0.0, -0.5],
              width: 100,
              height: 50
            }
          ],
          tag: [
            { type: 'Mention', href: 'https://here.example/accounts/bob', name: '@bob@here.example' },
            { type: 'Hashtag', href: `${GOOD}/tags/x`, name: '#x' }
          ],
          replies: {
            id: `${GOOD}/notes/1/replies`,
            type: 'Collection',
            first: { type: 'CollectionPage', next: `${GOOD}/notes/1/replies?page=true`, partOf: `${GOOD}/notes/1/replies`, items: [] }
          }
        })
      },
      context
    )
    expect(await verifyLdSignature(await signed(whole))).toBe(ALICE)
    expect(
      await spoilt(document => {
        document.object.inReplyTo = 'https://here.example/videos/watch/2'
      }, whole)
    ).toBeNull()
    expect(
      await spoilt(document => {
        document.object.cc = []
      }, whole)
    ).toBeNull()
  })

  const { keys, delivered } = JSON.parse(readFileSync(join(projectFolder, 'server/fediverse/recorded/deliveries.json'), 'utf8')) as {
    keys: Record<string, string>
    delivered: { name: string; body: JsonObject }[]
  }
  it.each(
    delivered
      .filter(
        ({ body }) =>
          body.signature &&
          ['Create', 'View', 'Delete'].includes(String(body.type)) &&
          !/Video|Playlist/.test(String((body.object as JsonObject).type))
      )
      .map(one => [one.name, one.body] as const)
  )('that PeerTube 6.3 made: %s', async (_name, body) => {
    for (const [url, publicKeyPem] of Object.entries(keys)) keyring.knows({ url, keyId: `${url}#main-key`, publicKeyPem })
    expect(await verifyLdSignature(body)).toBe(body.actor)
    expect(await verifyLdSignature({ ...body, published: '2020-01-01T00:00:00Z' })).toBeNull()
  })

  it('counts for what was signed, its signer and its key only', async () => {
    const mallory = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const MALLORY = 'https://evil.example/accounts/mallory'
    keyring.knows(actorOf(MALLORY, mallory.publicKey), actorOf(`${GOOD}/accounts/bob`, mallory.publicKey))
    const cases: Record<string, (document: any) => void> = {
      'other words': document => {
        document.object.content = 'Something else'
      },
      'another actor': document => {
        document.actor = `${GOOD}/accounts/bob`
      },
      'another id': document => {
        document.id = `${GOOD}/2`
      },
      'another audience': document => {
        document.to = [`${ALICE}/followers`]
      },
      'more of it': document => {
        document.cc = [ALICE]
      },
      'less of it': document => {
        delete document.to
      },
      'another creator': document => {
        document.signature.creator = `${GOOD}/accounts/bob`
      },
      'a creator elsewhere': document => {
        document.signature.creator = MALLORY
      },
      'another date': document => {
        document.signature.created = '2026-11-21T12:00:00Z'
      },
      'another kind': document => {
        document.signature.type = 'RsaSignature2018'
      },
      'no value': document => {
        document.signature.signatureValue = ''
      },
      'a list': document => {
        document.signature = [document.signature]
      },
      nothing: document => {
        delete document.signature
      },
      'no creator': document => {
        delete document.signature.creator
      }
    }
    for (const [name, spoil] of Object.entries(cases)) expect(await spoilt(spoil), name).toBeNull()
    const forged = await createLdSignature(activity(), { actor: ALICE, keyId: `${ALICE}#main-key`, privateKey: mallory.privateKey })
    expect(await verifyLdSignature(forged)).toBeNull()
    expect(
      await verifyLdSignature(
        await createLdSignature(activity(), { actor: MALLORY, keyId: `${MALLORY}#main-key`, privateKey: mallory.privateKey })
      )
    ).toBeNull()
  })

  it('of any shape breaks nothing', async () => {
    for (const value of [
      null,
      1,
      'x',
      [],
      {},
      { type: 'RsaSignature2017' },
      { type: 'RsaSignature2017', creator: {}, signatureValue: {} },
      { type: 'RsaSignature2017', creator: ALICE, created: {}, signatureValue: 'AAAA', '@context': 'https://evil.example' }
    ])
      expect(await verifyLdSignature({ ...activity(), signature: value } as never)).toBeNull()
    for (const more of [
      { actor: null },
      { actor: 5 },
      { '@context': null },
      { '@context': 5 },
      { '@context': [] },
      { object: [[[]]] },
      { type: {} },
      { id: [] }
    ])
      expect(await spoilt(document => Object.assign(document, more)), JSON.stringify(more)).toBeNull()
  })
})

describe('contexts', () => {
  it('that are unknown are not asked for, and nothing under them counts', async () => {
    for (const context of [
      'https://evil.example/context',
      'http://127.0.0.1/context',
      'file:///etc/passwd',
      'https://w3id.org/security/v99',
      'https://www.w3.org/ns/activitystreams?x'
    ]) {
      expect(
        await spoilt(document => {
          document['@context'] = [...BASE, context]
        }),
        context
      ).toBeNull()
      expect(
        await spoilt(document => {
          document.object['@context'] = context
        }),
        context
      ).toBeNull()
      expect(
        await spoilt(document => {
          document['@context'] = [...BASE, { '@import': context }]
        }),
        context
      ).toBeNull()
      expect(
        await spoilt(document => {
          document['@context'] = [...BASE, { x: { '@id': 'as:x', '@context': context } }]
        }),
        context
      ).toBeNull()
    }
  })

  it('that give known terms another meaning do not count, wherever they stand', async () => {
    for (const term of [
      'actor',
      'object',
      'to',
      'cc',
      'type',
      'id',
      'content',
      'inReplyTo',
      'attributedTo',
      'published',
      'Note',
      'Create',
      'Public',
      'as',
      'sec',
      'signature',
      'owner'
    ]) {
      for (const definition of [
        'https://evil.example/x',
        'as:summary',
        null,
        { '@id': 'as:summary' },
        { '@id': 'as:name', '@type': '@id' },
        false
      ]) {
        expect(
          await spoilt(() => undefined, activity({}, [...BASE, { [term]: definition }])).catch(() => null),
          `${term} ${JSON.stringify(definition)}`
        ).toBeNull()
        expect(
          await spoilt(() => undefined, activity({ object: { '@context': { [term]: definition }, ...note() } })).catch(() => null),
          `${term} ${JSON.stringify(definition)} inside`
        ).toBeNull()
      }
    }
  })

  it('that hide a known term behind another name do not count', async () => {
    // The same statements, read otherwise by whoever reads the JSON.
    const rename =
      (from: string, to: string, more: object = {}) =>
      (document: any) => {
        document.object[to] = document.object[from]
        delete document.object[from]
        Object.assign(document.object, more)
      }
    expect(await spoilt(rename('content', 'as:content'))).toBeNull()
    expect(await spoilt(rename('inReplyTo', `${AS}#inReplyTo`))).toBeNull()
    expect(await spoilt(rename('id', '@id'))).toBeNull()
    for (const definition of ['as:content', { '@id': 'as:content' }, `${AS}#content`]) {
      const hide = (document: any) => {
        document['@context'] = [...BASE, { c: definition }]
        rename('content', 'c')(document)
      }
      expect(await spoilt(hide), JSON.stringify(definition)).toBeNull()
    }
    const twice = (document: any) => {
      document['@context'] = [...BASE, { y: 'https://www.w3.org/ns/', c: 'y:activitystreams#content' }]
      rename('content', 'c')(document)
    }
    expect(await spoilt(twice)).toBeNull()
    const types = (document: any) => {
      document['@context'] = [...BASE, { Letter: 'as:Note' }]
      document.object.type = 'Letter'
    }
    expect(await spoilt(types)).toBeNull()
  })

  it('that have no word for something do not let it in unsigned', async () => {
    const additions: [string, unknown][] = [
      ['replyApproval', 'https://here.example/approvals/1'],
      ['commentsPolicy', 1],
      ['uuid', '6e0d4a1c-0000-4000-8000-000000000000'],
      ['expires', '2030-01-01T00:00:00Z'],
      ['likes', 'https://evil.example/likes']
    ]
    for (const [key, value] of additions)
      expect(
        await spoilt(document => {
          document.object[key] = value
        }),
        key
      ).toBeNull()
    // What nobody here reads may stand there.
    expect(
      await spoilt(document => {
        document.object.blurhash = 'x'
      })
    ).toBe(ALICE)
    // A signed value does not become another by a context.
    const own = activity({ object: note({ mood: 'https://here.example/approvals/1' }) }, [
      ...BASE,
      { ex: 'https://example.org/ns#', mood: 'ex:mood' }
    ])
    expect(await spoilt(() => undefined, own)).toBe(ALICE)
    expect(
      await spoilt(document => {
        document['@context'] = [...BASE, { ex: 'https://example.org/ns#', replyApproval: 'ex:mood' }]
        document.object.replyApproval = document.object.mood
        delete document.object.mood
      }, own)
    ).toBeNull()
  })

  it('do no tricks with the words of JSON-LD', async () => {
    for (const key of ['@graph', '@included', '@reverse', '@nest', '@value', '@list', '@set', '@type', '@index', '@language']) {
      const value = key === '@type' ? 'Note' : { actor: 'https://evil.example' }
      expect(
        await spoilt(document => {
          document[key] = value
        }),
        key
      ).toBeNull()
      expect(
        await spoilt(document => {
          document.object[key] = value
        }),
        key
      ).toBeNull()
      for (const definition of [
        key,
        { '@id': key },
        { '@reverse': 'as:object' },
        { '@id': 'as:x', '@container': '@graph' },
        { '@id': 'as:x', '@nest': 'y' }
      ]) {
        expect(
          await spoilt(document => {
            document['@context'] = [...BASE, { g: definition }]
            document.g = { actor: 'https://evil.example' }
          }),
          `${key} ${JSON.stringify(definition)}`
        ).toBeNull()
      }
    }
    for (const keyword of [
      { '@vocab': `${AS}#` },
      { '@base': 'https://evil.example/' },
      { '@version': 1.1 },
      { '@propagate': false },
      { '@protected': true },
      null
    ]) {
      expect(
        await spoilt(document => {
          document['@context'] = [...BASE, keyword]
        }),
        JSON.stringify(keyword)
      ).toBeNull()
    }
  })

  it('that are huge cost nothing', async () => {
    const huge = Object.fromEntries([...Array(15_000)].map((_, index) => [`term${index}`, `https://example.org/ns#${index}`]))
    const began = performance.now()
    expect(
      await spoilt(document => {
        document['@context'] = [...BASE, huge]
      })
    ).toBeNull()
    expect(
      await spoilt(document => {
        document['@context'] = [...BASE, ...Array(5000).fill(AS)]
      })
    ).toBeNull()
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})

describe('canonicalisation', () => {
  const blanks = (count: number, links: number) =>
    [...Array(count)].map((_, index) => ({
      id: `_:b${index}`,
      type: 'Note',
      attachment: [...Array(links)].map((_one, next) => `_:b${(index + next + 1) % count}`)
    }))
  const tree = (depth: number): object =>
    depth === 0 ? { type: 'Note' } : { type: 'Note', attachment: [tree(depth - 1), tree(depth - 1)] }
  const worst: Record<string, object[]> = {
    'forty linked nodes': blanks(40, 5),
    'all linked with all': blanks(12, 11),
    'a ring': blanks(100, 1),
    'the same again and again': [...Array(160)].map(() => ({ type: 'Note', attachment: { type: 'Note' } })),
    'a tree': [tree(7)],
    'many values': [...Array(600)].map((_, index) => ({ type: 'Mention', href: `${GOOD}/${index}` })),
    'as many as are allowed': [...Array(30)].map(() => ({ type: 'Note', attachment: { type: 'Note' } }))
  }
  it.each(Object.keys(worst))('of %s takes no time', async name => {
    let longest = 0
    let last = performance.now()
    const watch = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 5)
    const began = performance.now()
    const result = await verifyLdSignature({
      ...activity({ object: note({ tag: worst[name] }) }),
      signature: { type: 'RsaSignature2017', creator: ALICE, created: '2026-11-20T12:00:00Z', signatureValue: 'AAAA' }
    } as never)
    expect(result).toBeNull()
    expect(performance.now() - began).toBeLessThan(15_000)
    clearInterval(watch)
    expect(longest).toBeLessThan(10_000)
  })

  it('of a long thread is still done', async () => {
    const tag = [...Array(60)].map((_, index) => ({ type: 'Mention', href: `${GOOD}/accounts/${index}`, name: `@${index}` }))
    expect(await verifyLdSignature(await signed(activity({ object: note({ tag }) })))).toBe(ALICE)
  })
})
