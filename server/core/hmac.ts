import { createHmac, timingSafeEqual } from 'node:crypto'
import { runQuery, sql } from './sql.ts'

let secret: string | null = null

/** Serializes and signs a small value: `payload.signature`, HMAC-SHA-256 with the secret of the instance. `purpose` separates uses. */
export async function signValue(purpose: string, value: unknown): Promise<string> {
  const payload = Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${payload}.${await computeSignature(purpose, payload)}`
}

/** Returns the value of a signed text; null if it was not signed by this instance for this purpose. */
export async function verifySignedValue(purpose: string, signed: string): Promise<unknown> {
  const [payload = '', givenSignature = ''] = signed.split('.')
  const expected = Buffer.from(await computeSignature(purpose, payload))
  const claimed = Buffer.from(givenSignature)
  if (expected.length !== claimed.length || !timingSafeEqual(expected, claimed)) return null
  return JSON.parse(Buffer.from(payload, 'base64url').toString())
}

/** Returns a pseudonym of `text` that cannot be reversed without the secret of the instance: 128 bits, formatted as a UUID. */
export async function hmacUuid(purpose: string, text: string): Promise<string> {
  const hex = Buffer.from(await computeSignature(purpose, text), 'base64url').toString('hex')
  return hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

async function computeSignature(purpose: string, payload: string): Promise<string> {
  secret ??= (await runQuery<{ secret: string }>(sql`SELECT secret FROM instances`))[0]!.secret
  return createHmac('sha256', secret).update(`${purpose}:${payload}`).digest('base64url')
}
