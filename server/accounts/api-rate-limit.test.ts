import { afterAll, beforeAll, expect, test } from 'vitest'
import { config } from '../core/config.ts'
import { wipeRedis } from '../test/fault-injection.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'

const MAX = 3
let instance: TestInstance
let tokens: Record<'anonymous' | 'user' | 'moderator' | 'administrator' | 'unknown', string | undefined>
beforeAll(async () => {
  // Raised while the users are made.
  instance = await startTestInstance({ rates_limit: { api: { window: '5 minutes', max: 25 } } }, ['web'])
  tokens = {
    anonymous: undefined,
    unknown: 'unknown',
    user: (await instance.user('plain')).token,
    moderator: (await instance.user('judge', { role: 1 })).token,
    administrator: await instance.login()
  }
})
afterAll(async () => await instance?.stop())

const callUntilLimited = async (key: string, token: string | undefined): Promise<number[]> => {
  await wipeRedis(config.redis.prefix)
  const statuses = []
  for (let number = 0; number < 25 + MAX; number++) statuses.push((await instance.call(key, { token })).status)
  return statuses.slice(25)
}

test.each(['GET /config', 'GET /users/me/videos?count=0', 'GET /videos/1'])('%s is limited for users and strangers', async key => {
  for (const who of ['anonymous', 'unknown', 'user'] as const)
    expect(await callUntilLimited(key, tokens[who]), who).toEqual([429, 429, 429])
})

test('moderators and administrators are not held by it, and see that they are counted', async () => {
  for (const who of ['moderator', 'administrator'] as const)
    expect(await callUntilLimited('GET /users/me', tokens[who]), who).toEqual([200, 200, 200])
  const { headers } = await instance.call('GET /users/me', { token: tokens.administrator })
  expect(headers.get('x-ratelimit-remaining')).toBe('0')
})

test('a right that is gone is gone at once', async () => {
  await wipeRedis(config.redis.prefix)
  const fallen = await instance.user('fallen', { role: 1 })
  expect(await callUntilLimited('GET /users/me', fallen.token)).toEqual([200, 200, 200])
  await instance.call(`PUT /users/${fallen.id}`, { token: tokens.administrator, body: { role: 2 } })
  expect((await instance.call('GET /users/me', { token: fallen.token })).status).toBe(429)
})

test('they are held by the limit of logins all the same', async () => {
  const before = config.rates_limit.login.max
  expect(before).toBeGreaterThan(100)
  await wipeRedis(config.redis.prefix)
  const login = async () =>
    (await instance.call('POST /users/token', { form: { grant_type: 'password' }, token: tokens.administrator })).headers
  expect((await login()).get('x-ratelimit-limit')).toBe(String(before))
})
