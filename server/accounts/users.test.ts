import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { onEvent } from '../core/events.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'
import { findJsonShapeDifferences } from '../test/json-shape.ts'

const recorded = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8'))
type UserSession = { id: number; token: string; channelId: number }
let instance: TestInstance
let root: string
let moderator: UserSession
let user: UserSession
const deleted: string[] = []
beforeAll(async () => {
  instance = await startTestInstance({}, ['web'])
  onEvent('video.deleted', ({ uuid, folder }) => {
    deleted.push(`${uuid} ${folder}`)
  })
  root = await instance.login()
  moderator = await instance.user('mod1', { role: 1, videoQuota: 1_000_000_000, videoQuotaDaily: 500_000_000 })
  user = await instance.user('user1', { channelName: 'user1_chan' })
})
afterAll(async () => {
  await instance?.stop()
})

const create = async (username: string, token = root, more: object = {}) =>
  await instance.call('POST /users', {
    token,
    body: { username, password: 'password1', email: `${username}@example.com`, videoQuota: -1, videoQuotaDaily: -1, role: 2, ...more }
  })
const get = async (id: number, query = '') => (await instance.call(`GET /users/${id}${query}`, { token: root })).json
const names = async (query: string) =>
  (await instance.call(`GET /users?${query}`, { token: root })).json.data.map((one: { username: string }) => one.username)

test('an administrator creates a user, with the recorded response', async () => {
  const answer = await create('fresh', root, { videoQuota: 10, videoQuotaDaily: 5 })
  expect(answer.status).toBe(200)
  expect(answer.json).toEqual({ user: { id: expect.any(Number), account: { id: expect.any(Number) } } })
  expect(await get(answer.json.user.id)).toMatchObject({
    username: 'fresh',
    videoQuota: 10,
    videoQuotaDaily: 5,
    account: { id: answer.json.user.account.id },
    videoChannels: [{ name: 'fresh_channel' }]
  })
})

test('the display name of a chosen channel is its name', async () => {
  expect((await get(user.id)).videoChannels).toMatchObject([{ name: 'user1_chan', displayName: 'user1_chan' }])
})

test('a name in use and invalid fields are refused as recorded', async () => {
  expect((await create('user1', root, { email: 'zz@example.com' })).json).toMatchObject({
    status: 409,
    detail: 'User with this username or email already exists.'
  })
  const invalid = await create('A B', root, { password: '', email: 'no', role: 99 })
  expect(invalid.json).toMatchObject({
    status: 400,
    detail: 'Incorrect request parameters: username, password, email, role',
    instance: '/api/v1/users'
  })
  expect((await create('quota', root, { videoQuota: -2 })).status).toBe(400)
  expect((await create('short', root, { password: 'p' })).json['invalid-params']).toEqual({
    password: { type: 'field', value: 'p', msg: 'Invalid value', path: 'password', location: 'body' }
  })
})

test('the list has the recorded shape, for moderators and administrators only', async () => {
  const answer = await instance.call('GET /users?count=3&sort=-createdAt', { token: root })
  expect(findJsonShapeDifferences(recorded.listed, answer.json.data[0])).toEqual([])
  expect(answer.json.total).toBeGreaterThanOrEqual(3)
  expect((await instance.call('GET /users', { token: moderator.token })).status).toBe(200)
  expect((await instance.call('GET /users')).json).toMatchObject({ status: 401, code: 'unauthorized_request', detail: 'Token is invalid' })
  expect((await instance.call('GET /users', { token: user.token })).status).toBe(403)
  expect((await instance.call(`GET /users/${user.id}`, { token: user.token })).status).toBe(403)
})

test('the list is paged, sorted and searched', async () => {
  await create('alpha')
  await create('beta')
  const all = await names('sort=username&count=100')
  expect(all).toEqual([...all].sort())
  expect(await names('sort=-username&count=2')).toEqual([...all].reverse().slice(0, 2))
  expect(await names('sort=username&start=1&count=2')).toEqual(all.slice(1, 3))
  expect(await names('search=ALPH')).toEqual(['alpha'])
  expect(await names('search=beta@example')).toEqual(['beta'])
  expect(await names('search=%25')).toEqual([])
  expect(await names('search=_')).toEqual([])
  expect((await names('sort=role'))[0]).toBe('root')
  expect((await names('sort=-lastLoginDate&count=1'))[0]).not.toBe('alpha')
  expect((await instance.call('GET /users?count=0', { token: root })).json.data).toEqual([])
  for (const query of ['count=101', 'count=-1', 'start=-1', 'start=a', 'sort=password', 'blocked=maybe']) {
    expect((await instance.call(`GET /users?${query}`, { token: root })).status, query).toBe(400)
  }
  expect((await instance.call('GET /users?count=101', { token: root })).json['invalid-params'].count.msg).toBe(
    'Should have a number count (max: 100)'
  )
})

