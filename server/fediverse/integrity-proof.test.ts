import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import canonicalize from 'canonicalize'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../core/config.ts'
import { startHostilePeer, type HostilePeer } from '../test/hostile-peer.ts'
import { scriptedKeyring } from '../test/scripted-keyring.ts'
import { verifyIntegrityProof } from './integrity-proof.ts'
import { setKeyring } from './keyring.ts'
import type { JsonObject } from './vocabulary.ts'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const CONTEXT = ['https://www.w3.org/ns/activitystreams', 'https://w3id.org/security/data-integrity/v1']
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
let peer: HostilePeer
let evil: HostilePeer
let alice: string
let method: string
beforeAll(async () => {
  loadConfig({ overrides: { federation: { prevent_ssrf: false, fetch: { per_host: { max: 100_000 } } } } })
  setKeyring(scriptedKeyring())
  ;[peer, evil] = [await startHostilePeer(), await startHostilePeer()]
  alice = `${peer.url}/accounts/alice`
  method = `${alice}#ed25519-key`
})
afterAll(async () => await Promise.all([peer?.stop(), evil?.stop()]))
beforeEach(() => {
  peer.serve('/accounts/alice', actorOf(alice, publicKey))
})

const multikey = (key: KeyObject, head = [0xed, 0x01]) =>
  base58(Buffer.concat([Buffer.from(head), key.export({ type: 'spki', format: 'der' }).subarray(-32)]))
const actorOf = (id: string, key: KeyObject, more: object = {}) => ({
  id,
  type: 'Person',
  assertionMethod: [{ id: `${id}#ed25519-key`, type: 'Multikey', controller: id, publicKeyMultibase: multikey(key), ...more }]
})
const document = (more: object = {}): JsonObject => ({
  '@context': CONTEXT,
  id: `${peer.url}/1`,
  type: 'Create',
  actor: alice,
  object: { id: `${peer.url}/notes/1`, type: 'Note', content: 'Hello' },
  ...more
})

function base58(bytes: Buffer): string {
  let number = BigInt(`0x${bytes.toString('hex')}`)
  let text = ''
  for (; number > 0n; number /= 58n) text = ALPHABET[Number(number % 58n)] + text
  return `z${'1'.repeat(bytes.findIndex(byte => byte !== 0))}${text}`
}

/** Adds a proof as FEP-8b32 says. */
function proven(whole: JsonObject, options: object = {}, key = privateKey): JsonObject {
  const proof = {
    type: 'DataIntegrityProof',
    cryptosuite: 'eddsa-jcs-2022',
    verificationMethod: method,
    proofPurpose: 'assertionMethod',
    created: '2026-11-20T12:00:00Z',
    ...options
  }
  const hash = (value: unknown) => createHash('sha256').update(canonicalize(value)!).digest()
  const text = Buffer.concat([hash({ '@context': whole['@context'], ...proof }), hash(whole)])
  return { ...whole, proof: { ...proof, proofValue: base58(sign(null, text, key)) } }
}

