import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { eventually, startTestInstance, type TestResponse, type TestInstance } from '../test/instance.ts'
import { findJsonShapeDifferences } from '../test/json-shape.ts'

const recorded = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8'))
let instance: TestInstance
let user: { id: number; token: string; channelId: number }
beforeAll(async () => {
  instance = await startTestInstance({}, ['web'])
  user = await instance.user('user1')
})
afterAll(async () => {
  await instance?.stop()
})

const put = async (body: object, token = user.token): Promise<TestResponse> => await instance.call('PUT /users/me', { token, body })
const me = async (token = user.token) => (await instance.call('GET /users/me', { token })).json
const uploadAvatar = async (
  bytes: Uint8Array,
  { field = 'avatarfile', name = 'avatar.png', token = user.token } = {}
): Promise<TestResponse> => {
  const multipart = new FormData()
  multipart.append(field, new Blob([bytes as BlobPart]), name)
  return await instance.call('POST /users/me/avatar/pick', { token, multipart })
}
const makeImage = async (format: 'png' | 'jpeg' | 'webp' | 'gif', width = 300, height = 200) =>
  await sharp({ create: { width, height, channels: 3, background: '#c04060' } })
    .toFormat(format)
    .toBuffer()
const avatarFiles = () => readdirSync(join(instance.folder, 'avatars')).sort()

test('GET /users/me has the recorded shape', async () => {
  expect(findJsonShapeDifferences(recorded.me, await me())).toEqual([])
  expect(await me()).toMatchObject({
    pendingEmail: null,
    pluginAuth: null,
    twoFactorEnabled: false,
    theme: 'instance-default',
    specialPlaylists: [{ id: expect.any(Number), name: 'Watch later', type: 2 }]
  })
  expect((await instance.call('GET /users/me')).status).toBe(401)
})

test('a change shows in the next response', async () => {
  const answer = await put({
    displayName: 'User One',
    description: 'I am user one',
    nsfwPolicy: 'display',
    autoPlayVideo: false,
    videoLanguages: ['en', '_unknown'],
    theme: 'default',
    p2pEnabled: false,
    language: 'fr'
  })
  expect([answer.status, answer.text]).toEqual([204, ''])
  expect(await me()).toMatchObject({
    nsfwPolicy: 'display',
    autoPlayVideo: false,
    videoLanguages: ['en', '_unknown'],
    theme: 'default',
    p2pEnabled: false,
    language: 'fr',
    account: { displayName: 'User One', description: 'I am user one' }
  })
  expect((await instance.call('GET /accounts/user1')).json).toMatchObject({
    displayName: 'User One',
    description: 'I am user one',
    userId: user.id
  })
  await put({ description: null, videoLanguages: null })
  expect(await me()).toMatchObject({ videoLanguages: null, account: { displayName: 'User One', description: null } })
})

test('invalid values are refused with the name of the field', async () => {
  expect((await put({ nsfwPolicy: 'nope' })).json).toMatchObject({
    status: 400,
    detail: 'Incorrect request parameters: nsfwPolicy',
    'invalid-params': { nsfwPolicy: { type: 'field', value: 'nope', msg: 'Invalid value', path: 'nsfwPolicy', location: 'body' } }
  })
  expect((await put({ displayName: 'x'.repeat(121) })).status).toBe(400)
  expect((await put({ autoPlayVideo: 'perhaps' })).status).toBe(400)
  expect((await instance.call('PUT /users/me', { body: {} })).status).toBe(401)
})

test('fields that only administrators may change are ignored', async () => {
  const before = await me()
  expect((await put({ role: 0, videoQuota: 1, username: 'other', adminFlags: 1, blocked: true, id: 1 })).status).toBe(204)
  expect(await me()).toEqual(before)
})

test('a new password needs the current one', async () => {
  expect((await put({ currentPassword: 'bad', password: 'password2' })).json).toMatchObject({
    status: 401,
    code: 'current_password_is_invalid',
    detail: 'currentPassword is invalid.'
  })
  expect((await put({ password: 'password2' })).status).toBe(400)
  expect((await put({ currentPassword: 'password1', password: 'five5' })).status).toBe(400)
  expect(await instance.login('user1', 'password1')).toBeTruthy()
})

test('a new password ends all sessions except the one that sets it', async () => {
  const { id, token } = await instance.user('renewer')
  const [other, wrong] = [await instance.login('renewer', 'password1'), await instance.login('renewer', 'password1')]
  const status = async (session: string) => (await instance.call('GET /users/me', { token: session })).status
  expect((await put({ currentPassword: 'bad', password: 'password2' }, wrong)).status).toBe(401)
  expect(await Promise.all([token, other, wrong].map(status))).toEqual([200, 200, 200])
  expect((await put({ currentPassword: 'password1', password: 'password2' }, token)).status).toBe(204)
  expect(await Promise.all([token, other, wrong].map(status))).toEqual([200, 401, 401])
  const sessions = (await instance.call(`GET /users/${id}/token-sessions`, { token })).json
  expect(sessions.data).toMatchObject([{ currentSession: true }])
  // Somebody else's session is not the one to keep.
  const root = await instance.login()
  expect((await instance.call(`PUT /users/${id}`, { token: root, body: { password: 'password3' } })).status).toBe(204)
  expect([await status(token), await status(root)]).toEqual([401, 200])
})