test('usernames are completed without a login', async () => {
  expect((await instance.call('GET /users/autocomplete?search=us')).json).toEqual(['user1'])
  expect((await instance.call('GET /users/autocomplete?search=%25')).json).toEqual([])
  expect((await instance.call('GET /users/autocomplete')).status).toBe(400)
})

test('one user, with statistics if requested', async () => {
  const { id, channelId } = await instance.user('counted')
  await seedVideo({ channelId, sourceSize: 100, fileSizes: [10, 20] })
  await seedVideo({ channelId, sourceSize: 1000, keptSource: false, fileSizes: [5], ageHours: 30 })
  const plain = await get(id)
  expect(plain).not.toHaveProperty('videosCount')
  const counted = await get(id, '?withStats=true')
  expect(findJsonShapeDifferences(recorded.withStats, counted)).toEqual([])
  expect(counted).toMatchObject({ videosCount: 2, videoQuotaUsed: 135, videoQuotaUsedDaily: 130, totalVideoFileSize: 135 })
  expect((await names('sort=-videoQuotaUsed&count=1'))[0]).toBe('counted')
  expect((await instance.call('GET /users/99999', { token: root })).json).toMatchObject({ status: 404, detail: 'User not found' })
  expect((await instance.call('GET /users/abc', { token: root })).status).toBe(400)
  expect((await instance.call('GET /users/99999999999', { token: root })).status).toBe(400)
})

test('an administrator changes a user', async () => {
  const { id } = await instance.user('changed')
  const answer = await instance.call(`PUT /users/${id}`, {
    token: root,
    body: {
      email: 'user1b@example.com',
      emailVerified: true,
      videoQuota: 50_000_000_000,
      videoQuotaDaily: -1,
      role: 1,
      adminFlags: 1,
      pluginAuth: null
    }
  })
  expect([answer.status, answer.text]).toEqual([204, ''])
  expect(await get(id)).toMatchObject({
    email: 'user1b@example.com',
    emailVerified: true,
    videoQuota: 50_000_000_000,
    role: { id: 1, label: 'Moderator' },
    adminFlags: 1
  })
  expect((await instance.call(`PUT /users/${id}`, { token: root, body: { email: 'USER1@example.com' } })).status).toBe(409)
  expect((await instance.call(`PUT /users/${id}`, { token: root, body: { password: 'short' } })).status).toBe(400)
  expect((await instance.call('PUT /users/99999', { token: root, body: {} })).status).toBe(404)
  expect((await instance.call(`PUT /users/${id}`, { token: root, body: {} })).status).toBe(204)
})

test('blocked users are listed with the filter', async () => {
  const { id } = await instance.user('troll')
  expect(await names('blocked=true')).toEqual([])
  expect((await instance.call(`POST /users/${id}/block`, { token: root, body: { reason: 'because' } })).status).toBe(204)
  expect(await get(id)).toMatchObject({ blocked: true, blockedReason: 'because' })
  expect(await names('blocked=true')).toEqual(['troll'])
  await instance.call(`POST /users/${id}/unblock`, { token: root })
  expect(await get(id)).toMatchObject({ blocked: false, blockedReason: null })
})

describe('root', () => {
  test('cannot be blocked or removed and keeps its role', async () => {
    const second = await instance.user('admin2', { role: 0 })
    for (const token of [root, second.token]) {
      expect((await instance.call('POST /users/1/block', { token })).json).toMatchObject({
        status: 400,
        detail: 'Cannot block the root user'
      })
      expect((await instance.call('DELETE /users/1', { token })).json).toMatchObject({ status: 400, detail: 'Cannot remove the root user' })
      expect((await instance.call('PUT /users/1', { token, body: { role: 2 } })).status).toBe(400)
    }
    expect((await instance.call('DELETE /users/me', { token: root })).json).toMatchObject({
      status: 400,
      detail: 'You cannot delete your root account.'
    })
    expect(await get(1)).toMatchObject({ blocked: false, role: { id: 0, label: 'Administrator' } })
    expect((await instance.call('PUT /users/1', { token: root, body: { role: 0, videoQuota: 5 } })).status).toBe(204)
    expect((await instance.call('PUT /users/1', { token: root, body: { videoQuota: -1 } })).status).toBe(204)
  })
})

