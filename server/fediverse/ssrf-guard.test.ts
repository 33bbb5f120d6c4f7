import { lookup, type LookupAddress } from 'node:dns'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { config, loadConfig } from '../core/config.ts'
import { recordConnectionAttempts, type ConnectionAttempts } from '../test/connection-attempts.ts'
import { startHostilePeer, type HostilePeer } from '../test/hostile-peer.ts'
import { scriptedKeyring } from '../test/scripted-keyring.ts'
import { FetchError, fetchRemoteDocument, fetchRemoteFile, fetchRemoteJson } from './remote-fetch.ts'
import { isPublicAddress } from './ssrf-guard.ts'
import { setKeyring } from './keyring.ts'
import { overrideInternals } from '../core/internals.ts'
import { FETCH } from './fetch-internals.ts'
import { OUTBOX } from './outbox-internals.ts'
import type { Delivery } from './outgoing.query.ts'
import { postDelivery } from './http-post.ts'

vi.mock('node:dns', async original => ({ ...(await original<typeof import('node:dns')>()), lookup: vi.fn() }))

/** At least one address of every range that is not public. */
const PRIVATE_ADDRESSES = [
  '127.0.0.1',
  '127.255.255.254',
  '10.0.0.1',
  '10.255.255.255',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '169.254.169.254',
  '0.0.0.0',
  '0.1.2.3',
  '100.64.0.1',
  '100.127.255.255',
  '198.18.0.1',
  '198.19.255.255',
  '192.0.0.8',
  '192.0.2.1',
  '192.88.99.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::1',
  '::',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:169.254.169.254',
  '::127.0.0.1',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::a00:1',
  '64:ff9b::808:808',
  '64:ff9b:1::1',
  '2002:7f00:1::',
  '2002:808:808::1',
  '2001::1',
  '2001:0:53aa:64c:0:0:80ff:fffe',
  '2001:2::1',
  '2001:10::1',
  '2001:20::1',
  '2001:db8::1',
  '3fff::1',
  'fc00::1',
  'fd00::1',
  'fe80::1',
  'fec0::1',
  'ff02::1',
  '100::1',
  '5f00::1',
  '4000::1',
  '1::1',
  'e000::1'
]
const PUBLIC_ADDRESSES = [
  '8.8.8.8',
  '93.184.216.34',
  '172.15.255.255',
  '172.32.0.1',
  '100.63.255.255',
  '100.128.0.1',
  '198.17.255.255',
  '198.20.0.1',
  '2606:4700:4700::1111',
  '2a00:1450:4001::1',
  '::ffff:8.8.8.8'
]
/** Other spellings of 127.0.0.1, 169.254.169.254 and ::1. */
const DISGUISED_HOSTS = [
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '017700000001',
  '127.1',
  '127.0.1',
  '0',
  '0x0',
  '127.0.0.1.',
  '１２７.0.0.1',
  '127。0。0。1',
  '2852039166',
  '0xa9fea9fe',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:a9fe:a9fe]',
  '[0000::1]'
]

let peer: HostilePeer
let attempts: ConnectionAttempts
beforeAll(async () => {
  loadConfig({
    overrides: {
      webserver: { hostname: 'here.example' },
      federation: { fetch: { per_host: { max: 100_000 } } }
    }
  })
  overrideInternals(FETCH, { connectTimeout: 1000, timeout: 2000 })
  overrideInternals(OUTBOX, { timeout: 2000 })
  setKeyring(scriptedKeyring())
  peer = await startHostilePeer()
})
afterAll(async () => await peer?.stop())
beforeEach(() => {
  config.federation.prevent_ssrf = true
  addressesByName.clear()
  vi.mocked(lookup).mockClear()
  attempts = recordConnectionAttempts([], address => address === '127.0.0.1')
})
afterEach(() => attempts.stop())

/** What each name resolves to, one result after the other; the last one repeats. */
const addressesByName = new Map<string, string[][]>()
vi.mocked(lookup).mockImplementation(((
  name: string,
  _options: object,
  callback: (error: Error | null, addresses: LookupAddress[]) => void
) => {
  const answers = addressesByName.get(name) ?? [['127.0.0.1']]
  const addresses = answers.length > 1 ? answers.shift()! : answers[0]!
  setImmediate(
    callback,
    null,
    addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
  )
}) as never)

const fetchFunctions: Record<string, (url: string) => Promise<unknown>> = {
  document: async url => await fetchRemoteDocument(url),
  json: async url => await fetchRemoteJson(url),
  file: async url => await fetchRemoteFile(url, '/dev/null', { maxSize: 1000, types: ['image/png'] })
}
const errorKindOf = async (request: Promise<unknown>) =>
  await request.then(
    () => 'answered',
    (error: unknown) => (error instanceof FetchError ? error.kind : String(error))
  )
const delivery = (inbox_url: string): Delivery =>
  ({ inbox_url, actor: 'https://here.example/accounts/alice', body: '{}', digest: '', signature: null }) as unknown as Delivery
const toUrlHost = (address: string) => (address.includes(':') && !address.startsWith('[') ? `[${address}]` : address)

