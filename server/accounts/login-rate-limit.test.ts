import { afterAll, beforeAll, expect, test } from 'vitest'
import { redis } from '../core/redis.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'

let instance: TestInstance
beforeAll(async () => {
  instance = await startTestInstance(
    {
      signup: { enabled: true, limit: -1 },
      trust_proxy: ['loopback'],
      rates_limit: { login: { window: '5 minutes', max: 3 }, signup: { window: '5 minutes', max: 2 } }
    },
    ['web']
  )
})
afterAll(async () => {
  await instance?.stop()
})

const from = (ip: string) => ({ 'x-forwarded-for': ip })

test('logins are limited to the configured number of attempts, counted in Redis by IP address', async () => {
  const client = (await instance.call('GET /oauth-clients/local')).json
  const guess = async (ip: string) =>
    await instance.call('POST /users/token', {
      form: { ...client, grant_type: 'password', username: 'root', password: 'guess' },
      headers: from(ip)
    })
  const statuses = []
  for (let tries = 0; tries < 5; tries++) statuses.push((await guess('203.0.113.1')).status)
  expect(statuses).toEqual([400, 400, 400, 429, 429])
  const refused = await guess('203.0.113.1')
  expect(refused.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  expect(refused.json).toMatchObject({ status: 429, code: 'too_many_requests' })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  // The correct password is refused, too, so that the limit cannot be used to test guesses.
  const right = await instance.call('POST /users/token', {
    form: { ...client, grant_type: 'password', username: 'root', password: instance.rootPassword },
    headers: from('203.0.113.1')
  })
  expect(right.status).toBe(429)
  expect((await guess('203.0.113.2')).status).toBe(400)
  const keys = await redis.keys('*:rate:login:*')
  expect(keys.some(key => key.includes('203.0.113.1'))).toBe(true)
})

test('successful registrations are counted, failed ones are not', async () => {
  const register = async (username: string) =>
    await instance.call('POST /users/register', {
      body: { username, password: 'password1', email: `${username}@example.com` },
      headers: from('203.0.113.3')
    })
  const statuses = []
  for (const name of ['Bad Name', 'root', 'Bad Name', 'one', 'two', 'three']) {
    statuses.push((await register(name)).status)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  expect(statuses).toEqual([400, 409, 400, 204, 204, 429])
})