describe('the login of root', () => {
  const logIn = async (username: string, password: string) => {
    const client = (await instance.call('GET /oauth-clients/local')).json
    return (await instance.call('POST /users/token', { form: { ...client, grant_type: 'password', username, password } })).status
  }

  test('is changed by no other administrator', async () => {
    const { token } = await instance.user('admin3', { role: 0 })
    const { email } = await get(1)
    for (const body of [
      { password: 'stolen123' },
      { email: 'thief@example.com' },
      { email: 'thief@example.com', password: 'stolen123' },
      { videoQuota: 5, password: 'stolen123' },
      { password: instance.rootPassword }
    ])
      expect((await instance.call('PUT /users/1', { token, body })).json, JSON.stringify(body)).toMatchObject({
        status: 403,
        code: 'root_only'
      })
    expect(await get(1)).toMatchObject({ email, videoQuota: -1 })
    expect([await logIn('root', 'stolen123'), await logIn('thief@example.com', instance.rootPassword)]).toEqual([400, 400])
    expect((await instance.call('GET /users/me', { token: root })).status).toBe(200)
    // What opens nothing they change, with the address as a form sends it.
    expect((await instance.call('PUT /users/1', { token, body: { email, adminFlags: 0, videoQuotaDaily: -1 } })).status).toBe(204)
  })

  test('is of no name that another user could have', async () => {
    for (const username of ['Root', 'ROOT', 'root ', 'root@127.0.0.1']) expect((await create(username, root)).status).toBe(400)
    expect((await create('root', root, { email: 'second@example.com' })).status).toBe(409)
  })

  test('is changed by root', async () => {
    const change = async (body: object) => (await instance.call('PUT /users/me', { token: root, body })).status
    expect(await change({ password: 'another-one' })).toBe(400)
    expect(await change({ password: 'another-one', currentPassword: 'guess' })).toBe(401)
    expect(await change({ password: 'another-one', currentPassword: instance.rootPassword })).toBe(204)
    expect([await logIn('root', instance.rootPassword), await logIn('root', 'another-one')]).toEqual([400, 200])
    expect((await instance.call('PUT /users/1', { token: root, body: { password: instance.rootPassword } })).status).toBe(204)
    expect(await logIn('root', instance.rootPassword)).toBe(200)
  })
})

describe('reserved names', () => {
  test('are not for moderators to give, but for administrators', async () => {
    expect((await create('support', moderator.token)).json).toMatchObject({ status: 409, code: 'reserved_name' })
    expect((await create('plainname', moderator.token, { channelName: 'supp0rt' })).json).toMatchObject({ code: 'reserved_name' })
    expect((await create('support')).status).toBe(200)
    expect((await instance.call('GET /accounts/support')).status).toBe(200)
  })

  test('are not for new channels of users, but for those of administrators', async () => {
    const make = async (name: string, token: string) =>
      (await instance.call('POST /video-channels', { token, body: { name, displayName: 'One' } })).json
    const isFree = async (name: string, token: string) => (await instance.call(`GET /users/me/channel-names/${name}`, { token })).json.free
    for (const name of ['moderator', 'a.d.m.i.n', 'adm1n', 'team']) {
      expect(await isFree(name, user.token), name).toBe(false)
      expect(await make(name, user.token), name).toMatchObject({ status: 409, code: 'reserved_name' })
      expect(await make(name, moderator.token), name).toMatchObject({ code: 'reserved_name' })
    }
    expect(await isFree('team', root)).toBe(true)
    expect((await make('team', root)).videoChannel.id).toBeGreaterThan(0)
    expect(await isFree('team', root)).toBe(false)
  })

  test('of users and channels that exist go on working', async () => {
    const { token } = await instance.user('staff')
    expect((await instance.call('PUT /users/me', { token, body: { displayName: 'The staff' } })).status).toBe(204)
    expect((await instance.call('PUT /video-channels/staff_channel', { token, body: { displayName: 'Staff' } })).status).toBe(204)
    expect((await instance.login('staff', 'password1')).length).toBeGreaterThan(10)
  })
})

