import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadConfig } from '../core/config.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { securityTxt } from './security-txt.routes.ts'

let site: TestInstance
beforeAll(async () => {
  site = await startTestInstance({ admin: { email: 'security@videos.test' }, instance: { languages: ['en', 'fr'] } })
})
afterAll(async () => await site.stop())

test('both addresses name the administrator, an expiry within a year and the canonical address', async () => {
  const { status, headers, text } = await site.call('GET //.well-known/security.txt')
  expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8'])
  const fields = Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map(line => line.split(': '))
  )
  expect(fields).toMatchObject({
    Contact: 'mailto:security@videos.test',
    Canonical: `${site.url}/.well-known/security.txt`,
    'Preferred-Languages': 'en, fr'
  })
  const days = (Date.parse(fields.Expires) - Date.now()) / 86_400_000
  expect(days).toBeGreaterThan(170)
  expect(days).toBeLessThan(366)
  expect((await site.call('GET //security.txt')).text).toBe(text)
})

test("the administrator's own text is kept, with what it lacks", () => {
  const own = '# Thank you\nContact: https://videos.test/report\nexpires: 2027-01-01T00:00:00Z\n\nPolicy: https://videos.test/policy'
  loadConfig({ overrides: { instance: { securitytxt: own }, webserver: { hostname: 'videos.test', https: true, port: 443 } } })
  expect(securityTxt(new Date())).toBe(
    '# Thank you\nContact: https://videos.test/report\nexpires: 2027-01-01T00:00:00Z\nPolicy: https://videos.test/policy\nCanonical: https://videos.test/.well-known/security.txt\n'
  )
})

test('an address that nobody reads is not named: the about page is', () => {
  loadConfig({ overrides: { admin: { email: 'admin@example.com' }, webserver: { hostname: 'videos.test', https: true, port: 443 } } })
  expect(securityTxt(new Date('2026-11-30T12:00:00Z'))).toBe(
    'Contact: https://videos.test/about\nExpires: 2027-05-29T00:00:00Z\nCanonical: https://videos.test/.well-known/security.txt\n'
  )
})
