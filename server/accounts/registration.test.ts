import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestResponse, type TestInstance } from '../test/instance.ts'

let instance: TestInstance
beforeAll(async () => {
  instance = await startTestInstance({ signup: { enabled: true, limit: -1 } }, ['web'])
})
afterAll(async () => {
  await instance?.stop()
})
afterEach(() => {
  Object.assign(config.signup, { enabled: true, limit: -1 })
})

const register = async (username: string, more: Record<string, unknown> = {}): Promise<TestResponse> =>
  await instance.call('POST /users/register', { body: { username, password: 'password1', email: `${username}@example.com`, ...more } })
const me = async (username: string) => (await instance.call('GET /users/me', { token: await instance.login(username, 'password1') })).json

test('a registration creates a user with an account and a channel', async () => {
  const answer = await register('newcomer')
  expect([answer.status, answer.text]).toEqual([204, ''])
  const user = await me('newcomer')
  expect(user).toMatchObject({
    username: 'newcomer',
    email: 'newcomer@example.com',
    role: { id: 2, label: 'User' },
    videoQuota: -1,
    videoQuotaDaily: -1,
    emailVerified: null,
    account: { name: 'newcomer', displayName: 'newcomer', url: `${instance.url}/accounts/newcomer` }
  })
  expect(user.videoChannels).toMatchObject([
    { name: 'newcomer_channel', displayName: 'Main newcomer channel', url: `${instance.url}/video-channels/newcomer_channel` }
  ])
})

test('the channel and the display names can be chosen', async () => {
  expect((await register('chooser', { displayName: 'The Chooser', channel: { name: 'chosen', displayName: 'Chosen films' } })).status).toBe(
    204
  )
  expect(await me('chooser')).toMatchObject({
    account: { displayName: 'The Chooser' },
    videoChannels: [{ name: 'chosen', displayName: 'Chosen films' }]
  })
})

test('new users get the configured quotas and policy', async () => {
  Object.assign(config.user, { video_quota: 1000, video_quota_daily: 100 })
  expect((await register('limited')).status).toBe(204)
  expect(await me('limited')).toMatchObject({ videoQuota: 1000, videoQuotaDaily: 100, nsfwPolicy: 'do_not_list', p2pEnabled: true })
  Object.assign(config.user, { video_quota: -1, video_quota_daily: -1 })
})

test('a username, e-mail address, account or channel name in use is refused, case-insensitively', async () => {
  await register('first', { channel: { name: 'first_films', displayName: 'x' } })
  const taken = { status: 409, detail: 'User with this username or email already exists.' }
  expect((await register('first', { email: 'other@example.com' })).json).toMatchObject(taken)
  expect((await register('second', { email: 'FIRST@example.com' })).json).toMatchObject(taken)
  const actorTaken = {
    status: 409,
    detail: 'Another actor (account/channel) with this name on this instance already exists or has already existed.'
  }
  expect((await register('first_films', { email: 'third@example.com' })).json).toMatchObject(actorTaken)
  expect((await register('fourth', { channel: { name: 'first', displayName: 'x' } })).json).toMatchObject(actorTaken)
  expect((await register('fifth', { channel: { name: 'second_channel', displayName: 'x' } })).status).toBe(204)
  expect((await register('second_channel', { email: 'sixth@example.com' })).json).toMatchObject(actorTaken)
  // Refused registrations leave no rows.
  expect(await runQuery(sql`SELECT id FROM users WHERE username IN ('second', 'first_films', 'fourth')`)).toEqual([])
  expect((await register('fourth')).status).toBe(204)
})

test('the default channel gets a number if its name is in use', async () => {
  await register('blocker', { channel: { name: 'wanted_channel', displayName: 'x' } })
  await register('blocker2', { channel: { name: 'wanted_channel-1', displayName: 'x' } })
  expect((await register('wanted')).status).toBe(204)
  expect((await me('wanted')).videoChannels[0].name).toBe('wanted_channel-2')
  const long = 'l'.repeat(50)
  expect((await register(long, { email: 'long@example.com' })).status).toBe(204)
  expect((await me(long)).videoChannels[0].name).toBe(`${'l'.repeat(42)}_channel`)
})