test('of two new passwords at once one session at most goes on', async () => {
  const { token } = await instance.user('twice')
  const other = await instance.login('twice', 'password1')
  await Promise.all(
    [token, other].map(async (session, index) => await put({ currentPassword: 'password1', password: `password${index + 5}` }, session))
  )
  const left = await Promise.all([token, other].map(async session => (await instance.call('GET /users/me', { token: session })).status))
  expect(left.filter(one => one === 200).length).toBeLessThanOrEqual(1)
})

test('a new e-mail address needs the current password and must not be in use', async () => {
  await instance.user('neighbour')
  expect((await put({ email: 'new@example.com' })).status).toBe(400)
  expect((await put({ email: 'new@example.com', currentPassword: 'bad' })).status).toBe(401)
  expect((await put({ email: 'Neighbour@example.com', currentPassword: 'password1' })).status).toBe(409)
  expect((await put({ email: 'user1@example.com' })).status).toBe(204)
  expect((await put({ email: 'new@example.com', currentPassword: 'password1' })).status).toBe(204)
  expect(await me()).toMatchObject({ email: 'new@example.com', emailVerified: null })
})

test('an avatar of any image format is stored in all sizes, with the recorded response', async () => {
  for (const format of ['png', 'jpeg', 'webp', 'gif'] as const) {
    const answer = await uploadAvatar(await makeImage(format), { name: `a.${format}` })
    expect(answer.status, format).toBe(200)
    expect(findJsonShapeDifferences(recorded.avatars, answer.json)).toEqual([])
    expect(answer.json.avatars.map((one: { width: number }) => one.width)).toEqual([1500, 600, 120, 48])
    const { account } = await me()
    expect(account.avatars.map((one: { width: number }) => one.width)).toEqual([48, 120, 600, 1500])
    for (const { path, fileUrl, width } of account.avatars) {
      expect(path).toMatch(/^\/lazy-static\/avatars\/[0-9a-f-]{36}\.(png|jpg)$/)
      expect(fileUrl).toBe(instance.url + path)
      expect(await sharp(join(instance.folder, 'avatars', path.split('/').at(-1)!)).metadata()).toMatchObject({ width, height: width })
    }
  }
  // Earlier images are removed, the last one is complete.
  await eventually(async () => avatarFiles().length === 4, 10, 'the old images to be removed')
  expect((await instance.call('GET /accounts/user1')).json.avatars).toHaveLength(4)
})

const INVALID_IMAGES: [string, () => Promise<Uint8Array> | Uint8Array][] = [
  ['a text', () => Buffer.from('hello')],
  ['an empty file', () => Buffer.alloc(0)],
  ['noise', () => Buffer.from(Array.from({ length: 5000 }, (_, place) => (place * 7919) % 256))],
  ['a truncated image', async () => (await makeImage('png', 600, 600)).subarray(0, 200)],
  [
    'an SVG with a script',
    () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><script>alert(1)</script></svg>')
  ]
]
test.each(INVALID_IMAGES)('%s is no avatar', async (_, make) => {
  const before = avatarFiles()
  const answer = await uploadAvatar(await make())
  expect(answer.json).toMatchObject({
    status: 400,
    detail: 'Incorrect request parameters: avatarfile',
    'invalid-params': {
      avatarfile: {
        type: 'field',
        msg: 'This file is not supported or too large. Please, make sure it is of the following type : .png, .jpeg, .jpg, .gif, .webp',
        path: 'avatarfile',
        location: 'body'
      }
    }
  })
  expect(avatarFiles()).toEqual(before)
  expect((await me()).account.avatars).toHaveLength(4)
})

test('an image that is too large, has too many pixels, is missing or in a wrong field is refused', async () => {
  expect((await uploadAvatar(Buffer.alloc(config.upload.avatar_max_size + 1))).json).toMatchObject({
    status: 400,
    detail: 'Incorrect request parameters: avatarfile'
  })
  const maxPixels = config.upload.image_max_pixels
  config.upload.image_max_pixels = 100
  expect((await uploadAvatar(await makeImage('png'))).status).toBe(400)
  config.upload.image_max_pixels = maxPixels
  expect((await uploadAvatar(await makeImage('png'), { field: 'nope' })).status).toBe(400)
  expect((await instance.call('POST /users/me/avatar/pick', { token: user.token, body: {} })).json).toMatchObject({
    status: 400,
    detail: 'Incorrect request parameters: avatarfile'
  })
  expect((await instance.call('POST /users/me/avatar/pick', { multipart: new FormData() })).status).toBe(401)
  await eventually(async () => readdirSync(join(instance.folder, 'tmp')).length === 0, 10, 'received files to go')
})

