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
const ACTIVITYSTREAMS = 'https://www.w3.org/ns/activitystreams'
const BASE_CONTEXT = [ACTIVITYSTREAMS, 'https://w3id.org/security/v1']

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
let keyring: ScriptedKeyring
const attempts = recordConnectionAttempts([], () => false)
beforeAll(() => {
  loadConfig({ overrides: { federation: { min_key_bits: 1024 } } })
  keyring = scriptedKeyring()
  setKeyring(keyring)
  keyring.knows(actorOf(ALICE, publicKey))
})
// No test may fetch anything, whatever a document references.
afterEach(() => expect(attempts.seen).toEqual([]))
afterAll(() => attempts.stop())

function actorOf(url: string, key: KeyObject) {
  return { url, keyId: `${url}#main-key`, publicKeyPem: key.export({ type: 'spki', format: 'pem' }).toString() }
}
const noteObject = (overrides: object = {}) => ({
  id: `${GOOD}/notes/1`,
  type: 'Note',
  content: 'Hello',
  attributedTo: ALICE,
  inReplyTo: 'https://here.example/videos/watch/1',
  to: PUBLIC,
  published: '2026-11-20T12:00:00Z',
  ...overrides
})
const createActivity = (overrides: object = {}, context: unknown = BASE_CONTEXT) => ({ '@context': context, ...withoutContext(overrides) })
const withoutContext = (overrides: object = {}) => ({
  id: `${GOOD}/notes/1/activity`,
  type: 'Create',
  actor: ALICE,
  to: [PUBLIC],
  object: noteObject(),
  ...overrides
})
const sign = async (document: object) => await createLdSignature(document, { actor: ALICE, keyId: `${ALICE}#main-key`, privateKey })
const verifyChanged = async (change: (document: any) => void, document: object = createActivity()) => {
  const signedDocument = structuredClone(await sign(document))
  change(signedDocument)
  return await verifyLdSignature(signedDocument)
}