describe('an integrity proof', () => {
  it('counts for its actor, whatever the order of the words', async () => {
    const whole = proven(document())
    expect(await verifyIntegrityProof(whole)).toBe(alice)
    expect(await verifyIntegrityProof(Object.fromEntries(Object.entries(whole).reverse()))).toBe(alice)
    expect(await verifyIntegrityProof({ ...whole, signature: { type: 'RsaSignature2017' } })).toBe(alice)
    expect(await verifyIntegrityProof(proven(document({ signature: { type: 'RsaSignature2017' } })))).toBe(alice)
    expect(await verifyIntegrityProof(proven(document(), { verificationMethod: `${alice}#key-2` }))).toBe(alice)
    expect(await verifyIntegrityProof(proven(document({ actor: { id: alice, type: 'Person' } })))).toBe(alice)
  })

  it('counts for nobody else, and for nothing that was changed', async () => {
    const cases: Record<string, JsonObject> = {
      'other words': { ...proven(document()), object: 'x' },
      'more words': { ...proven(document()), cc: [] },
      'another actor': { ...proven(document()), actor: `${peer.url}/accounts/bob` },
      'an actor elsewhere': proven(document({ actor: `${evil.url}/accounts/alice` })),
      'no actor': proven(document({ actor: null })),
      'another context': { ...proven(document()), '@context': CONTEXT.slice(0, 1) },
      'another key': proven(document(), {}, generateKeyPairSync('ed25519').privateKey),
      'no proof': document(),
      'another suite': proven(document(), { cryptosuite: 'eddsa-rdfc-2022' }),
      'another type': proven(document(), { type: 'Ed25519Signature2020' }),
      'another purpose': proven(document(), { proofPurpose: 'authentication' }),
      'no purpose': proven(document(), { proofPurpose: undefined }),
      'a method elsewhere': proven(document(), { verificationMethod: `${evil.url}/accounts/alice#ed25519-key` }),
      'a method of somebody else there': proven(document(), { verificationMethod: `${peer.url}/accounts/bob#ed25519-key` }),
      'a method that is no name': proven(document(), { verificationMethod: `${alice}/key` }),
      'a method that is none': proven(document(), { verificationMethod: { id: method } })
    }
    for (const [name, whole] of Object.entries(cases)) expect(await verifyIntegrityProof(whole), name).toBeNull()
    const changed = proven(document())
    ;(changed.proof as JsonObject).created = '2026-11-21T12:00:00Z'
    expect(await verifyIntegrityProof(changed)).toBeNull()
    expect(evil.asked).toEqual([])
  })

  it('counts by an Ed25519 key that its own actor lists as its own', async () => {
    const whole = proven(document())
    const other = generateKeyPairSync('ed25519').publicKey
    const served: Record<string, unknown> = {
      'another key': actorOf(alice, other),
      'another controller': actorOf(alice, publicKey, { controller: `${peer.url}/accounts/bob` }),
      'no controller': actorOf(alice, publicKey, { controller: undefined }),
      'another type': actorOf(alice, publicKey, { type: 'JsonWebKey' }),
      'another codec': actorOf(alice, publicKey, { publicKeyMultibase: multikey(publicKey, [0xe7, 0x01]) }),
      'another base': actorOf(alice, publicKey, { publicKeyMultibase: multikey(publicKey).replace('z', 'm') }),
      'a short key': actorOf(alice, publicKey, { publicKeyMultibase: multikey(publicKey).slice(0, 40) }),
      'a long key': actorOf(alice, publicKey, { publicKeyMultibase: 'z'.repeat(100_000) }),
      nonsense: actorOf(alice, publicKey, { publicKeyMultibase: 5 }),
      'no key': { id: alice, type: 'Person' },
      'a mere address': { id: alice, type: 'Person', assertionMethod: [method] },
      'the key of another': actorOf(`${peer.url}/accounts/bob`, publicKey)
    }
    for (const [name, actor] of Object.entries(served)) {
      peer.serve('/accounts/alice', actor as JsonObject)
      expect(await verifyIntegrityProof(whole), name).toBeNull()
    }
    peer.serve('/accounts/alice', (_request, response) => response.writeHead(410).end())
    expect(await verifyIntegrityProof(whole)).toBeNull()
  })

  it('of any shape breaks nothing', async () => {
    const whole = proven(document())
    for (const value of [
      null,
      1,
      '',
      [],
      {},
      [whole.proof],
      { ...(whole.proof as object), proofValue: null },
      { ...(whole.proof as object), proofValue: 'z' },
      { ...(whole.proof as object), proofValue: 'z0OIl' },
      { ...(whole.proof as object), proofValue: `z${'1'.repeat(100_000)}` }
    ]) {
      expect(await verifyIntegrityProof({ ...whole, proof: value as never })).toBeNull()
    }
  })
})
