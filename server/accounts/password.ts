import { createHash, randomBytes } from 'node:crypto'
import * as bcrypt from 'bcrypt'
import { config } from '../core/config.ts'
import { invalidParams } from '../core/problem.ts'

/** A bcrypt hash of cost `security.password_cost`, made outside the main thread. */
export async function hashPassword(password: string): Promise<string> {
  return await bcrypt.hash(digestible(password), config.security.password_cost)
}

/** Whether the password belongs to the hash. Without a hash (no such user) it does the same work and says no. */
export async function matchesPassword(password: string, hash: string | undefined): Promise<boolean> {
  const matches = await bcrypt.compare(digestible(password), hash ?? (await dummyHash()))
  return matches && hash !== undefined
}

/** Throws 400 naming `path` for a password shorter than `user.password_constraints.min_length`. */
export function assertPasswordLength(password: string | undefined, path = 'password'): void {
  if (password === undefined || password.length >= config.user.password_constraints.min_length) return
  throw invalidParams([{ type: 'field', value: password, msg: 'Invalid value', path, location: 'body' }])
}

let dummy: { cost: number; hash: Promise<string> } | null = null

async function dummyHash(): Promise<string> {
  const cost = config.security.password_cost
  if (dummy?.cost !== cost) dummy = { cost, hash: hashPassword(randomBytes(20).toString('hex')) }
  return await dummy.hash
}

// bcrypt reads 72 bytes and stops at a NUL: longer passwords would be cut in silence.
function digestible(password: string): string {
  return Buffer.byteLength(password) <= 72 && !password.includes('\0') ? password : createHash('sha256').update(password).digest('base64')
}
