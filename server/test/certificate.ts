import { generateKeyPairSync, sign } from 'node:crypto'

const SEQUENCE = 0x30,
  SET = 0x31,
  INTEGER = 0x02,
  BITS = 0x03,
  UTF8 = 0x0c,
  TIME = 0x18
/** ecdsa-with-SHA256 (RFC 5758) and commonName (RFC 5280). */
const ECDSA_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex')
const COMMON_NAME = Buffer.from('0603550403', 'hex')

/** Generates a self-signed certificate with its key, both in PEM, for TLS servers in tests. */
export function makeSelfSignedCertificate(name: string): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = der(SEQUENCE, ECDSA_SHA256)
  const distinguishedName = der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8, Buffer.from(name)))))
  const validity = der(SEQUENCE, ...['20200101000000Z', '21000101000000Z'].map(time => der(TIME, Buffer.from(time))))
  const tbsCertificate = der(
    SEQUENCE,
    der(INTEGER, Buffer.from([1])),
    algorithm,
    distinguishedName,
    validity,
    distinguishedName,
    publicKey.export({ type: 'spki', format: 'der' })
  )
  const certificate = der(SEQUENCE, tbsCertificate, algorithm, der(BITS, Buffer.from([0]), sign('sha256', tbsCertificate, privateKey)))
  const lines = certificate
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n')
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
  }
}

/** Encodes one DER value: tag, length, content. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const length = content.length < 0x80 ? [content.length] : [0x82, content.length >> 8, content.length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}
