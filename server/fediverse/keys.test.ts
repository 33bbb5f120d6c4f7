import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../core/config.ts'
import { isAcceptableKey, parsePublicKeyPem, verifySignature, signText } from './keys.ts'

beforeAll(() => void loadConfig())

const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength })
const pem = (key: KeyObject, type: 'spki' | 'pkcs1' = 'spki') => key.export({ type, format: 'pem' }).toString()

describe('keys', () => {
  const strong = rsa(2048)
  const edwards = generateKeyPairSync('ed25519')

  it('of RSA with 2,048 bits and more and of Ed25519 are taken, in PKCS#8 and PKCS#1, with any line ends', () => {
    for (const { publicKey } of [strong, rsa(4096)]) {
      for (const type of ['spki', 'pkcs1'] as const) expect(parsePublicKeyPem(pem(publicKey, type))?.equals(publicKey), type).toBe(true)
    }
    expect(parsePublicKeyPem(pem(edwards.publicKey))?.equals(edwards.publicKey)).toBe(true)
    const text = pem(strong.publicKey)
    for (const one of [text.replaceAll('\n', '\r\n'), text.trim(), `\n  ${text}\n\n`])
      expect(parsePublicKeyPem(one)?.equals(strong.publicKey), JSON.stringify(one)).toBe(true)
  })

  it('that are short, or of other kinds, are refused', () => {
    const others: Record<string, KeyObject> = {
      'rsa 512': rsa(512).publicKey,
      'rsa 1024': rsa(1024).publicKey,
      'rsa 2040': rsa(2040).publicKey,
      pss: generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey,
      ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey,
      dsa: generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).publicKey,
      ed448: generateKeyPairSync('ed448').publicKey,
      x25519: generateKeyPairSync('x25519').publicKey
    }
    for (const [name, key] of Object.entries(others)) {
      expect(isAcceptableKey(key), name).toBe(false)
      expect(parsePublicKeyPem(pem(key)), name).toBeNull()
    }
  })

  it('that are longer than 8,192 bits would only cost time', () => {
    // A modulus of 8,200 bits needs no factors to be a public key.
    const n = Buffer.concat([Buffer.from([0x80]), Buffer.alloc(1023, 1), Buffer.from([1])]).toString('base64url')
    const large = createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' })
    expect(large.asymmetricKeyDetails?.modulusLength).toBe(8200)
    expect(isAcceptableKey(large)).toBe(false)
    expect(parsePublicKeyPem(pem(large))).toBeNull()
    const fits = createPublicKey({
      key: { kty: 'RSA', n: Buffer.from(n, 'base64url').subarray(1).fill(0x80, 0, 1).toString('base64url'), e: 'AQAB' },
      format: 'jwk'
    })
    expect([fits.asymmetricKeyDetails?.modulusLength, isAcceptableKey(fits)]).toEqual([8192, true])
  })

  it('are nothing else than the PEM of a public key', () => {
    const text = pem(strong.publicKey)
    const secret = strong.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    for (const value of [
      null,
      undefined,
      1,
      {},
      [text],
      { pem: text },
      '',
      'x',
      secret,
      strong.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      text.replaceAll('PUBLIC KEY', 'CERTIFICATE'),
      text.replaceAll('PUBLIC KEY', 'RSA PUBLIC KEY'),
      text.slice(0, 100),
      text.replace(/[A-Za-z0-9+/]{40}/, ''),
      `x${text}`,
      `${text}${'x'.repeat(10_000)}`,
      '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n',
      edwards.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
    ])
      expect(parsePublicKeyPem(value), String(value).slice(0, 60)).toBeNull()
  })

  it('verify what they signed, and nothing spoilt', async () => {
    for (const { privateKey, publicKey } of [strong, edwards]) {
      const signature = await signText('words', privateKey)
      expect(await verifySignature('words', signature, publicKey)).toBe(true)
      for (const [text, value] of [
        ['Words', signature],
        ['words', ''],
        ['words', 'AAAA'],
        ['words', '%%%'],
        ['words', signature.slice(4)],
        ['words', signature.replace(/^../, letters => (letters === 'AA' ? 'BB' : 'AA'))]
      ] as const)
        expect(await verifySignature(text, value, publicKey), value).toBe(false)
    }
    expect(await verifySignature('words', await signText('words', strong.privateKey), edwards.publicKey)).toBe(false)
    expect(await verifySignature('words', await signText('words', edwards.privateKey), strong.publicKey)).toBe(false)
    expect(await verifySignature('words', await signText('words', strong.privateKey), strong.publicKey, 'sha512')).toBe(false)
  })
})
