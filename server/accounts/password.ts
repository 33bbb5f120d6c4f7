import { createHash, randomBytes } from 'node:crypto'
import * as bcrypt from 'bcrypt'
import { z } from 'zod'
import { NewPassword } from '../../shared/accounts.ts'
import type { Contract } from '../../shared/contract.ts'
import { config } from '../core/config.ts'

/** Hashes a password with bcrypt of cost `security.password_cost`, in the thread pool. */
export async function hashPassword(password: string): Promise<string> {
  return await bcrypt.hash(bcryptInput(password), config.security.password_cost)
}

/** Whether the password matches the hash. Without a hash (no such user) it does the same work and returns false. */
export async function matchesPassword(password: string, hash: string | undefined): Promise<boolean> {
  const matches = await bcrypt.compare(bcryptInput(password), hash ?? (await dummyHash()))
  return matches && hash !== undefined
}

/** Returns the routes with bodies that refuse a NewPassword shorter than `user.password_constraints.min_length`, beside their other faults. */
export function withPasswordLength<C extends Contract>(routes: C): C {
  const entries = Object.entries(routes).map(([key, { body, ...spec }]) => [key, { ...spec, body: body && refusingShortPasswords(body) }])
  return Object.fromEntries(entries) as C
}

function refusingShortPasswords(body: z.ZodType): z.ZodType {
  if (!(body instanceof z.ZodObject)) return body
  const isNewPassword = (field: z.ZodType): boolean =>
    field instanceof z.ZodOptional ? isNewPassword(field.unwrap() as z.ZodType) : field === NewPassword
  const isLongEnough = (value: unknown) => typeof value !== 'string' || value.length >= config.user.password_constraints.min_length
  const fields = Object.entries(body.shape as Record<string, z.ZodType>).filter(([, field]) => isNewPassword(field))
  return body.extend(Object.fromEntries(fields.map(([name, field]) => [name, field.refine(isLongEnough, 'Invalid value')])))
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
