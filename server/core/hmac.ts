import { createHmac, timingSafeEqual } from 'node:crypto'
import { runQuery, sql } from './sql.ts'

let secret: string | null = null

/** Seals a small value so that only this instance can have made it: `payload.signature`, HMAC-SHA-256. `purpose` keeps uses apart. */
export async function signValue(purpose: string, value: unknown): Promise<string> {
  const payload = Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${payload}.${await signature(purpose, payload)}`
}

/** The value of a sealed text; null if it was not made here for this purpose. */
export async function verifySignedValue(purpose: string, sealed: string): Promise<unknown> {
  const [payload = '', given = ''] = sealed.split('.')
  const right = Buffer.from(await signature(purpose, payload))
  const claimed = Buffer.from(given)
  if (right.length !== claimed.length || !timingSafeEqual(right, claimed)) return null
  return JSON.parse(Buffer.from(payload, 'base64url').toString())
}

/** A name for something that nobody can trace back without this instance's secret: 128 bits, as a UUID. */
export async function hmacUuid(purpose: string, text: string): Promise<string> {
  const hex = Buffer.from(await signature(purpose, text), 'base64url').toString('hex')
  return hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

async function signature(purpose: string, payload: string): Promise<string> {
  secret ??= (await runQuery<{ secret: string }>(sql`SELECT secret FROM instances`))[0]!.secret
  return createHmac('sha256', secret).update(`${purpose}:${payload}`).digest('base64url')
}