test('concurrent avatar uploads leave one set of images, without missing or orphaned files', async () => {
  const answers = await Promise.all(Array.from({ length: 4 }, async () => await uploadAvatar(await makeImage('jpeg'))))
  expect(answers.map(one => one.status)).toEqual([200, 200, 200, 200])
  const rows = await runQuery<{ filename: string }>(
    sql`SELECT image.filename FROM actor_images image JOIN accounts account ON account.actor_id = image.actor_id
      WHERE account.user_id = ${user.id} ORDER BY image.filename`
  )
  expect(rows).toHaveLength(4)
  await eventually(
    async () =>
      avatarFiles().join() ===
      rows
        .map(row => row.filename)
        .sort()
        .join(),
    10,
    'only the listed images to remain'
  )
})

test('an avatar is removed with its files', async () => {
  expect((await instance.call('DELETE /users/me/avatar', { token: user.token })).status).toBe(204)
  expect((await me()).account.avatars).toEqual([])
  await eventually(async () => avatarFiles().length === 0, 10, 'the files to go')
  expect((await instance.call('DELETE /users/me/avatar', { token: user.token })).status).toBe(204)
})

test('a user deletes the own account with its images', async () => {
  const { id, token } = await instance.user('goner')
  await uploadAvatar(await makeImage('png'), { token })
  expect((await instance.call('DELETE /users/me')).status).toBe(401)
  expect((await instance.call('DELETE /users/me', { token })).status).toBe(204)
  expect((await instance.call('GET /users/me', { token })).json).toMatchObject({ status: 401, code: 'invalid_token' })
  expect(await runQuery(sql`SELECT id FROM users WHERE id = ${id}`)).toEqual([])
  await eventually(async () => avatarFiles().length === 0, 10, 'the images to be removed')
})

describe('without a login of the last minutes', () => {
  let leaver: { id: number; token: string }
  let number = 0
  const beginSession = async (age: string) => {
    leaver = await instance.user(`leaver${++number}`)
    await runQuery(sql`UPDATE oauth_tokens SET created_at = now() - ${age}::interval WHERE user_id = ${leaver.id}`)
  }
  const remove = async (body?: object, token = leaver.token) => await instance.call('DELETE /users/me', { token, body })
  const exists = async () => (await runQuery(sql`SELECT id FROM users WHERE id = ${leaver.id}`)).length === 1

  test.each([undefined, {}])('the account is not deleted without the password (body %j)', async body => {
    await beginSession('16 minutes')
    expect((await remove(body)).json).toMatchObject({ status: 403, code: 'current_password_required' })
    expect(await exists()).toBe(true)
  })

  test('the account is deleted with the password', async () => {
    await beginSession('20 days')
    expect((await remove({ currentPassword: 'wrong' })).json).toMatchObject({ status: 401, code: 'current_password_is_invalid' })
    expect((await remove({ currentPassword: '' })).status).toBe(401)
    expect((await remove({ currentPassword: ['password1'] })).status).toBe(400)
    expect(await exists()).toBe(true)
    expect((await remove({ currentPassword: 'password1' })).status).toBe(204)
    expect(await exists()).toBe(false)
  })

  test('up to fifteen minutes after it no password is needed, but a wrong one is refused', async () => {
    await beginSession('14 minutes')
    expect((await remove({ currentPassword: 'wrong' })).status).toBe(401)
    expect(await exists()).toBe(true)
    expect((await remove()).status).toBe(204)
    expect(await exists()).toBe(false)
  })

  test('a refresh makes no login younger, another login helps only its own session', async () => {
    await instance.user(`leaver${++number}`)
    const client = (await instance.call('GET /oauth-clients/local')).json
    const logIn = async () =>
      await instance.call('POST /users/token', {
        form: { ...client, grant_type: 'password', username: `leaver${number}`, password: 'password1' }
      })
    const first = (await logIn()).json
    leaver = { id: (await instance.call('GET /users/me', { token: first.access_token })).json.id, token: first.access_token }
    await runQuery(sql`UPDATE oauth_tokens SET created_at = now() - interval '1 hour' WHERE user_id = ${leaver.id}`)
    const refreshed = await instance.call('POST /users/token', {
      form: { ...client, grant_type: 'refresh_token', refresh_token: first.refresh_token }
    })
    expect((await remove(undefined, refreshed.json.access_token)).json.code).toBe('current_password_required')
    const second = (await logIn()).json
    expect((await remove(undefined, refreshed.json.access_token)).json.code).toBe('current_password_required')
    expect((await remove(undefined, second.access_token)).status).toBe(204)
  })

  test('a login of the future, by a clock that was wrong, is none', async () => {
    await beginSession('-1 hour')
    expect((await remove()).json.code).toBe('current_password_required')
  })

  test('only the own account is deleted', async () => {
    await beginSession('1 hour')
    const other = await instance.user(`other${number}`)
    expect((await instance.call('DELETE /users/me', { token: other.token, body: { currentPassword: 'wrong' } })).status).toBe(401)
    expect((await instance.call('DELETE /users/me', { body: { currentPassword: 'password1' } })).status).toBe(401)
    expect(await exists()).toBe(true)
  })
})
