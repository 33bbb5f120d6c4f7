import { createHash, randomBytes } from 'node:crypto'
import * as bcrypt from 'bcrypt'
import { config } from '../core/config.ts'
import { invalidParams } from '../core/problem.ts'

/** Hashes a password with bcrypt of cost `security.password_cost`, in the thread pool. */
export async function hashPassword(password: string): Promise<string> {
  return await bcrypt.hash(bcryptInput(password), config.security.password_cost)
}

/** Whether the password matches the hash. Without a hash (no such user) it does the same work and returns false. */
export async function matchesPassword(password: string, hash: string | undefined): Promise<boolean> {
  const matches = await bcrypt.compare(bcryptInput(password), hash ?? (await dummyHash()))
  return matches && hash !== undefined
}

/** Throws 400 naming `path` for a password shorter than `user.password_constraints.min_length`. */
export function assertPasswordLength(password: string | undefined, path = 'password'): void {
  if (password === undefined || password.length >= config.user.password_constraints.min_length) return
  throw invalidParams([{ type: 'field', value: password, msg: 'Invalid value', path, location: 'body' }])
}

let cachedDummy: { cost: number; hash: Promise<string> } | null = null

async function dummyHash(): Promise<string> {
  const cost = config.security.password_cost
  if (cachedDummy?.cost !== cost) cachedDummy = { cost, hash: hashPassword(randomBytes(20).toString('hex')) }
  return await cachedDummy.hash
}

// bcrypt reads at most 72 bytes and stops at a NUL: other passwords would be truncated silently.
function bcryptInput(password: string): string {
  return Buffer.byteLength(password) <= 72 && !password.includes('\0') ? password : createHash('sha256').update(password).digest('base64')
}
