import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { config } from '../core/config.ts'
import { redis } from '../core/redis.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'

let instance: TestInstance
beforeAll(async () => {
  instance = await startTestInstance(
    {
      signup: { enabled: true, limit: -1 },
      trust_proxy: ['loopback'],
      rates_limit: { login: { window: '5 minutes', max: 3 }, signup: { window: '5 minutes', max: 4 } }
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

test('every registration is counted, whatever becomes of it', async () => {
  const register = async (username: string, ip: string) =>
    await instance.call('POST /users/register', {
      body: { username, password: 'password1', email: `${username}@example.com` },
      headers: from(ip)
    })
  const statuses = []
  for (const name of ['Bad Name', 'root', 'one', 'two', 'root', 'three']) statuses.push((await register(name, '203.0.113.3')).status)
  expect(statuses).toEqual([400, 409, 204, 204, 429, 429])
  expect((await register('four', '203.0.113.4')).status).toBe(204)
  // What is refused tells nothing: names that are taken and names that are free get one answer.
  expect((await register('root', '203.0.113.3')).json.detail).toBe((await register('free', '203.0.113.3')).json.detail)
})

test('every other address of a /64, and an IPv4 address in IPv6, are the same client', async () => {
  const register = async (ip: string) => (await instance.call('POST /users/register', { body: {}, headers: from(ip) })).status
  const statuses = []
  for (const end of ['::1', ':1::', ':ffff:ffff:ffff:ffff', ':2::', ':3::', ':4::']) statuses.push(await register(`2001:db8:1:2${end}`))
  expect(statuses).toEqual([400, 400, 400, 400, 429, 429])
  expect(await register('2001:db8:1:3::1')).toBe(400)
  for (let tries = 0; tries < 4; tries++) await register('203.0.113.9')
  expect(await register('::ffff:203.0.113.9')).toBe(429)
})

describe('wrong current passwords', () => {
  let user: { token: string }
  let number = 0
  beforeEach(async () => {
    user = await makeUser(`holder${++number}`)
  })
  const makeUser = async (name: string) => {
    await redis.del(`${config.redis.prefix}:rate:login:127.0.0.1`)
    return await instance.user(name)
  }
  const change = async (currentPassword: string, ip: string, body: object = { password: 'password2' }) =>
    await instance.call('PUT /users/me', { token: user.token, body: { ...body, currentPassword }, headers: from(ip) })
  const remove = async (currentPassword: string, ip: string) =>
    await instance.call('DELETE /users/me', { token: user.token, body: { currentPassword }, headers: from(ip) })
  const logIn = async (password: string, ip: string) => {
    const client = (await instance.call('GET /oauth-clients/local')).json
    const form = { ...client, grant_type: 'password', username: `holder${number}`, password }
    return await instance.call('POST /users/token', { form, headers: from(ip) })
  }

  test('are limited as logins are, and then the right one is refused, too', async () => {
    const statuses = []
    for (let tries = 0; tries < 5; tries++) statuses.push((await change('guess', '198.51.100.1')).status)
    expect(statuses).toEqual([401, 401, 401, 429, 429])
    const right = await change('password1', '198.51.100.1')
    expect(right.json).toMatchObject({ status: 429, code: 'too_many_requests' })
    const seconds = Number(right.headers.get('retry-after'))
    expect(seconds).toBeGreaterThan(200)
    expect(seconds).toBeLessThanOrEqual(300)
    expect((await logIn('password1', '198.51.100.99')).status).toBe(200)
    // From elsewhere, and what needs no password, it works.
    expect((await change('password1', '198.51.100.2')).status).toBe(204)
    const { token } = user
    expect((await instance.call('PUT /users/me', { token, body: { theme: 'default' }, headers: from('198.51.100.1') })).status).toBe(204)
  })

  test('count together in the settings, at the deletion of the account and at the login', async () => {
    const ip = '198.51.100.3'
    expect([(await change('guess', ip)).status, (await remove('guess', ip)).status, (await logIn('guess', ip)).status]).toEqual([
      401, 401, 400
    ])
    expect([(await remove('password1', ip)).status, (await change('password1', ip)).status]).toEqual([429, 429])
    expect((await logIn('password1', ip)).json).toMatchObject({ status: 429, code: 'too_many_requests' })
    expect((await instance.call('GET /users/me', { token: user.token })).status).toBe(200)
  })

  test('a right one forgets them', async () => {
    const ip = '198.51.100.4'
    for (let round = 0; round < 3; round++) {
      expect([(await change('guess', ip)).status, (await change('guess', ip)).status]).toEqual([401, 401])
      expect((await change('password1', ip, { email: `holder${number}.${round}@example.com` })).status).toBe(204)
    }
  })

  test('those that arrive at once are not more', async () => {
    const answers = await Promise.all([...Array(12)].map(async () => await change('guess', '198.51.100.5')))
    expect(answers.filter(one => one.status === 401).length).toBe(3)
    expect(answers.filter(one => one.status === 429).length).toBe(9)
  })

  test('of one user do not count for another', async () => {
    for (let tries = 0; tries < 4; tries++) await change('guess', '198.51.100.6')
    user = await makeUser(`holder${++number}`)
    expect((await change('guess', '198.51.100.6')).status).toBe(401)
  })

  test('e-mail addresses that are tried are counted as at sign-up, as each answer tells whether it has an account', async () => {
    const statuses = []
    for (let tries = 0; tries < 3; tries++) statuses.push((await change('password1', '198.51.100.7', { email: 'one@example.com' })).status)
    expect(statuses).toEqual([409, 409, 409])
    expect((await change('password1', '198.51.100.7', { email: 'new@example.com' })).status).toBe(204)
    for (const email of ['one@example.com', 'newer@example.com'])
      expect((await change('password1', '198.51.100.7', { email })).status).toBe(429)
  })
})
