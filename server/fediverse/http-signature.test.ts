import { createHash, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../core/config.ts'
import { cavageSignatureHeader } from '../test/hostile-peer.ts'
import { scriptedKeyring, type ScriptedKeyring } from '../test/scripted-keyring.ts'
import { setKeyring, type KeyOwner } from './keyring.ts'
import { RejectedRequestError } from './rejected-request.ts'
import { digestOf, signCavage, signRfc9421, verifyHttpSignature } from './http-signature.ts'

const ACTOR = 'https://good.example/accounts/alice'
const BODY = Buffer.from('{"type":"Like"}')
const NOW = Date.parse('2026-11-21T12:00:00Z')
const INBOX = 'https://here.example/inbox'
const MINUTE = 60_000
const COVERED = ['(request-target)', 'host', 'date', 'digest']

type Keys = { privateKey: KeyObject; publicKey: KeyObject }
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
let keyring: ScriptedKeyring
beforeAll(() => {
  loadConfig({ overrides: { webserver: { hostname: 'here.example' } } })
  keyring = scriptedKeyring()
  setKeyring(keyring)
  knows(rsa)
})

const keyId = (name = 'main') => `${ACTOR}#${name}-key`
const knows = ({ publicKey }: Keys, name = 'main') =>
  keyring.knows({ url: ACTOR, keyId: keyId(name), publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() })
const hash = (body: Buffer, algorithm = 'sha256') => createHash(algorithm).update(body).digest('base64')
const right = hash(BODY)
const wrong = hash(Buffer.from('{"type":"Lick"}'))

type Spoilt = {
  headers?: Record<string, string | undefined>
  covered?: string[]
  body?: Buffer
  now?: number
  path?: string
  method?: string
  algorithm?: string
  keys?: Keys
  name?: string
  parameters?: string
}

/** Who signed a POST after cavage with some part spoilt, or the reason why nobody did. */
async function asked({
  headers = {},
  covered = COVERED,
  body = BODY,
  now = NOW,
  path = '/inbox',
  method = 'POST',
  algorithm,
  keys = rsa,
  name,
  parameters = ''
}: Spoilt = {}): Promise<string> {
  const all: Record<string, string | undefined> = {
    host: 'here.example',
    date: new Date(NOW).toUTCString(),
    digest: `SHA-256=${right}`,
    ...headers
  }
  const signature =
    cavageSignatureHeader(
      'POST',
      new URL(INBOX),
      all as Record<string, string>,
      { keyId: keyId(name), privateKey: keys.privateKey },
      covered,
      algorithm === undefined ? {} : { algorithm }
    ) + parameters
  return await judged({ method, path, headers: { signature, ...all }, body, now })
}

/** The same with the headers of a RFC 9421 signature over `components`. */
async function asked9421(
  components: string[],
  {
    headers = {},
    now = NOW,
    body = BODY,
    keys = rsa,
    name,
    algorithm = 'rsa-v1_5-sha256',
    parameters = `;created=${NOW / 1000};keyid="${keyId(name)}";alg="${algorithm}"`,
    path = '/inbox',
    method = 'POST'
  }: Spoilt = {}
): Promise<string> {
  const all: Record<string, string | undefined> = {
    host: 'here.example',
    date: new Date(NOW).toUTCString(),
    'content-digest': `sha-256=:${right}:`,
    ...headers
  }
  const values: Record<string, string | undefined> = {
    '@method': 'POST',
    '@target-uri': INBOX,
    '@authority': 'here.example',
    '@path': '/inbox',
    '@scheme': 'https',
    '@request-target': '/inbox',
    '@query': '?',
    ...all
  }
  const params = `(${components.map(one => `"${one}"`).join(' ')})${parameters}`
  const text = [...components.map(one => `"${one}": ${values[one]}`), `"@signature-params": ${params}`].join('\n')
  const value = sign(
    keys.privateKey.asymmetricKeyType === 'rsa' ? (algorithm.endsWith('512') ? 'sha512' : 'sha256') : null,
    Buffer.from(text),
    keys.privateKey
  ).toString('base64')
  return await judged({ method, path, headers: { 'signature-input': `sig1=${params}`, signature: `sig1=:${value}:`, ...all }, body, now })
}

async function judged(request: Parameters<typeof verifyHttpSignature>[0]): Promise<string> {
  try {
    return (await verifyHttpSignature(request)).actor
  } catch (error) {
    if (!(error instanceof RejectedRequestError)) throw error
    expect(error.status).toBe(401)
    return error.message
  }
}

describe('digests', () => {
  it('are read in every way to write the right one', async () => {
    for (const digest of [
      `SHA-256=${right}`,
      `sha-256=${right}`,
      `Sha-256=${right}`,
      `SHA-512=${hash(BODY, 'sha512')}`,
      `sha-512=${hash(BODY, 'sha512')}`,
      `SHA-256=${right},SHA-512=${hash(BODY, 'sha512')}`,
      `SHA-256=${right}, SHA-256=${right}`,
      `MD5=${hash(BODY, 'md5')},SHA-256=${right}`
    ]) {
      expect(await asked({ headers: { digest } }), digest).toBe(ACTOR)
    }
    for (const digest of [
      `sha-256=:${right}:`,
      `sha-512=:${hash(BODY, 'sha512')}:`,
      `sha-256=:${right}:, sha-512=:${hash(BODY, 'sha512')}:`
    ]) {
      const covered = ['(request-target)', 'host', 'date', 'content-digest']
      expect(await asked({ headers: { digest: undefined, 'content-digest': digest }, covered }), digest).toBe(ACTOR)
      expect(await asked({ headers: { 'content-digest': digest }, covered: [...COVERED, 'content-digest'] }), digest).toBe(ACTOR)
    }
  })

  it('are needed, signed, readable, and all of them right', async () => {
    const cases: Record<string, Spoilt> = {
      'not signed': { covered: COVERED.slice(0, 3) },
      'left out': { headers: { digest: undefined }, covered: COVERED.slice(0, 3) },
      wrong: { headers: { digest: `SHA-256=${wrong}` } },
      'wrong after right': { headers: { digest: `SHA-256=${right},SHA-256=${wrong}` } },
      'right after wrong': { headers: { digest: `SHA-256=${wrong}, SHA-256=${right}` } },
      'wrong 512 beside right 256': { headers: { digest: `SHA-256=${right},SHA-512=${hash(Buffer.from('x'), 'sha512')}` } },
      '256 named 512': { headers: { digest: `SHA-512=${right}` } },
      'only of unknown kinds': { headers: { digest: `MD5=${hash(BODY, 'md5')}` } },
      'only of an old kind': { headers: { digest: `SHA=${hash(BODY, 'sha1')}` } },
      empty: { headers: { digest: '' } },
      'without a value': { headers: { digest: 'SHA-256=' } },
      'without a name': { headers: { digest: right } },
      'in another form': { headers: { digest: `sha-256=:${right}:` } },
      'without its end': { headers: { digest: `SHA-256=${right.slice(0, -1)}` } },
      'in hex': { headers: { digest: `SHA-256=${createHash('sha256').update(BODY).digest('hex')}` } },
      'in small letters': { headers: { digest: `SHA-256=${right.toLowerCase()}` } },
      'beside an unsigned wrong one': { headers: { 'content-digest': `sha-256=:${wrong}:` } },
      'beside a signed wrong one': { headers: { 'content-digest': `sha-256=:${wrong}:` }, covered: [...COVERED, 'content-digest'] },
      'beside an unreadable one': { headers: { 'content-digest': 'nonsense' } },
      'right beside an unsigned one that is right': { headers: { 'content-digest': `sha-256=:${right}:` }, covered: COVERED.slice(0, 3) },
      'of another body': { body: Buffer.from('{"type":"Like" }') },
      'of no body': { body: Buffer.alloc(0) },
      'of a body with one byte more': { body: Buffer.concat([BODY, Buffer.from(' ')]) }
    }
    for (const [name, spoilt] of Object.entries(cases)) expect(await asked(spoilt), name).toMatch(/digest/)
  })

  it('that were replaced after signing do not fit the signature', async () => {
    const body = Buffer.from('{"type":"Undo"}')
    const headers: Record<string, string> = { host: 'here.example', date: new Date(NOW).toUTCString(), digest: `SHA-256=${right}` }
    const signature = cavageSignatureHeader('POST', new URL(INBOX), headers, { keyId: keyId(), privateKey: rsa.privateKey }, COVERED)
    expect(
      await judged({ method: 'POST', path: '/inbox', headers: { ...headers, digest: `SHA-256=${hash(body)}`, signature }, body, now: NOW })
    ).toMatch(/does not fit/)
    expect(
      await judged({
        method: 'POST',
        path: '/inbox',
        headers: { ...headers, 'content-digest': `sha-256=:${hash(body)}:`, signature },
        body,
        now: NOW
      })
    ).toMatch(/digest/)
  })

  it('are needed by RFC 9421 too', async () => {
    const components = ['@method', '@target-uri', 'content-digest']
    expect(await asked9421(components)).toBe(ACTOR)
    expect(
      await asked9421(['@method', '@target-uri', 'digest'], { headers: { digest: `SHA-256=${right}`, 'content-digest': undefined } })
    ).toBe(ACTOR)
    expect(await asked9421(['@method', '@target-uri'])).toMatch(/digest/)
    for (const digest of [
      `sha-256=:${wrong}:`,
      `sha-256=:${right}:, sha-256=:${wrong}:`,
      `sha-256=${right}`,
      'sha-256=::',
      `md5=:${hash(BODY, 'md5')}:`,
      ''
    ])
      expect(await asked9421(components, { headers: { 'content-digest': digest } }), digest).toMatch(/digest/)
    expect(await asked9421(components, { headers: { digest: `SHA-256=${wrong}` } })).toMatch(/digest/)
    expect(await asked9421(components, { body: Buffer.from('{}') })).toMatch(/digest/)
  })
})

describe('what a signature covers', () => {
  it('is the request line, the host and a date, each of them', async () => {
    expect(await asked()).toBe(ACTOR)
    for (const name of COVERED)
      expect(await asked({ covered: COVERED.filter(one => one !== name) }), name).toMatch(/does not cover|covers no/)
    expect(await asked({ covered: ['date'] })).toMatch(/does not cover/)
  })

  it('is this path, this method and this host', async () => {
    for (const path of ['/inbox?x=1', '/accounts/alice/inbox', '/inbox/', '/INBOX', '//inbox'])
      expect(await asked({ path }), path).toMatch(/does not fit/)
    expect(await asked({ method: 'PUT' })).toMatch(/does not fit/)
    for (const host of [
      'evil.example',
      'here.example.evil.example',
      'here.example:8443',
      'here.example:80',
      'www.here.example',
      '',
      'here.example, evil.example'
    ])
      expect(await asked({ headers: { host } }), host).toMatch(/another host|cannot be read/)
    for (const host of ['HERE.example', 'here.example:443', 'here.example.']) expect(await asked({ headers: { host } }), host).toBe(ACTOR)
  })

  it('is there to be read', async () => {
    expect(await asked({ headers: { digest: undefined } })).toMatch(/cannot be read|does not fit/)
    for (const signature of [
      '',
      'x',
      'keyId="x"',
      `keyId="${keyId()}",headers="${COVERED.join(' ')}",signature=""`,
      `keyId="${keyId()}",algorithm="rsa-sha256",headers="(request-target) host date digest x-missing",signature="AAAA"`,
      'Basic abc',
      '"'.repeat(10_000)
    ]) {
      expect(await asked({ headers: { signature } }), signature.slice(0, 80)).not.toBe(ACTOR)
    }
    expect(await asked({ headers: { signature: undefined } })).toMatch(/cannot be read/)
  })

  it('is method and address of RFC 9421, in any of its ways', async () => {
    for (const components of [
      ['@method', '@target-uri'],
      ['@method', '@authority', '@path'],
      ['@method', 'host', '@request-target'],
      ['@method', '@authority', '@path', '@query', '@scheme', 'date']
    ]) {
      expect(await asked9421([...components, 'content-digest']), components.join()).toBe(ACTOR)
    }
    for (const components of [['@target-uri'], ['@method'], ['@method', '@path'], ['@method', '@authority'], ['@method', 'host'], []])
      expect(await asked9421([...components, 'content-digest']), components.join()).toMatch(/does not cover/)
    expect(await asked9421(['@method', '@method', '@target-uri', 'content-digest'])).toMatch(/twice/)
    for (const strange of ['@status', '@unknown', 'x-missing', 'host";sf;x="'])
      expect(await asked9421(['@method', '@target-uri', 'content-digest', strange]), strange).toMatch(/not there|cannot be read/)
  })

  it('is this address after RFC 9421, whatever the request says of it', async () => {
    const components = ['@method', '@authority', '@path', 'content-digest']
    expect(await asked9421(components, { headers: { host: 'evil.example' } })).toBe(ACTOR)
    expect(await asked9421(['@method', 'host', '@path', 'content-digest'], { headers: { host: 'evil.example' } })).toMatch(/does not fit/)
    for (const path of ['/accounts/alice/inbox', '/inbox/']) expect(await asked9421(components, { path }), path).toMatch(/does not fit/)
    expect(await asked9421(components, { method: 'PUT' })).toMatch(/does not fit/)
    expect(await asked9421(['@method', '@target-uri', 'content-digest'], { path: '/inbox?x' })).toMatch(/does not fit/)
  })
})

it('headers that are made to take long to read are refused at once', async () => {
  const began = performance.now()
  const signed = { host: 'here.example', date: new Date(NOW).toUTCString(), digest: `SHA-256=${right}` }
  const inputs = [';a=1', ';a', ';a=-1', ';a="x"', ';a=:b:', ';a=?1'].map(one => `sig1=("@method")${one.repeat(2000)}!`)
  for (const input of [
    ...inputs,
    `sig1=("${'\\"'.repeat(7000)}`,
    `sig1=${'('.repeat(15_000)}`,
    `sig1=(${'"a" '.repeat(3500)})`,
    `${'a'.repeat(15_000)}=()`,
    `${'sig1=(),'.repeat(1800)}`,
    ' '.repeat(15_000)
  ]) {
    expect(
      await judged({
        method: 'POST',
        path: '/inbox',
        headers: { ...signed, 'signature-input': input, signature: `sig1=:AAAA:,${'x=:A:,'.repeat(2000)}` },
        body: BODY,
        now: NOW
      }),
      input.slice(0, 40)
    ).not.toBe(ACTOR)
  }
  for (const signature of [
    `keyId="${'\\"'.repeat(7000)}`,
    'a='.repeat(7000),
    ','.repeat(15_000),
    `keyId="x"${',a="b"'.repeat(2500)}`,
    `headers="${'date '.repeat(3000)}"`,
    '"'.repeat(15_000)
  ]) {
    expect(
      await judged({ method: 'POST', path: '/inbox', headers: { ...signed, signature }, body: BODY, now: NOW }),
      signature.slice(0, 40)
    ).not.toBe(ACTOR)
  }
  for (const digest of [`${'SHA-256=,'.repeat(1500)}`, '='.repeat(15_000), `SHA-256=${'A'.repeat(15_000)}`, 'a-'.repeat(7000)])
    expect(await asked({ headers: { digest } }), digest.slice(0, 40)).not.toBe(ACTOR)
  expect(performance.now() - began).toBeLessThan(30_000)
})

describe('dates', () => {
  it('are ours within an hour, before or after', async () => {
    for (const minutes of [0, 20, -20, 59, -59]) expect(await asked({ now: NOW + minutes * MINUTE }), String(minutes)).toBe(ACTOR)
    for (const minutes of [61, -61, 120, -120, 60 * 24 * 365])
      expect(await asked({ now: NOW + minutes * MINUTE }), String(minutes)).toBe(
        'The date of the signature is more than 60 minutes from ours'
      )
  })

  it('are dates', async () => {
    for (const date of ['', 'yesterday', 'NaN', '0', `${new Date(NOW).toUTCString()}, ${new Date(NOW).toUTCString()}`])
      expect(await asked({ headers: { date } }), date).toMatch(/date|cannot be read/)
    expect(await asked({ headers: { date: undefined }, covered: ['(request-target)', 'host', 'digest'] })).toMatch(/no date/)
  })

  it('written as (created) count as well, and (expires) is an end', async () => {
    const covered = ['(request-target)', 'host', '(created)', 'digest']
    const signed = async (created: number | string, more = '', now = NOW) => {
      const lines = { '(request-target)': 'post /inbox', host: 'here.example', '(created)': String(created), digest: `SHA-256=${right}` }
      const value = sign(
        'sha256',
        Buffer.from(
          Object.entries(lines)
            .map(([name, one]) => `${name}: ${one}`)
            .join('\n')
        ),
        rsa.privateKey
      ).toString('base64')
      const signature = `keyId="${keyId()}",algorithm="hs2019",created=${created}${more},headers="${covered.join(' ')}",signature="${value}"`
      return await judged({
        method: 'POST',
        path: '/inbox',
        headers: { host: 'here.example', digest: lines.digest, signature },
        body: BODY,
        now
      })
    }
    const seconds = NOW / 1000
    expect(await signed(seconds)).toBe(ACTOR)
    expect(await signed(seconds, `,expires=${seconds + 300}`)).toBe(ACTOR)
    expect(await signed(seconds, `,expires=${seconds - 1}`)).toMatch(/expired/)
    expect(await signed(seconds, `,expires=${seconds + 300}`, NOW + 6 * MINUTE)).toMatch(/expired/)
    expect(await signed(seconds + 4000)).toMatch(/60 minutes/)
    expect(await signed(seconds - 4000)).toMatch(/60 minutes/)
    for (const created of ['0', '-1', '1e99', 'x']) expect(await signed(created), created).not.toBe(ACTOR)
  })

  it('of RFC 9421 likewise', async () => {
    const components = ['@method', '@target-uri', 'content-digest']
    const at = async (parameters: string, now = NOW) => await asked9421(components, { now, parameters: `${parameters};keyid="${keyId()}"` })
    const seconds = NOW / 1000
    for (const minutes of [59, -59]) expect(await at(`;created=${seconds}`, NOW + minutes * MINUTE)).toBe(ACTOR)
    for (const minutes of [61, -61]) expect(await at(`;created=${seconds}`, NOW + minutes * MINUTE)).toMatch(/60 minutes/)
    expect(await at('')).toMatch(/no date/)
    expect(await at(`;created=${seconds};expires=${seconds + 1}`)).toBe(ACTOR)
    expect(await at(`;created=${seconds};expires=${seconds - 1}`)).toMatch(/expired/)
    expect(await at(`;created=${seconds};expires=soon`)).toMatch(/expired|cannot be read/)
  })
})

describe('kinds of keys', () => {
  const edwards = generateKeyPairSync('ed25519')
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const all = { edwards, weak, curve, large: generateKeyPairSync('rsa', { modulusLength: 4096 }) }
  beforeAll(() => {
    for (const [name, keys] of Object.entries(all)) knows(keys, name)
    knows(rsa)
  })
  const headers = { host: 'here.example', date: new Date(NOW).toUTCString(), digest: `SHA-256=${right}` }
  const text = `(request-target): post /inbox\nhost: ${headers.host}\ndate: ${headers.date}\ndigest: ${headers.digest}`
  const signed = async (name: keyof typeof all | 'main', algorithm: string | null, hashing: string | null) => {
    const { privateKey } = name === 'main' ? rsa : all[name]
    const signature = `keyId="${keyId(name)}",${algorithm === null ? '' : `algorithm="${algorithm}",`}headers="${COVERED.join(' ')}",signature="${sign(hashing, Buffer.from(text), privateKey).toString('base64')}"`
    return await judged({ method: 'POST', path: '/inbox', headers: { ...headers, signature }, body: BODY, now: NOW })
  }

  it('verify what their kind signs', async () => {
    for (const name of ['main', 'large'] as const) {
      for (const [algorithm, hashing] of [
        ['rsa-sha256', 'sha256'],
        ['RSA-SHA256', 'sha256'],
        ['hs2019', 'sha256'],
        ['hs2019', 'sha512'],
        ['rsa-sha512', 'sha512'],
        [null, 'sha256']
      ] as const)
        expect(await signed(name, algorithm, hashing), `${name} ${algorithm} ${hashing}`).toBe(ACTOR)
    }
    for (const algorithm of ['hs2019', 'ed25519-sha512']) expect(await signed('edwards', algorithm, null), algorithm).toBe(ACTOR)
  })

  it('verify nothing by an algorithm that is not theirs, or too weak', async () => {
    for (const [name, algorithm, hashing] of [
      ['main', 'rsa-sha512', 'sha256'],
      ['main', 'rsa-sha256', 'sha512'],
      ['main', 'rsa-sha1', 'sha1'],
      ['main', 'rsa-md5', 'md5'],
      ['main', 'hmac-sha256', 'sha256'],
      ['main', 'ed25519', 'sha256'],
      ['main', 'none', 'sha256'],
      ['main', 'hs2019', 'sha1'],
      ['edwards', 'rsa-sha256', null],
      ['edwards', 'hmac-sha256', null],
      ['weak', 'rsa-sha256', 'sha256'],
      ['weak', 'hs2019', 'sha256'],
      ['curve', 'hs2019', 'sha256'],
      ['curve', 'ecdsa-sha256', 'sha256']
    ] as const)
      expect(await signed(name, algorithm, hashing), `${name} ${algorithm} ${hashing}`).not.toBe(ACTOR)
  })

  it('verify by RFC 9421 as well', async () => {
    const components = ['@method', '@target-uri', 'content-digest']
    expect(await asked9421(components, { keys: all.large, name: 'large' })).toBe(ACTOR)
    expect(await asked9421(components, { keys: edwards, name: 'edwards', algorithm: 'ed25519' })).toBe(ACTOR)
    for (const [name, algorithm] of [
      ['weak', 'rsa-v1_5-sha256'],
      ['curve', 'ecdsa-p256-sha256'],
      ['edwards', 'rsa-v1_5-sha256'],
      ['large', 'hmac-sha256'],
      ['large', 'rsa-pss-sha512']
    ] as const) {
      expect(await asked9421(components, { keys: all[name], name, algorithm }), `${name} ${algorithm}`).not.toBe(ACTOR)
    }
  })
})

describe('a key that does not fit', () => {
  it('is asked for anew once, and the new one counts', async () => {
    const renewed = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const refreshes: boolean[] = []
    const old: KeyOwner = { actor: ACTOR, keyId: keyId(), key: rsa.publicKey }
    setKeyring({
      ...keyring,
      owner: async (_keyId, refresh) => {
        refreshes.push(refresh)
        return refresh ? { ...old, key: createPublicKey(renewed.publicKey.export({ type: 'spki', format: 'pem' })) } : old
      }
    })
    expect(await asked({ keys: renewed })).toBe(ACTOR)
    expect(refreshes).toEqual([false, true])
    expect(await asked({ keys: generateKeyPairSync('rsa', { modulusLength: 2048 }) })).toMatch(/does not fit/)
    refreshes.length = 0
    expect(await asked()).toBe(ACTOR)
    expect(refreshes).toEqual([false])
    setKeyring({ ...keyring, owner: async () => null })
    expect(await asked()).toMatch(/not to be had/)
    setKeyring(keyring)
  })
})

it('what this instance signs, it verifies, in both kinds and with both kinds of keys', async () => {
  const edwards = generateKeyPairSync('ed25519')
  knows(edwards, 'own')
  for (const [name, { privateKey }] of [
    ['main', rsa],
    ['own', edwards]
  ] as const) {
    const signer = { actor: ACTOR, keyId: keyId(name), privateKey }
    const date = new Date(NOW)
    const old = await signCavage({ method: 'POST', url: INBOX, digest: digestOf(BODY), date, signer })
    const modern = await signRfc9421({ method: 'POST', url: INBOX, body: BODY.toString(), date, signer })
    for (const headers of [old, modern]) expect(await judged({ method: 'POST', path: '/inbox', headers, body: BODY, now: NOW })).toBe(ACTOR)
    for (const headers of [
      await signCavage({ method: 'GET', url: 'https://here.example/a?b=c', date, signer }),
      await signRfc9421({ method: 'GET', url: 'https://here.example/a?b=c', date, signer })
    ]) {
      expect(await judged({ method: 'GET', path: '/a?b=c', headers, now: NOW })).toBe(ACTOR)
      expect(await judged({ method: 'GET', path: '/a?b=d', headers, now: NOW })).toMatch(/does not fit/)
    }
  }
})
