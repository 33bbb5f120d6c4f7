import { createHash, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../core/config.ts'
import { cavageSignatureHeader } from '../test/hostile-peer.ts'
import { scriptedKeyring, type ScriptedKeyring } from '../test/scripted-keyring.ts'
import { setKeyring, type KeyOwner } from './keyring.ts'
import { RejectedRequestError } from './rejected-request.ts'
import { sha256Base64, signCavage, signRfc9421, verifyHttpSignature } from './http-signature.ts'

const ACTOR = 'https://good.example/accounts/alice'
const BODY = Buffer.from('{"type":"Like"}')
const NOW = Date.parse('2026-11-21T12:00:00Z')
const INBOX = 'https://here.example/inbox'
const MINUTE = 60_000
const COVERED = ['(request-target)', 'host', 'date', 'digest']

type Keys = { privateKey: KeyObject; publicKey: KeyObject }
const rsaKeys = generateKeyPairSync('rsa', { modulusLength: 2048 })
let keyring: ScriptedKeyring
beforeAll(() => {
  loadConfig({ overrides: { webserver: { hostname: 'here.example' } } })
  keyring = scriptedKeyring()
  setKeyring(keyring)
  addKey(rsaKeys)
})

const keyId = (name = 'main') => `${ACTOR}#${name}-key`
const addKey = ({ publicKey }: Keys, name = 'main') =>
  keyring.knows({ url: ACTOR, keyId: keyId(name), publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() })
const hashBase64 = (body: Buffer, algorithm = 'sha256') => createHash(algorithm).update(body).digest('base64')
const bodyHash = hashBase64(BODY)
const otherHash = hashBase64(Buffer.from('{"type":"Lick"}'))

type RequestOverrides = {
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

/** The verified actor of a POST with a cavage signature and the given overrides, or the reason of the refusal. */
async function verifyCavage({
  headers = {},
  covered = COVERED,
  body = BODY,
  now = NOW,
  path = '/inbox',
  method = 'POST',
  algorithm,
  keys = rsaKeys,
  name,
  parameters = ''
}: RequestOverrides = {}): Promise<string> {
  const sentHeaders: Record<string, string | undefined> = {
    host: 'here.example',
    date: new Date(NOW).toUTCString(),
    digest: `SHA-256=${bodyHash}`,
    ...headers
  }
  const signature =
    cavageSignatureHeader(
      'POST',
      new URL(INBOX),
      sentHeaders as Record<string, string>,
      { keyId: keyId(name), privateKey: keys.privateKey },
      covered,
      algorithm === undefined ? {} : { algorithm }
    ) + parameters
  return await verifyRequest({ method, path, headers: { signature, ...sentHeaders }, body, now })
}

/** The same with an RFC 9421 signature over `components`. */
async function verifyRfc9421(
  components: string[],
  {
    headers = {},
    now = NOW,
    body = BODY,
    keys = rsaKeys,
    name,
    algorithm = 'rsa-v1_5-sha256',
    parameters = `;created=${NOW / 1000};keyid="${keyId(name)}";alg="${algorithm}"`,
    path = '/inbox',
    method = 'POST'
  }: RequestOverrides = {}
): Promise<string> {
  const sentHeaders: Record<string, string | undefined> = {
    host: 'here.example',
    date: new Date(NOW).toUTCString(),
    'content-digest': `sha-256=:${bodyHash}:`,
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
    ...sentHeaders
  }
  const params = `(${components.map(component => `"${component}"`).join(' ')})${parameters}`
  const text = [...components.map(component => `"${component}": ${values[component]}`), `"@signature-params": ${params}`].join('\n')
  const value = sign(
    keys.privateKey.asymmetricKeyType === 'rsa' ? (algorithm.endsWith('512') ? 'sha512' : 'sha256') : null,
    Buffer.from(text),
    keys.privateKey
  ).toString('base64')
  return await verifyRequest({
    method,
    path,
    headers: { 'signature-input': `sig1=${params}`, signature: `sig1=:${value}:`, ...sentHeaders },
    body,
    now
  })
}

async function verifyRequest(request: Parameters<typeof verifyHttpSignature>[0]): Promise<string> {
  try {
    return (await verifyHttpSignature(request)).actor
  } catch (error) {
    if (!(error instanceof RejectedRequestError)) throw error
    expect(error.status).toBe(401)
    return error.message
  }
}

describe('digests', () => {
  it('are accepted in every valid notation', async () => {
    for (const digest of [
      `SHA-256=${bodyHash}`,
      `sha-256=${bodyHash}`,
      `Sha-256=${bodyHash}`,
      `SHA-512=${hashBase64(BODY, 'sha512')}`,
      `sha-512=${hashBase64(BODY, 'sha512')}`,
      `SHA-256=${bodyHash},SHA-512=${hashBase64(BODY, 'sha512')}`,
      `SHA-256=${bodyHash}, SHA-256=${bodyHash}`,
      `MD5=${hashBase64(BODY, 'md5')},SHA-256=${bodyHash}`
    ]) {
      expect(await verifyCavage({ headers: { digest } }), digest).toBe(ACTOR)
    }
    for (const digest of [
      `sha-256=:${bodyHash}:`,
      `sha-512=:${hashBase64(BODY, 'sha512')}:`,
      `sha-256=:${bodyHash}:, sha-512=:${hashBase64(BODY, 'sha512')}:`
    ]) {
      const covered = ['(request-target)', 'host', 'date', 'content-digest']
      expect(await verifyCavage({ headers: { digest: undefined, 'content-digest': digest }, covered }), digest).toBe(ACTOR)
      expect(await verifyCavage({ headers: { 'content-digest': digest }, covered: [...COVERED, 'content-digest'] }), digest).toBe(ACTOR)
    }
  })

  it('must be present, signed, readable and all correct', async () => {
    const cases: Record<string, RequestOverrides> = {
      'not signed': { covered: COVERED.slice(0, 3) },
      'left out': { headers: { digest: undefined }, covered: COVERED.slice(0, 3) },
      wrong: { headers: { digest: `SHA-256=${otherHash}` } },
      'wrong after right': { headers: { digest: `SHA-256=${bodyHash},SHA-256=${otherHash}` } },
      'right after wrong': { headers: { digest: `SHA-256=${otherHash}, SHA-256=${bodyHash}` } },
      'wrong 512 beside right 256': { headers: { digest: `SHA-256=${bodyHash},SHA-512=${hashBase64(Buffer.from('x'), 'sha512')}` } },
      '256 named 512': { headers: { digest: `SHA-512=${bodyHash}` } },
      'only of unknown kinds': { headers: { digest: `MD5=${hashBase64(BODY, 'md5')}` } },
      'only of an old kind': { headers: { digest: `SHA=${hashBase64(BODY, 'sha1')}` } },
      empty: { headers: { digest: '' } },
      'without a value': { headers: { digest: 'SHA-256=' } },
      'without a name': { headers: { digest: bodyHash } },
      'in another form': { headers: { digest: `sha-256=:${bodyHash}:` } },
      'without its end': { headers: { digest: `SHA-256=${bodyHash.slice(0, -1)}` } },
      'in hex': { headers: { digest: `SHA-256=${createHash('sha256').update(BODY).digest('hex')}` } },
      'in small letters': { headers: { digest: `SHA-256=${bodyHash.toLowerCase()}` } },
      'beside an unsigned wrong one': { headers: { 'content-digest': `sha-256=:${otherHash}:` } },
      'beside a signed wrong one': { headers: { 'content-digest': `sha-256=:${otherHash}:` }, covered: [...COVERED, 'content-digest'] },
      'beside an unreadable one': { headers: { 'content-digest': 'nonsense' } },
      'right beside an unsigned one that is right': {
        headers: { 'content-digest': `sha-256=:${bodyHash}:` },
        covered: COVERED.slice(0, 3)
      },
      'of another body': { body: Buffer.from('{"type":"Like" }') },
      'of no body': { body: Buffer.alloc(0) },
      'of a body with one byte more': { body: Buffer.concat([BODY, Buffer.from(' ')]) }
    }
    for (const [name, overrides] of Object.entries(cases)) expect(await verifyCavage(overrides), name).toMatch(/digest/)
  })

  it('that were replaced after signing are refused', async () => {
    const body = Buffer.from('{"type":"Undo"}')
    const headers: Record<string, string> = { host: 'here.example', date: new Date(NOW).toUTCString(), digest: `SHA-256=${bodyHash}` }
    const signature = cavageSignatureHeader('POST', new URL(INBOX), headers, { keyId: keyId(), privateKey: rsaKeys.privateKey }, COVERED)
    expect(
      await verifyRequest({
        method: 'POST',
        path: '/inbox',
        headers: { ...headers, digest: `SHA-256=${hashBase64(body)}`, signature },
        body,
        now: NOW
      })
    ).toMatch(/does not fit/)
    expect(
      await verifyRequest({
        method: 'POST',
        path: '/inbox',
        headers: { ...headers, 'content-digest': `sha-256=:${hashBase64(body)}:`, signature },
        body,
        now: NOW
      })
    ).toMatch(/digest/)
  })

  it('are required with RFC 9421 as well', async () => {
    const components = ['@method', '@target-uri', 'content-digest']
    expect(await verifyRfc9421(components)).toBe(ACTOR)
    expect(
      await verifyRfc9421(['@method', '@target-uri', 'digest'], { headers: { digest: `SHA-256=${bodyHash}`, 'content-digest': undefined } })
    ).toBe(ACTOR)
    expect(await verifyRfc9421(['@method', '@target-uri'])).toMatch(/digest/)
    for (const digest of [
      `sha-256=:${otherHash}:`,
      `sha-256=:${bodyHash}:, sha-256=:${otherHash}:`,
      `sha-256=${bodyHash}`,
      'sha-256=::',
      `md5=:${hashBase64(BODY, 'md5')}:`,
      ''
    ])
      expect(await verifyRfc9421(components, { headers: { 'content-digest': digest } }), digest).toMatch(/digest/)
    expect(await verifyRfc9421(components, { headers: { digest: `SHA-256=${otherHash}` } })).toMatch(/digest/)
    expect(await verifyRfc9421(components, { body: Buffer.from('{}') })).toMatch(/digest/)
  })
})

describe('covered components', () => {
  it('must include the request target, the host, a date and the digest', async () => {
    expect(await verifyCavage()).toBe(ACTOR)
    for (const name of COVERED)
      expect(await verifyCavage({ covered: COVERED.filter(component => component !== name) }), name).toMatch(/does not cover|covers no/)
    expect(await verifyCavage({ covered: ['date'] })).toMatch(/does not cover/)
  })

  it('must match the path, method and host of the request', async () => {
    for (const path of ['/inbox?x=1', '/accounts/alice/inbox', '/inbox/', '/INBOX', '//inbox'])
      expect(await verifyCavage({ path }), path).toMatch(/does not fit/)
    expect(await verifyCavage({ method: 'PUT' })).toMatch(/does not fit/)
    for (const host of [
      'evil.example',
      'here.example.evil.example',
      'here.example:8443',
      'here.example:80',
      'www.here.example',
      '',
      'here.example, evil.example'
    ])
      expect(await verifyCavage({ headers: { host } }), host).toMatch(/another host|cannot be read/)
    for (const host of ['HERE.example', 'here.example:443', 'here.example.'])
      expect(await verifyCavage({ headers: { host } }), host).toBe(ACTOR)
  })

  it('must be readable', async () => {
    expect(await verifyCavage({ headers: { digest: undefined } })).toMatch(/cannot be read|does not fit/)
    for (const signature of [
      '',
      'x',
      'keyId="x"',
      `keyId="${keyId()}",headers="${COVERED.join(' ')}",signature=""`,
      `keyId="${keyId()}",algorithm="rsa-sha256",headers="(request-target) host date digest x-missing",signature="AAAA"`,
      'Basic abc',
      '"'.repeat(10_000)
    ]) {
      expect(await verifyCavage({ headers: { signature } }), signature.slice(0, 80)).not.toBe(ACTOR)
    }
    expect(await verifyCavage({ headers: { signature: undefined } })).toMatch(/cannot be read/)
  })

  it('must include method and URL with RFC 9421, in any combination of components', async () => {
    for (const components of [
      ['@method', '@target-uri'],
      ['@method', '@authority', '@path'],
      ['@method', 'host', '@request-target'],
      ['@method', '@authority', '@path', '@query', '@scheme', 'date']
    ]) {
      expect(await verifyRfc9421([...components, 'content-digest']), components.join()).toBe(ACTOR)
    }
    for (const components of [['@target-uri'], ['@method'], ['@method', '@path'], ['@method', '@authority'], ['@method', 'host'], []])
      expect(await verifyRfc9421([...components, 'content-digest']), components.join()).toMatch(/does not cover/)
    expect(await verifyRfc9421(['@method', '@method', '@target-uri', 'content-digest'])).toMatch(/twice/)
    for (const component of ['@status', '@unknown', 'x-missing', 'host";sf;x="'])
      expect(await verifyRfc9421(['@method', '@target-uri', 'content-digest', component]), component).toMatch(/not there|cannot be read/)
  })

  it('are compared with our own URL with RFC 9421, whatever Host says', async () => {
    const components = ['@method', '@authority', '@path', 'content-digest']
    expect(await verifyRfc9421(components, { headers: { host: 'evil.example' } })).toBe(ACTOR)
    expect(await verifyRfc9421(['@method', 'host', '@path', 'content-digest'], { headers: { host: 'evil.example' } })).toMatch(
      /does not fit/
    )
    for (const path of ['/accounts/alice/inbox', '/inbox/']) expect(await verifyRfc9421(components, { path }), path).toMatch(/does not fit/)
    expect(await verifyRfc9421(components, { method: 'PUT' })).toMatch(/does not fit/)
    expect(await verifyRfc9421(['@method', '@target-uri', 'content-digest'], { path: '/inbox?x' })).toMatch(/does not fit/)
  })
})

it('headers designed to be slow to parse are refused quickly', async () => {
  const startedAt = performance.now()
  const validHeaders = { host: 'here.example', date: new Date(NOW).toUTCString(), digest: `SHA-256=${bodyHash}` }
  const inputs = [';a=1', ';a', ';a=-1', ';a="x"', ';a=:b:', ';a=?1'].map(component => `sig1=("@method")${component.repeat(2000)}!`)
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
      await verifyRequest({
        method: 'POST',
        path: '/inbox',
        headers: { ...validHeaders, 'signature-input': input, signature: `sig1=:AAAA:,${'x=:A:,'.repeat(2000)}` },
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
      await verifyRequest({ method: 'POST', path: '/inbox', headers: { ...validHeaders, signature }, body: BODY, now: NOW }),
      signature.slice(0, 40)
    ).not.toBe(ACTOR)
  }
  for (const digest of [`${'SHA-256=,'.repeat(1500)}`, '='.repeat(15_000), `SHA-256=${'A'.repeat(15_000)}`, 'a-'.repeat(7000)])
    expect(await verifyCavage({ headers: { digest } }), digest.slice(0, 40)).not.toBe(ACTOR)
  expect(performance.now() - startedAt).toBeLessThan(30_000)
})

describe('signature dates', () => {
  it('may differ by up to an hour from our clock', async () => {
    for (const minutes of [0, 20, -20, 59, -59]) expect(await verifyCavage({ now: NOW + minutes * MINUTE }), String(minutes)).toBe(ACTOR)
    for (const minutes of [61, -61, 120, -120, 60 * 24 * 365])
      expect(await verifyCavage({ now: NOW + minutes * MINUTE }), String(minutes)).toBe(
        'The date of the signature is more than 60 minutes from ours'
      )
  })

  it('must be valid and covered', async () => {
    for (const date of ['', 'yesterday', 'NaN', '0', `${new Date(NOW).toUTCString()}, ${new Date(NOW).toUTCString()}`])
      expect(await verifyCavage({ headers: { date } }), date).toMatch(/date|cannot be read/)
    expect(await verifyCavage({ headers: { date: undefined }, covered: ['(request-target)', 'host', 'digest'] })).toMatch(/no date/)
  })

  it('may be given as (created), and (expires) is respected', async () => {
    const covered = ['(request-target)', 'host', '(created)', 'digest']
    const signAndVerify = async (created: number | string, parameters = '', now = NOW) => {
      const lines = { '(request-target)': 'post /inbox', host: 'here.example', '(created)': String(created), digest: `SHA-256=${bodyHash}` }
      const value = sign(
        'sha256',
        Buffer.from(
          Object.entries(lines)
            .map(([name, component]) => `${name}: ${component}`)
            .join('\n')
        ),
        rsaKeys.privateKey
      ).toString('base64')
      const signature = `keyId="${keyId()}",algorithm="hs2019",created=${created}${parameters},headers="${covered.join(' ')}",signature="${value}"`
      return await verifyRequest({
        method: 'POST',
        path: '/inbox',
        headers: { host: 'here.example', digest: lines.digest, signature },
        body: BODY,
        now
      })
    }
    const seconds = NOW / 1000
    expect(await signAndVerify(seconds)).toBe(ACTOR)
    expect(await signAndVerify(seconds, `,expires=${seconds + 300}`)).toBe(ACTOR)
    expect(await signAndVerify(seconds, `,expires=${seconds - 1}`)).toMatch(/expired/)
    expect(await signAndVerify(seconds, `,expires=${seconds + 300}`, NOW + 6 * MINUTE)).toMatch(/expired/)
    expect(await signAndVerify(seconds + 4000)).toMatch(/60 minutes/)
    expect(await signAndVerify(seconds - 4000)).toMatch(/60 minutes/)
    for (const created of ['0', '-1', '1e99', 'x']) expect(await signAndVerify(created), created).not.toBe(ACTOR)
  })

  it('follow the same rules with RFC 9421', async () => {
    const components = ['@method', '@target-uri', 'content-digest']
    const verifyWithParameters = async (parameters: string, now = NOW) =>
      await verifyRfc9421(components, { now, parameters: `${parameters};keyid="${keyId()}"` })
    const seconds = NOW / 1000
    for (const minutes of [59, -59]) expect(await verifyWithParameters(`;created=${seconds}`, NOW + minutes * MINUTE)).toBe(ACTOR)
    for (const minutes of [61, -61]) expect(await verifyWithParameters(`;created=${seconds}`, NOW + minutes * MINUTE)).toMatch(/60 minutes/)
    expect(await verifyWithParameters('')).toMatch(/no date/)
    expect(await verifyWithParameters(`;created=${seconds};expires=${seconds + 1}`)).toBe(ACTOR)
    expect(await verifyWithParameters(`;created=${seconds};expires=${seconds - 1}`)).toMatch(/expired/)
    expect(await verifyWithParameters(`;created=${seconds};expires=soon`)).toMatch(/expired|cannot be read/)
  })
})

describe('key types', () => {
  const ed25519 = generateKeyPairSync('ed25519')
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const otherKeys = { ed25519, weak, curve, large: generateKeyPairSync('rsa', { modulusLength: 4096 }) }
  beforeAll(() => {
    for (const [name, keys] of Object.entries(otherKeys)) addKey(keys, name)
    addKey(rsaKeys)
  })
  const headers = { host: 'here.example', date: new Date(NOW).toUTCString(), digest: `SHA-256=${bodyHash}` }
  const text = `(request-target): post /inbox\nhost: ${headers.host}\ndate: ${headers.date}\ndigest: ${headers.digest}`
  const signAndVerify = async (name: keyof typeof otherKeys | 'main', algorithm: string | null, hashing: string | null) => {
    const { privateKey } = name === 'main' ? rsaKeys : otherKeys[name]
    const signature = `keyId="${keyId(name)}",${algorithm === null ? '' : `algorithm="${algorithm}",`}headers="${COVERED.join(' ')}",signature="${sign(hashing, Buffer.from(text), privateKey).toString('base64')}"`
    return await verifyRequest({ method: 'POST', path: '/inbox', headers: { ...headers, signature }, body: BODY, now: NOW })
  }

  it('verify with the algorithms of their type', async () => {
    for (const name of ['main', 'large'] as const) {
      for (const [algorithm, hashing] of [
        ['rsa-sha256', 'sha256'],
        ['RSA-SHA256', 'sha256'],
        ['hs2019', 'sha256'],
        ['hs2019', 'sha512'],
        ['rsa-sha512', 'sha512'],
        [null, 'sha256']
      ] as const)
        expect(await signAndVerify(name, algorithm, hashing), `${name} ${algorithm} ${hashing}`).toBe(ACTOR)
    }
    for (const algorithm of ['hs2019', 'ed25519-sha512']) expect(await signAndVerify('ed25519', algorithm, null), algorithm).toBe(ACTOR)
  })

  it('are refused with other algorithms or if they are too weak', async () => {
    for (const [name, algorithm, hashing] of [
      ['main', 'rsa-sha512', 'sha256'],
      ['main', 'rsa-sha256', 'sha512'],
      ['main', 'rsa-sha1', 'sha1'],
      ['main', 'rsa-md5', 'md5'],
      ['main', 'hmac-sha256', 'sha256'],
      ['main', 'ed25519', 'sha256'],
      ['main', 'none', 'sha256'],
      ['main', 'hs2019', 'sha1'],
      ['ed25519', 'rsa-sha256', null],
      ['ed25519', 'hmac-sha256', null],
      ['weak', 'rsa-sha256', 'sha256'],
      ['weak', 'hs2019', 'sha256'],
      ['curve', 'hs2019', 'sha256'],
      ['curve', 'ecdsa-sha256', 'sha256']
    ] as const)
      expect(await signAndVerify(name, algorithm, hashing), `${name} ${algorithm} ${hashing}`).not.toBe(ACTOR)
  })

  it('work with RFC 9421 as well', async () => {
    const components = ['@method', '@target-uri', 'content-digest']
    expect(await verifyRfc9421(components, { keys: otherKeys.large, name: 'large' })).toBe(ACTOR)
    expect(await verifyRfc9421(components, { keys: ed25519, name: 'ed25519', algorithm: 'ed25519' })).toBe(ACTOR)
    for (const [name, algorithm] of [
      ['weak', 'rsa-v1_5-sha256'],
      ['curve', 'ecdsa-p256-sha256'],
      ['ed25519', 'rsa-v1_5-sha256'],
      ['large', 'hmac-sha256'],
      ['large', 'rsa-pss-sha512']
    ] as const) {
      expect(await verifyRfc9421(components, { keys: otherKeys[name], name, algorithm }), `${name} ${algorithm}`).not.toBe(ACTOR)
    }
  })
})

describe('a key that does not match', () => {
  it('is fetched again once, and the new key is used', async () => {
    const renewed = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const refreshes: boolean[] = []
    const knownOwner: KeyOwner = { actor: ACTOR, keyId: keyId(), key: rsaKeys.publicKey }
    setKeyring({
      ...keyring,
      owner: async (_keyId, refresh) => {
        refreshes.push(refresh)
        return refresh ? { ...knownOwner, key: createPublicKey(renewed.publicKey.export({ type: 'spki', format: 'pem' })) } : knownOwner
      }
    })
    expect(await verifyCavage({ keys: renewed })).toBe(ACTOR)
    expect(refreshes).toEqual([false, true])
    expect(await verifyCavage({ keys: generateKeyPairSync('rsa', { modulusLength: 2048 }) })).toMatch(/does not fit/)
    refreshes.length = 0
    expect(await verifyCavage()).toBe(ACTOR)
    expect(refreshes).toEqual([false])
    setKeyring({ ...keyring, owner: async () => null })
    expect(await verifyCavage()).toMatch(/not to be had/)
    setKeyring(keyring)
  })
})

it('our own signatures verify, with both schemes and both key types', async () => {
  const ed25519 = generateKeyPairSync('ed25519')
  addKey(ed25519, 'own')
  for (const [name, { privateKey }] of [
    ['main', rsaKeys],
    ['own', ed25519]
  ] as const) {
    const signer = { actor: ACTOR, keyId: keyId(name), privateKey }
    const date = new Date(NOW)
    const cavageHeaders = await signCavage({ method: 'POST', url: INBOX, digest: sha256Base64(BODY), date, signer })
    const rfc9421Headers = await signRfc9421({ method: 'POST', url: INBOX, body: BODY.toString(), date, signer })
    for (const headers of [cavageHeaders, rfc9421Headers])
      expect(await verifyRequest({ method: 'POST', path: '/inbox', headers, body: BODY, now: NOW })).toBe(ACTOR)
    for (const headers of [
      await signCavage({ method: 'GET', url: 'https://here.example/a?b=c', date, signer }),
      await signRfc9421({ method: 'GET', url: 'https://here.example/a?b=c', date, signer })
    ]) {
      expect(await verifyRequest({ method: 'GET', path: '/a?b=c', headers, now: NOW })).toBe(ACTOR)
      expect(await verifyRequest({ method: 'GET', path: '/a?b=d', headers, now: NOW })).toMatch(/does not fit/)
    }
  }
})
