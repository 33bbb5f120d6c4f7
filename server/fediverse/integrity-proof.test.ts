import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import canonicalize from 'canonicalize'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { instanceHost, instanceOrigin, loadConfig } from '../core/config.ts'
import { startHostilePeer, type HostilePeer } from '../test/hostile-peer.ts'
import { scriptedKeyring } from '../test/scripted-keyring.ts'
import { verifyIntegrityProof } from './integrity-proof.ts'
import { setKeyring } from './keyring.ts'
import type { JsonObject } from './vocabulary.ts'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const CONTEXT = ['https://www.w3.org/ns/activitystreams', 'https://w3id.org/security/data-integrity/v1']
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
let peer: HostilePeer
let otherPeer: HostilePeer
let alice: string
let verificationMethod: string
beforeAll(async () => {
  loadConfig({ overrides: { federation: { prevent_ssrf: false, fetch: { per_host: { max: 100_000 } } } } })
  setKeyring(scriptedKeyring())
  ;[peer, otherPeer] = [await startHostilePeer(), await startHostilePeer()]
  alice = `${peer.url}/accounts/alice`
  verificationMethod = `${alice}#ed25519-key`
})
afterAll(async () => await Promise.all([peer?.stop(), otherPeer?.stop()]))
beforeEach(() => {
  peer.serve('/accounts/alice', actorDocument(alice, publicKey))
})

const multikey = (key: KeyObject, prefix = [0xed, 0x01]) =>
  base58(Buffer.concat([Buffer.from(prefix), key.export({ type: 'spki', format: 'der' }).subarray(-32)]))
const actorDocument = (id: string, key: KeyObject, overrides: object = {}) => ({
  id,
  type: 'Person',
  assertionMethod: [{ id: `${id}#ed25519-key`, type: 'Multikey', controller: id, publicKeyMultibase: multikey(key), ...overrides }]
})
const unsignedCreate = (overrides: object = {}): JsonObject => ({
  '@context': CONTEXT,
  id: `${peer.url}/1`,
  type: 'Create',
  actor: alice,
  object: { id: `${peer.url}/notes/1`, type: 'Note', content: 'Hello' },
  ...overrides
})

function base58(bytes: Buffer): string {
  let number = BigInt(`0x${bytes.toString('hex')}`)
  let text = ''
  for (; number > 0n; number /= 58n) text = ALPHABET[Number(number % 58n)] + text
  return `z${'1'.repeat(bytes.findIndex(byte => byte !== 0))}${text}`
}

/** Adds a data integrity proof (FEP-8b32). */
function withProof(signedDocument: JsonObject, options: object = {}, key = privateKey): JsonObject {
  const proof = {
    type: 'DataIntegrityProof',
    cryptosuite: 'eddsa-jcs-2022',
    verificationMethod,
    proofPurpose: 'assertionMethod',
    created: new Date().toISOString(),
    ...options
  }
  const hash = (value: unknown) => createHash('sha256').update(canonicalize(value)!).digest()
  const text = Buffer.concat([hash({ '@context': signedDocument['@context'], ...proof }), hash(signedDocument)])
  return { ...signedDocument, proof: { ...proof, proofValue: base58(sign(null, text, key)) } }
}

