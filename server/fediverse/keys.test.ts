import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../core/config.ts'
import { isAcceptableKey, parsePublicKeyPem, verifySignature, signText } from './keys.ts'

beforeAll(() => void loadConfig())

const rsaKeyPair = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength })
const toPem = (key: KeyObject, type: 'spki' | 'pkcs1' = 'spki') => key.export({ type, format: 'pem' }).toString()

describe('public keys', () => {
  const rsa2048 = rsaKeyPair(2048)
  const ed25519 = generateKeyPairSync('ed25519')

  it('RSA of 2,048 bits or more and Ed25519 are accepted in SPKI and PKCS#1 PEM, with any line ends', () => {
    for (const { publicKey } of [rsa2048, rsaKeyPair(4096)]) {
      for (const type of ['spki', 'pkcs1'] as const) expect(parsePublicKeyPem(toPem(publicKey, type))?.equals(publicKey), type).toBe(true)
    }
    expect(parsePublicKeyPem(toPem(ed25519.publicKey))?.equals(ed25519.publicKey)).toBe(true)
    const text = toPem(rsa2048.publicKey)
    for (const one of [text.replaceAll('\n', '\r\n'), text.trim(), `\n  ${text}\n\n`])
      expect(parsePublicKeyPem(one)?.equals(rsa2048.publicKey), JSON.stringify(one)).toBe(true)
  })

  it('short keys and other types are refused', () => {
    const others: Record<string, KeyObject> = {
      'rsa 512': rsaKeyPair(512).publicKey,
      'rsa 1024': rsaKeyPair(1024).publicKey,
      'rsa 2040': rsaKeyPair(2040).publicKey,
      pss: generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey,
      ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey,
      dsa: generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).publicKey,
      ed448: generateKeyPairSync('ed448').publicKey,
      x25519: generateKeyPairSync('x25519').publicKey
    }
    for (const [name, key] of Object.entries(others)) {
      expect(isAcceptableKey(key), name).toBe(false)
      expect(parsePublicKeyPem(toPem(key)), name).toBeNull()
    }
  })

  it('RSA keys over 8,192 bits are refused', () => {
    // A public key needs a modulus, but not its factors.
    const n = Buffer.concat([Buffer.from([0x80]), Buffer.alloc(1023, 1), Buffer.from([1])]).toString('base64url')
    const large = createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' })
    expect(large.asymmetricKeyDetails?.modulusLength).toBe(8200)
    expect(isAcceptableKey(large)).toBe(false)
    expect(parsePublicKeyPem(toPem(large))).toBeNull()
    const fits = createPublicKey({
      key: { kty: 'RSA', n: Buffer.from(n, 'base64url').subarray(1).fill(0x80, 0, 1).toString('base64url'), e: 'AQAB' },
      format: 'jwk'
    })
    expect([fits.asymmetricKeyDetails?.modulusLength, isAcceptableKey(fits)]).toEqual([8192, true])
  })

  it('anything but the PEM of a public key is refused', () => {
    const text = toPem(rsa2048.publicKey)
    const secret = rsa2048.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
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
      rsa2048.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      text.replaceAll('PUBLIC KEY', 'CERTIFICATE'),
      text.replaceAll('PUBLIC KEY', 'RSA PUBLIC KEY'),
      text.slice(0, 100),
      text.replace(/[A-Za-z0-9+/]{40}/, ''),
      `x${text}`,
      `${text}${'x'.repeat(10_000)}`,
      '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n',
      ed25519.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
    ])
      expect(parsePublicKeyPem(value), String(value).slice(0, 60)).toBeNull()
  })

  it('verify their own signatures and no altered ones', async () => {
    for (const { privateKey, publicKey } of [rsa2048, ed25519]) {
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
    expect(await verifySignature('words', await signText('words', rsa2048.privateKey), ed25519.publicKey)).toBe(false)
    expect(await verifySignature('words', await signText('words', ed25519.privateKey), rsa2048.publicKey)).toBe(false)
    expect(await verifySignature('words', await signText('words', rsa2048.privateKey), rsa2048.publicKey, 'sha512')).toBe(false)
  })
})