const INVALID_FIELDS: [string, Record<string, unknown>, string][] = [
  ['capital letters and spaces', { username: 'A B' }, 'username'],
  ['a leading dot', { username: '.a' }, 'username'],
  ['a slash', { username: 'a/b' }, 'username'],
  ['51 letters', { username: 'a'.repeat(51) }, 'username'],
  ['a name that is no string', { username: { a: 1 } }, 'username'],
  ['no name', { username: undefined }, 'username'],
  ['a short password', { password: '12345' }, 'password'],
  ['a long password', { password: 'x'.repeat(256) }, 'password'],
  ['no e-mail address', { email: 'no' }, 'email'],
  ['an empty display name', { displayName: '' }, 'displayName'],
  ['an incomplete channel', { channel: { name: 'x' } }, 'channel.displayName'],
  ['a bad channel name', { channel: { name: 'A B', displayName: 'x' } }, 'channel.name']
]
test.each(INVALID_FIELDS)('%s: refused with the name of the field', async (_, fields, name) => {
  const answer = await register('wrong', fields)
  expect(answer.status).toBe(400)
  expect(Object.keys(answer.json['invalid-params'])).toEqual([name])
  expect(answer.json.detail).toBe(`Incorrect request parameters: ${name}`)
})

test('all invalid fields are named, with the recorded texts', async () => {
  const answer = await instance.call('POST /users/register', { body: { username: 'A B', password: '', email: 'no' } })
  expect(answer.json['invalid-params']).toMatchObject({
    username: {
      type: 'field',
      value: 'A B',
      msg: 'Should have a valid username (lowercase alphanumeric characters)',
      path: 'username',
      location: 'body'
    },
    password: { msg: 'Invalid value' },
    email: { value: 'no', msg: 'Invalid value' }
  })
})

test('a very long name is refused without slow pattern matching', async () => {
  const answer = await register('slow', { username: `${'a'.repeat(90_000)}!` })
  expect(answer.status).toBe(400)
})

test.each(['admin', 'admin_1', 'a.d.m.i.n', 'adm1n', 'me', 'support', 'm0derator', 'root', 'peertube'])(
  'the name %s is reserved',
  async name => {
    expect((await register(name)).json).toMatchObject({ status: 409, code: 'reserved_name' })
    expect((await register('plain', { channel: { name, displayName: 'x' } })).json).toMatchObject({ status: 409, code: 'reserved_name' })
    if (!['root', 'peertube'].includes(name)) expect((await instance.call(`GET /accounts/${name}`)).status).toBe(404)
    expect((await instance.call('GET /accounts/plain')).status).toBe(404)
  }
)

test('account and channel must have different names', async () => {
  expect((await register('twice', { channel: { name: 'twice', displayName: 'x' } })).status).toBe(400)
})

test('fields that are not part of the registration are ignored', async () => {
  expect((await register('climber', { role: 0, videoQuota: -1, emailVerified: true, adminFlags: 1, blocked: true })).status).toBe(204)
  expect(await me('climber')).toMatchObject({ role: { id: 2 }, emailVerified: null, adminFlags: 0 })
})

test('a closed registration is refused, and the settings say so', async () => {
  config.signup.enabled = false
  expect((await register('late')).status).toBe(403)
  expect((await instance.call('GET /config?closed')).json.signup).toMatchObject({ allowed: false })
})

test('the limit of users holds for concurrent registrations', async () => {
  const [{ count }] = (await runQuery<{ count: number }>(sql`SELECT count(*)::int AS count FROM users`)) as [{ count: number }]
  config.signup.limit = count + 2
  const answers = await Promise.all(Array.from({ length: 6 }, async (_, number) => await register(`crowd${number}`)))
  expect(answers.map(one => one.status).sort()).toEqual([204, 204, 403, 403, 403, 403])
  expect((await register('crowd9')).status).toBe(403)
  // Administrators still create users.
  const created = await instance.call('POST /users', {
    token: await instance.login(),
    body: { username: 'invited', password: 'password1', email: 'invited@example.com', role: 2 }
  })
  expect(created.status).toBe(200)
})

test('of concurrent registrations with one name exactly one succeeds', async () => {
  for (const round of [1, 2, 3]) {
    const answers = await Promise.all(
      [1, 2, 3].map(async number => await register(`twin${round}`, { email: `twin${round}-${number}@example.com` }))
    )
    expect(answers.map(one => one.status).sort()).toEqual([204, 409, 409])
  }
  const answers = await Promise.all([1, 2].map(async number => await register(`mail${number}`, { email: 'shared@example.com' })))
  expect(answers.map(one => one.status).sort()).toEqual([204, 409])
  const channels = await Promise.all(
    [1, 2].map(async number => await register(`chan${number}`, { channel: { name: 'same_films', displayName: 'x' } }))
  )
  expect(channels.map(one => one.status).sort()).toEqual([204, 409])
})
