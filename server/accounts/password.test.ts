import * as bcrypt from 'bcrypt'
import { beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { NewPassword } from '../../shared/accounts.ts'
import { loadConfig } from '../core/config.ts'
import { hashPassword, matchesPassword, withPasswordLength } from './password.ts'

vi.mock('bcrypt', async original => {
  const real = await original<typeof import('bcrypt')>()
  return { ...real, compare: vi.fn(real.compare) }
})
beforeAll(() => {
  loadConfig({ overrides: { security: { password_cost: 4 }, user: { password_constraints: { min_length: 8 } } } })
})

test('a password matches its own hash, of the configured cost', async () => {
  const hash = await hashPassword('correct horse')
  expect(hash).toMatch(/^\$2b\$04\$/)
  expect(await matchesPassword('correct horse', hash)).toBe(true)
  expect(await matchesPassword('correct horsE', hash)).toBe(false)
})

test('for an unknown user the same work is done, and the result is false', async () => {
  vi.mocked(bcrypt.compare).mockClear()
  expect(await matchesPassword('whatever', undefined)).toBe(false)
  expect(bcrypt.compare).toHaveBeenCalledWith('whatever', expect.stringMatching(/^\$2b\$04\$/))
})

test('bytes beyond the 72 of bcrypt are significant', async () => {
  const hash = await hashPassword('é'.repeat(40) + '1')
  expect(await matchesPassword('é'.repeat(40) + '1', hash)).toBe(true)
  expect(await matchesPassword('é'.repeat(40) + '2', hash)).toBe(false)
})

test('a short password is refused by the configured length', () => {
  const routes = withPasswordLength({
    'POST /a': { summary: '', tag: '', body: z.object({ name: z.string(), password: NewPassword.optional() }) },
    'POST /login': { summary: '', tag: '', body: z.object({ password: z.string() }) }
  })
  const faults = (body: object) => (routes['POST /a'].body.safeParse(body).error?.issues ?? []).map(({ path }) => path.join('.'))
  expect(faults({ name: 'a', password: '1234567' })).toEqual(['password'])
  expect(faults({ password: '1234567' })).toEqual(['name', 'password'])
  expect([faults({ name: 'a', password: '12345678' }), faults({ name: 'a' })]).toEqual([[], []])
  expect(routes['POST /login'].body.safeParse({ password: '1' }).success).toBe(true)
})