describe('verifyIntegrityProof', () => {
  it('returns the actor, whatever the order of the properties', async () => {
    const signedDocument = withProof(unsignedCreate())
    expect(await verifyIntegrityProof(signedDocument)).toBe(alice)
    expect(await verifyIntegrityProof(Object.fromEntries(Object.entries(signedDocument).reverse()))).toBe(alice)
    expect(await verifyIntegrityProof({ ...signedDocument, signature: { type: 'RsaSignature2017' } })).toBe(alice)
    expect(await verifyIntegrityProof(withProof(unsignedCreate({ signature: { type: 'RsaSignature2017' } })))).toBe(alice)
    expect(await verifyIntegrityProof(withProof(unsignedCreate(), { verificationMethod: `${alice}#key-2` }))).toBe(alice)
    expect(await verifyIntegrityProof(withProof(unsignedCreate({ actor: { id: alice, type: 'Person' } })))).toBe(alice)
  })

  it('counts from `created` to `expires`, and for the domains it names', async () => {
    const hour = 3_600_000
    const at = (ms: number) => new Date(Date.now() + ms).toISOString()
    const valid = [
      { created: null },
      { created: at(-1000 * hour) },
      { created: at(hour / 2) },
      { created: at(-hour).replace('Z', '') },
      { created: '2026-01-01T00:00:00.123456789+02:00' },
      { expires: at(hour) },
      ...[
        instanceOrigin(),
        `${instanceOrigin()}/`,
        instanceHost(),
        instanceHost().toUpperCase(),
        ['elsewhere.example', instanceHost()]
      ].map(domain => ({ domain }))
    ]
    for (const options of valid)
      expect(await verifyIntegrityProof(withProof(unsignedCreate(), options)), JSON.stringify(options)).toBe(alice)
    const invalid = [
      { created: at(2 * hour) },
      { expires: at(-1000) },
      { created: at(hour / 2), expires: at(hour / 4) },
      ...[
        'yesterday',
        '2026-01-01',
        '',
        1,
        {},
        [],
        ['2026-01-01T00:00:00Z'],
        '2026-99-01T00:00:00Z',
        `2026-01-01T00:00:00.${'0'.repeat(1e5)}Z`
      ].flatMap(value => [{ created: value }, { expires: value }]),
      ...['elsewhere.example', 'https://elsewhere.example', [], {}, 1, '', [[instanceHost()]], `${instanceHost()}.elsewhere.example`].map(
        domain => ({ domain })
      )
    ]
    for (const options of invalid)
      expect(await verifyIntegrityProof(withProof(unsignedCreate(), options)), JSON.stringify(options).slice(0, 80)).toBeNull()
    // What waited here is judged by when it came.
    const expired = withProof(unsignedCreate(), { created: at(-3 * hour), expires: at(-hour) })
    expect(await verifyIntegrityProof(expired, new Date(Date.now() - 2 * hour))).toBe(alice)
  })

  it('returns null for changed documents, other actors, keys, suites and purposes', async () => {
    const cases: Record<string, JsonObject> = {
      'other words': { ...withProof(unsignedCreate()), object: 'x' },
      'more words': { ...withProof(unsignedCreate()), cc: [] },
      'another actor': { ...withProof(unsignedCreate()), actor: `${peer.url}/accounts/bob` },
      'an actor elsewhere': withProof(unsignedCreate({ actor: `${otherPeer.url}/accounts/alice` })),
      'no actor': withProof(unsignedCreate({ actor: null })),
      'another context': { ...withProof(unsignedCreate()), '@context': CONTEXT.slice(0, 1) },
      'another key': withProof(unsignedCreate(), {}, generateKeyPairSync('ed25519').privateKey),
      'no proof': unsignedCreate(),
      'another suite': withProof(unsignedCreate(), { cryptosuite: 'eddsa-rdfc-2022' }),
      'another type': withProof(unsignedCreate(), { type: 'Ed25519Signature2020' }),
      'another purpose': withProof(unsignedCreate(), { proofPurpose: 'authentication' }),
      'no purpose': withProof(unsignedCreate(), { proofPurpose: undefined }),
      'a method elsewhere': withProof(unsignedCreate(), { verificationMethod: `${otherPeer.url}/accounts/alice#ed25519-key` }),
      'a method of somebody else there': withProof(unsignedCreate(), { verificationMethod: `${peer.url}/accounts/bob#ed25519-key` }),
      'a method that is no name': withProof(unsignedCreate(), { verificationMethod: `${alice}/key` }),
      'a method that is none': withProof(unsignedCreate(), { verificationMethod: { id: verificationMethod } })
    }
    for (const [name, signedDocument] of Object.entries(cases)) expect(await verifyIntegrityProof(signedDocument), name).toBeNull()
    const changed = withProof(unsignedCreate())
    ;(changed.proof as JsonObject).created = '2026-11-21T12:00:00Z'
    expect(await verifyIntegrityProof(changed)).toBeNull()
    expect(otherPeer.asked).toEqual([])
  })

  it('requires an Ed25519 Multikey that the actor lists with itself as controller', async () => {
    const signedDocument = withProof(unsignedCreate())
    const other = generateKeyPairSync('ed25519').publicKey
    const actorDocuments: Record<string, unknown> = {
      'another key': actorDocument(alice, other),
      'another controller': actorDocument(alice, publicKey, { controller: `${peer.url}/accounts/bob` }),
      'no controller': actorDocument(alice, publicKey, { controller: undefined }),
      'another type': actorDocument(alice, publicKey, { type: 'JsonWebKey' }),
      'another codec': actorDocument(alice, publicKey, { publicKeyMultibase: multikey(publicKey, [0xe7, 0x01]) }),
      'another base': actorDocument(alice, publicKey, { publicKeyMultibase: multikey(publicKey).replace('z', 'm') }),
      'a short key': actorDocument(alice, publicKey, { publicKeyMultibase: multikey(publicKey).slice(0, 40) }),
      'a long key': actorDocument(alice, publicKey, { publicKeyMultibase: 'z'.repeat(100_000) }),
      nonsense: actorDocument(alice, publicKey, { publicKeyMultibase: 5 }),
      'no key': { id: alice, type: 'Person' },
      'a mere address': { id: alice, type: 'Person', assertionMethod: [verificationMethod] },
      'the key of another': actorDocument(`${peer.url}/accounts/bob`, publicKey)
    }
    for (const [name, actor] of Object.entries(actorDocuments)) {
      peer.serve('/accounts/alice', actor as JsonObject)
      expect(await verifyIntegrityProof(signedDocument), name).toBeNull()
    }
    peer.serve('/accounts/alice', (_request, response) => response.writeHead(410).end())
    expect(await verifyIntegrityProof(signedDocument)).toBeNull()
  })

  it('returns null for malformed proofs', async () => {
    const signedDocument = withProof(unsignedCreate())
    for (const value of [
      null,
      1,
      '',
      [],
      {},
      [signedDocument.proof],
      { ...(signedDocument.proof as object), proofValue: null },
      { ...(signedDocument.proof as object), proofValue: 'z' },
      { ...(signedDocument.proof as object), proofValue: 'z0OIl' },
      { ...(signedDocument.proof as object), proofValue: `z${'1'.repeat(100_000)}` }
    ]) {
      expect(await verifyIntegrityProof({ ...signedDocument, proof: value as never })).toBeNull()
    }
  })
})