describe('permissions', () => {
  let admin: UserSession
  let other: UserSession
  let victim: UserSession
  beforeAll(async () => {
    admin = await instance.user('matrix_admin', { role: 0 })
    other = await instance.user('matrix_mod', { role: 1 })
    victim = await instance.user('matrix_user')
  })
  const ACTIONS: [string, (id: number) => string, object][] = [
    ['change', id => `PUT /users/${id}`, { videoQuota: 7 }],
    ['set the password of', id => `PUT /users/${id}`, { password: 'stolen123' }],
    ['block', id => `POST /users/${id}/block`, {}],
    ['unblock', id => `POST /users/${id}/unblock`, {}],
    ['remove', id => `DELETE /users/${id}`, {}]
  ]

  test.each(ACTIONS)('a moderator may not %s administrators and moderators', async (_, key, body) => {
    for (const { id } of [admin, other, { id: 1 }, moderator]) {
      expect((await instance.call(key(id), { token: moderator.token, body })).status).toBe(403)
    }
    expect((await get(admin.id)).blocked).toBe(false)
  })

  test.each(ACTIONS)('users without a role and anonymous clients may not %s any user', async (_, key, body) => {
    for (const { id } of [admin, other, victim, user]) {
      expect((await instance.call(key(id), { token: user.token, body })).status).toBe(403)
      expect((await instance.call(key(id), { body })).status).toBe(401)
    }
  })

  test('a moderator manages users without a role', async () => {
    const { token } = moderator
    expect((await instance.call(`PUT /users/${victim.id}`, { token, body: { videoQuota: 7, role: 2 } })).status).toBe(204)
    expect((await instance.call(`POST /users/${victim.id}/block`, { token })).status).toBe(204)
    expect((await instance.call(`POST /users/${victim.id}/unblock`, { token })).status).toBe(204)
    expect((await instance.call(`GET /users/${admin.id}`, { token })).status).toBe(200)
  })

  test('a moderator cannot give roles', async () => {
    for (const role of [0, 1]) {
      expect((await instance.call(`PUT /users/${victim.id}`, { token: moderator.token, body: { role } })).status).toBe(403)
      expect((await create(`risen${role}`, moderator.token, { role })).status).toBe(403)
    }
    expect((await get(victim.id)).role.id).toBe(2)
    expect((await create('assistant', moderator.token)).status).toBe(200)
  })

  test('a user without a role cannot create users', async () => {
    expect((await create('friend', user.token)).status).toBe(403)
    expect((await instance.call('POST /users', { body: {} })).status).toBe(401)
  })

  test('a changed role applies from the next request on', async () => {
    const { id, token } = await instance.user('demoted', { role: 1 })
    expect((await instance.call('GET /users', { token })).status).toBe(200)
    await instance.call(`PUT /users/${id}`, { token: root, body: { role: 2 } })
    expect((await instance.call('GET /users', { token })).status).toBe(403)
  })

  test('users cannot block themselves', async () => {
    expect((await instance.call(`POST /users/${admin.id}/block`, { token: admin.token })).status).toBe(400)
  })
})

test('a removed user leaves only retired names and emits video.deleted for its videos', async () => {
  const { id, token, channelId } = await instance.user('todelete')
  const second = (await instance.call('POST /video-channels', { token, body: { name: 'todelete_second', displayName: 'Second' } })).json
    .videoChannel.id
  const videos = [await seedVideo({ channelId, sourceSize: 5 }), await seedVideo({ channelId: second, privacy: 3 })]
  const bystander = await seedVideo({ channelId: user.channelId })
  const answer = await instance.call(`DELETE /users/${id}`, { token: root })
  expect([answer.status, answer.text]).toEqual([204, ''])
  expect((await instance.call('GET /users/me', { token })).status).toBe(401)
  for (const key of ['GET /accounts/todelete', 'GET /video-channels/todelete_channel', 'GET /video-channels/todelete_second'])
    expect((await instance.call(key)).status).toBe(404)
  expect(await runQuery(sql`SELECT id FROM videos WHERE id = ANY(${videos.map(one => one.id)})`)).toEqual([])
  expect(await runQuery(sql`SELECT id FROM actors WHERE preferred_username LIKE 'todelete%'`)).toEqual([])
  expect(await runQuery(sql`SELECT name FROM retired_names WHERE name LIKE 'todelete%' ORDER BY name`)).toEqual([
    { name: 'todelete' },
    { name: 'todelete_channel' },
    { name: 'todelete_second' }
  ])
  expect(deleted.sort()).toEqual(videos.map(one => `${one.uuid} ${one.uuid}`).sort())
  expect(deleted.join()).not.toContain(bystander.uuid)
  for (const name of ['todelete', 'todelete_second']) {
    expect((await create(name, root, { email: `${name}2@example.com` })).json).toMatchObject({
      status: 409,
      detail: 'Another actor (account/channel) with this name on this instance already exists or has already existed.'
    })
  }
  expect((await instance.call(`DELETE /users/${id}`, { token: root })).status).toBe(404)
})

test('concurrent removals of a user do not fail', async () => {
  const { id } = await instance.user('hunted')
  const answers = await Promise.all([1, 2, 3].map(async () => await instance.call(`DELETE /users/${id}`, { token: root })))
  expect(answers.map(one => one.status).every(status => status === 204 || status === 404)).toBe(true)
  expect(await runQuery(sql`SELECT id FROM users WHERE id = ${id}`)).toEqual([])
})