describe('verifyLdSignature', () => {
  it('verifies documents with additional terms', async () => {
    expect(await verifyLdSignature(await sign(createActivity()))).toBe(ALICE)
    const tag = [{ type: 'Mention', href: ALICE, name: '@alice' }]
    for (const document of [
      withContext(
        'comment',
        withoutContext({
          object: noteObject({
            replyApproval: 'https://here.example/approvals/1',
            tag,
            contentMap: { en: 'Hello' },
            url: `${GOOD}/@alice/1`,
            cc: []
          })
        })
      ),
      withContext('view', withoutContext({ type: 'View', object: 'https://here.example/videos/watch/1', expires: '2026-11-20T13:00:00Z' })),
      withContext(
        'cacheFile',
        withoutContext({
          object: {
            type: 'CacheFile',
            id: `${GOOD}/copies/1`,
            expires: '2026-11-20T13:00:00Z',
            object: 'https://here.example/videos/watch/1',
            url: { type: 'Link', mediaType: 'application/x-mpegURL', href: `${GOOD}/1.m3u8` }
          }
        })
      ),
      withContext('base', withoutContext({ type: 'Delete', object: { id: `${GOOD}/notes/1`, type: 'Tombstone' } })),
      createActivity(
        {
          object: noteObject({
            tag: [...tag, { type: 'Hashtag', href: `${GOOD}/tags/x`, name: '#x' }, { type: 'Emoji', id: `${GOOD}/emoji/x`, name: ':x:' }]
          })
        },
        [
          ACTIVITYSTREAMS,
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
      expect(await verifyLdSignature(await sign(document)), JSON.stringify(document)).toBe(ALICE)
  })

  it('verifies a reply in the form of Mastodon', async () => {
    const context = [
      ACTIVITYSTREAMS,
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
    const document = createActivity(
      {
        published: '2026-11-20T12:00:00Z',
        cc: [`${ALICE}/followers`],
        object: noteObject({
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
    expect(await verifyLdSignature(await sign(document))).toBe(ALICE)
    expect(
      await verifyChanged(document => {
        document.object.inReplyTo = 'https://here.example/videos/watch/2'
      }, document)
    ).toBeNull()
    expect(
      await verifyChanged(document => {
        document.object.cc = []
      }, document)
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
  )('verifies a signature of PeerTube 6.3: %s', async (_name, body) => {
    for (const [url, publicKeyPem] of Object.entries(keys)) keyring.knows({ url, keyId: `${url}#main-key`, publicKeyPem })
    expect(await verifyLdSignature(body)).toBe(body.actor)
    expect(await verifyLdSignature({ ...body, published: '2020-01-01T00:00:00Z' })).toBeNull()
  })

  it('returns null for changed documents, other signers and other keys', async () => {
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
    for (const [name, change] of Object.entries(cases)) expect(await verifyChanged(change), name).toBeNull()
    const forged = await createLdSignature(createActivity(), { actor: ALICE, keyId: `${ALICE}#main-key`, privateKey: mallory.privateKey })
    expect(await verifyLdSignature(forged)).toBeNull()
    expect(
      await verifyLdSignature(
        await createLdSignature(createActivity(), { actor: MALLORY, keyId: `${MALLORY}#main-key`, privateKey: mallory.privateKey })
      )
    ).toBeNull()
  })

  it('returns null for malformed signatures and documents', async () => {
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
      expect(await verifyLdSignature({ ...createActivity(), signature: value } as never)).toBeNull()
    for (const overrides of [
      { actor: null },
      { actor: 5 },
      { '@context': null },
      { '@context': 5 },
      { '@context': [] },
      { object: [[[]]] },
      { type: {} },
      { id: [] }
    ])
      expect(await verifyChanged(document => Object.assign(document, overrides)), JSON.stringify(overrides)).toBeNull()
  })
})

describe('JSON-LD contexts', () => {
  it('unknown contexts are not fetched and invalidate the signature', async () => {
    for (const context of [
      'https://evil.example/context',
      'http://127.0.0.1/context',
      'file:///etc/passwd',
      'https://w3id.org/security/v99',
      'https://www.w3.org/ns/activitystreams?x'
    ]) {
      expect(
        await verifyChanged(document => {
          document['@context'] = [...BASE_CONTEXT, context]
        }),
        context
      ).toBeNull()
      expect(
        await verifyChanged(document => {
          document.object['@context'] = context
        }),
        context
      ).toBeNull()
      expect(
        await verifyChanged(document => {
          document['@context'] = [...BASE_CONTEXT, { '@import': context }]
        }),
        context
      ).toBeNull()
      expect(
        await verifyChanged(document => {
          document['@context'] = [...BASE_CONTEXT, { x: { '@id': 'as:x', '@context': context } }]
        }),
        context
      ).toBeNull()
    }
  })

  it('contexts that redefine known terms invalidate the signature', async () => {
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
          await verifyChanged(() => undefined, createActivity({}, [...BASE_CONTEXT, { [term]: definition }])).catch(() => null),
          `${term} ${JSON.stringify(definition)}`
        ).toBeNull()
        expect(
          await verifyChanged(() => undefined, createActivity({ object: { '@context': { [term]: definition }, ...noteObject() } })).catch(
            () => null
          ),
          `${term} ${JSON.stringify(definition)} inside`
        ).toBeNull()
      }
    }
  })

  it('aliases of known terms invalidate the signature', async () => {
    // The same statements for JSON-LD, but others for code that reads the JSON.
    const rename =
      (from: string, to: string, overrides: object = {}) =>
      (document: any) => {
        document.object[to] = document.object[from]
        delete document.object[from]
        Object.assign(document.object, overrides)
      }
    expect(await verifyChanged(rename('content', 'as:content'))).toBeNull()
    expect(await verifyChanged(rename('inReplyTo', `${ACTIVITYSTREAMS}#inReplyTo`))).toBeNull()
    expect(await verifyChanged(rename('id', '@id'))).toBeNull()
    for (const definition of ['as:content', { '@id': 'as:content' }, `${ACTIVITYSTREAMS}#content`]) {
      const hideByAlias = (document: any) => {
        document['@context'] = [...BASE_CONTEXT, { c: definition }]
        rename('content', 'c')(document)
      }
      expect(await verifyChanged(hideByAlias), JSON.stringify(definition)).toBeNull()
    }
    const hideByTwoPrefixes = (document: any) => {
      document['@context'] = [...BASE_CONTEXT, { y: 'https://www.w3.org/ns/', c: 'y:activitystreams#content' }]
      rename('content', 'c')(document)
    }
    expect(await verifyChanged(hideByTwoPrefixes)).toBeNull()
    const hideType = (document: any) => {
      document['@context'] = [...BASE_CONTEXT, { Letter: 'as:Note' }]
      document.object.type = 'Letter'
    }
    expect(await verifyChanged(hideType)).toBeNull()
  })

  it('properties without a term cannot be added unsigned, if they are read here', async () => {
    const additions: [string, unknown][] = [
      ['replyApproval', 'https://here.example/approvals/1'],
      ['commentsPolicy', 1],
      ['uuid', '6e0d4a1c-0000-4000-8000-000000000000'],
      ['expires', '2030-01-01T00:00:00Z'],
      ['likes', 'https://evil.example/likes']
    ]
    for (const [key, value] of additions)
      expect(
        await verifyChanged(document => {
          document.object[key] = value
        }),
        key
      ).toBeNull()
    // Properties that are not read here may be added.
    expect(
      await verifyChanged(document => {
        document.object.blurhash = 'x'
      })
    ).toBe(ALICE)
    // A context cannot turn a signed value into another property.
    const withOwnTerm = createActivity({ object: noteObject({ mood: 'https://here.example/approvals/1' }) }, [
      ...BASE_CONTEXT,
      { ex: 'https://example.org/ns#', mood: 'ex:mood' }
    ])
    expect(await verifyChanged(() => undefined, withOwnTerm)).toBe(ALICE)
    expect(
      await verifyChanged(document => {
        document['@context'] = [...BASE_CONTEXT, { ex: 'https://example.org/ns#', replyApproval: 'ex:mood' }]
        document.object.replyApproval = document.object.mood
        delete document.object.mood
      }, withOwnTerm)
    ).toBeNull()
  })

  it('JSON-LD keywords invalidate the signature', async () => {
    for (const key of ['@graph', '@included', '@reverse', '@nest', '@value', '@list', '@set', '@type', '@index', '@language']) {
      const value = key === '@type' ? 'Note' : { actor: 'https://evil.example' }
      expect(
        await verifyChanged(document => {
          document[key] = value
        }),
        key
      ).toBeNull()
      expect(
        await verifyChanged(document => {
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
          await verifyChanged(document => {
            document['@context'] = [...BASE_CONTEXT, { g: definition }]
            document.g = { actor: 'https://evil.example' }
          }),
          `${key} ${JSON.stringify(definition)}`
        ).toBeNull()
      }
    }
    for (const keyword of [
      { '@vocab': `${ACTIVITYSTREAMS}#` },
      { '@base': 'https://evil.example/' },
      { '@version': 1.1 },
      { '@propagate': false },
      { '@protected': true },
      null
    ]) {
      expect(
        await verifyChanged(document => {
          document['@context'] = [...BASE_CONTEXT, keyword]
        }),
        JSON.stringify(keyword)
      ).toBeNull()
    }
  })

  it('huge contexts are refused quickly', async () => {
    const huge = Object.fromEntries([...Array(15_000)].map((_, index) => [`term${index}`, `https://example.org/ns#${index}`]))
    const startedAt = performance.now()
    expect(
      await verifyChanged(document => {
        document['@context'] = [...BASE_CONTEXT, huge]
      })
    ).toBeNull()
    expect(
      await verifyChanged(document => {
        document['@context'] = [...BASE_CONTEXT, ...Array(5000).fill(ACTIVITYSTREAMS)]
      })
    ).toBeNull()
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })
})

describe('canonicalization', () => {
  const linkedBlankNodes = (count: number, links: number) =>
    [...Array(count)].map((_, index) => ({
      id: `_:b${index}`,
      type: 'Note',
      attachment: [...Array(links)].map((_one, next) => `_:b${(index + next + 1) % count}`)
    }))
  const nestedNotes = (depth: number): object =>
    depth === 0 ? { type: 'Note' } : { type: 'Note', attachment: [nestedNotes(depth - 1), nestedNotes(depth - 1)] }
  const expensiveTags: Record<string, object[]> = {
    'forty linked nodes': linkedBlankNodes(40, 5),
    'all linked with all': linkedBlankNodes(12, 11),
    'a ring': linkedBlankNodes(100, 1),
    'the same again and again': [...Array(160)].map(() => ({ type: 'Note', attachment: { type: 'Note' } })),
    'a tree': [nestedNotes(7)],
    'many values': [...Array(600)].map((_, index) => ({ type: 'Mention', href: `${GOOD}/${index}` })),
    'as many as are allowed': [...Array(30)].map(() => ({ type: 'Note', attachment: { type: 'Note' } }))
  }
  it.each(Object.keys(expensiveTags))('is bounded for %s', async name => {
    let longestBlock = 0
    let lastTick = performance.now()
    const timer = setInterval(() => {
      longestBlock = Math.max(longestBlock, performance.now() - lastTick)
      lastTick = performance.now()
    }, 5)
    const startedAt = performance.now()
    const result = await verifyLdSignature({
      ...createActivity({ object: noteObject({ tag: expensiveTags[name] }) }),
      signature: { type: 'RsaSignature2017', creator: ALICE, created: '2026-11-20T12:00:00Z', signatureValue: 'AAAA' }
    } as never)
    expect(result).toBeNull()
    expect(performance.now() - startedAt).toBeLessThan(15_000)
    clearInterval(timer)
    expect(longestBlock).toBeLessThan(10_000)
  })

  it('handles a note with many mentions', async () => {
    const tag = [...Array(60)].map((_, index) => ({ type: 'Mention', href: `${GOOD}/accounts/${index}`, name: `@${index}` }))
    expect(await verifyLdSignature(await sign(createActivity({ object: noteObject({ tag }) })))).toBe(ALICE)
  })
})