describe('isPublicAddress and requests to private addresses', () => {
  it('only addresses routed on the public Internet are public', () => {
    expect(PRIVATE_ADDRESSES.filter(isPublicAddress)).toEqual([])
    expect(PUBLIC_ADDRESSES.filter(address => !isPublicAddress(address))).toEqual([])
    for (const nonsense of ['', 'localhost', '1.2.3.4.5', '::g', '127.0.0.1/8']) expect(isPublicAddress(nonsense), nonsense).toBe(false)
  })

  it.each(Object.keys(fetchFunctions))(
    'a %s is not requested from a private address in any spelling, and no socket is opened',
    async fetchFunction => {
      for (const address of [...PRIVATE_ADDRESSES, ...DISGUISED_HOSTS]) {
        expect(await errorKindOf(fetchFunctions[fetchFunction]!(`http://${toUrlHost(address)}/x`)), address).toBe('refused')
        expect(await errorKindOf(fetchFunctions[fetchFunction]!(`https://${toUrlHost(address)}/x`)), address).toBe('refused')
      }
      expect(attempts.seen).toEqual([])
    }
  )

  it.each(Object.keys(fetchFunctions))(
    'a %s is not requested from a name that resolves to a private address, nor from an unusual port',
    async fetchFunction => {
      for (const [index, address] of PRIVATE_ADDRESSES.entries()) {
        addressesByName.set(`host${index}.example`, [[address]])
        expect(await errorKindOf(fetchFunctions[fetchFunction]!(`http://host${index}.example/x`)), address).toBe('refused')
      }
      addressesByName.set('fine.example', [['93.184.216.34']])
      for (const port of [22, 25, 5432, 6379, 8080, 9000, Number(new URL(peer.url).port)])
        expect(await errorKindOf(fetchFunctions[fetchFunction]!(`http://fine.example:${port}/x`)), String(port)).toBe('refused')
      for (const name of ['localhost', 'LOCALHOST', 'localhost.', 'localhost.localdomain', 'ip6-localhost'])
        expect(await errorKindOf(fetchFunctions[fetchFunction]!(`http://${name}/x`)), name).toBe('refused')
      expect(attempts.seen).toEqual([])
    }
  )

  it('nothing is posted to private addresses', async () => {
    for (const address of [...PRIVATE_ADDRESSES, ...DISGUISED_HOSTS])
      expect(await postDelivery(delivery(`https://${toUrlHost(address)}/inbox`)), address).toMatchObject({ kind: 'refused' })
    for (const [index, address] of PRIVATE_ADDRESSES.entries()) {
      addressesByName.set(`inbox${index}.example`, [[address]])
      expect(await postDelivery(delivery(`https://inbox${index}.example/inbox`)), address).toMatchObject({ kind: 'refused' })
    }
    expect(await postDelivery(delivery(`${peer.url}/inbox`))).toMatchObject({ kind: 'refused' })
    expect(attempts.seen).toEqual([])
    expect(peer.received).toEqual([])
  })

  it('private addresses are skipped if a name has public ones too', async () => {
    addressesByName.set('both.example', [['10.0.0.1', '93.184.216.34', '::1']])
    await errorKindOf(fetchRemoteDocument('http://both.example/x'))
    expect(attempts.seen).toEqual(['93.184.216.34 80'])
  })

  it('other schemes and URLs with credentials are refused', async () => {
    for (const url of [
      'ftp://fine.example/x',
      'file:///etc/passwd',
      'gopher://fine.example/',
      'data:application/activity+json,{}',
      'http://user:pass@fine.example/',
      '//fine.example/x',
      ''
    ])
      expect(await errorKindOf(fetchRemoteDocument(url)), url).toBe('refused')
    expect(attempts.seen).toEqual([])
  })

  it('with the guard off the refused requests above do connect', async () => {
    config.federation.prevent_ssrf = false
    peer.serve('/x', { id: `${peer.url}/x`, type: 'Note' })
    expect(await errorKindOf(fetchRemoteDocument(`${peer.url}/x`))).toBe('answered')
    expect(await postDelivery(delivery(`${peer.url}/inbox`))).toMatchObject({ kind: 'arrived' })
    const { port } = new URL(peer.url)
    addressesByName.set('trap.example', [['127.0.0.1']])
    await errorKindOf(fetchRemoteDocument(`http://trap.example:${port}/x`))
    expect(attempts.seen).toContain(`127.0.0.1 ${port}`)
    expect(peer.asked).toEqual(['/x', '/x'])
  })
})

it('a delivery follows no redirects', async () => {
  config.federation.prevent_ssrf = false
  peer.received.length = 0
  for (const status of [301, 302, 303, 307, 308]) {
    peer.answer(`/led/${status}`, status, { location: `${peer.url}/elsewhere` })
    expect(await postDelivery(delivery(`${peer.url}/led/${status}`))).toEqual({
      kind: 'refused',
      error: `It answers ${status}`,
      unauthorized: false
    })
  }
  expect(peer.received.map(({ path }) => path)).toEqual([301, 302, 303, 307, 308].map(status => `/led/${status}`))
})

describe('DNS rebinding', () => {
  it('a name is resolved once for each socket, which connects to the checked address', async () => {
    addressesByName.set('rebinding.example', [['93.184.216.34'], ['127.0.0.1']])
    expect(await errorKindOf(fetchRemoteDocument('http://rebinding.example/x'))).toBe('unreachable')
    expect(attempts.seen).toEqual(['93.184.216.34 80'])
    expect(lookup).toHaveBeenCalledTimes(1)
    expect(await errorKindOf(fetchRemoteDocument('http://rebinding.example/x'))).toBe('refused')
    expect(attempts.seen).toEqual(['93.184.216.34 80'])
  })

  it('deliveries are protected as well', async () => {
    addressesByName.set('rebinding2.example', [['93.184.216.34'], ['127.0.0.1']])
    expect(await postDelivery(delivery('http://rebinding2.example/inbox'))).toMatchObject({ kind: 'later' })
    expect(await postDelivery(delivery('http://rebinding2.example/inbox'))).toMatchObject({ kind: 'refused' })
    expect(attempts.seen).toEqual(['93.184.216.34 80'])
  })
})
