import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { config } from '../core/config.ts'
import { onEvent } from '../core/events.ts'
import { runQuery, sql } from '../core/sql.ts'
import { eventually, startTestInstance, type TestResponse, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'
import { findJsonShapeDifferences } from '../test/json-shape.ts'
import { sendDueCounters } from '../videos/counters.job.ts'

const recorded = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8'))
const TAKEN = {
  status: 409,
  detail: 'Another actor (account/channel) with this name on this instance already exists or has already existed.'
}
const FORBIDDEN = { status: 403, detail: 'Only a user with sufficient right can access this account resource.' }
let instance: TestInstance
let user: { id: number; token: string; channelId: number }
const deleted: string[] = []
beforeAll(async () => {
  instance = await startTestInstance({}, ['web'])
  onEvent('video.deleted', ({ uuid }) => {
    deleted.push(uuid)
  })
  user = await instance.user('user1', { channelName: 'user1_chan' })
})
afterAll(async () => {
  await instance?.stop()
})

const create = async (name: string, more: object = {}, token = user.token): Promise<TestResponse> =>
  await instance.call('POST /video-channels', { token, body: { name, displayName: `The ${name}`, ...more } })
const get = async (name: string) => await instance.call(`GET /video-channels/${name}`)
const names = (answer: TestResponse) => answer.json.data.map((one: { name: string }) => one.name)
const imageForm = async (field: string, width = 800, height = 400) => {
  const multipart = new FormData()
  multipart.append(
    field,
    new Blob([
      (await sharp({ create: { width, height, channels: 3, background: '#3060a0' } })
        .png()
        .toBuffer()) as BlobPart
    ]),
    'picture.png'
  )
  return multipart
}

test('a channel is created and has the recorded shape', async () => {
  const answer = await create('second_channel', {
    displayName: 'Second channel',
    description: 'The second channel',
    support: 'Support **me**'
  })
  expect(answer.status).toBe(200)
  expect(answer.json).toEqual({ videoChannel: { id: expect.any(Number) } })
  const response = await get('second_channel')
  expect(findJsonShapeDifferences(recorded.channel, response.json)).toEqual([])
  expect(response.json).toMatchObject({
    id: answer.json.videoChannel.id,
    url: `${instance.url}/video-channels/second_channel`,
    displayName: 'Second channel',
    description: 'The second channel',
    support: 'Support **me**',
    isLocal: true,
    avatars: [],
    banners: [],
    ownerAccount: { name: 'user1', userId: user.id }
  })
  expect((await get(`Second_Channel@${new URL(instance.url).host}`)).json).toEqual(response.json)
})

test('used names, invalid fields and anonymous requests are refused as recorded', async () => {
  expect((await create('second_channel')).json).toMatchObject(TAKEN)
  expect((await create('user1')).json).toMatchObject(TAKEN)
  expect((await create('root_channel')).json).toMatchObject(TAKEN)
  expect((await create('Bad Name', { displayName: '' })).json).toMatchObject({
    status: 400,
    detail: 'Incorrect request parameters: name, displayName',
    'invalid-params': {
      name: { type: 'field', value: 'Bad Name', msg: 'Invalid value', path: 'name', location: 'body' },
      displayName: { value: '', msg: 'Invalid value' }
    }
  })
  expect((await create('x', { description: 'ab' })).status).toBe(400)
  expect((await instance.call('POST /video-channels', { body: { name: 'x', displayName: 'x' } })).status).toBe(401)
  expect((await get('unknown_channel')).json).toMatchObject({ status: 404, detail: 'Video channel not found' })
  expect((await get('user1')).status).toBe(404)
})

test('a user can check whether a channel name is available', async () => {
  const free = async (name: string, token: string | undefined = user.token) => {
    const { status, json } = await instance.call(`GET /users/me/channel-names/${encodeURIComponent(name)}`, { token })
    return json.free ?? status
  }
  expect(
    await Promise.all(
      ['quite_new', 'second_channel', 'user1', 'peertube', 'Bad Name', 'x'.repeat(51), '-x'].map(async name => await free(name))
    )
  ).toEqual([true, false, false, false, 400, 400, 400])
  await create('soon_gone')
  await instance.call('DELETE /video-channels/soon_gone', { token: user.token })
  expect(await free('soon_gone')).toBe(false)
  expect((await instance.call('GET /users/me/channel-names/quite_new')).status).toBe(401)
})

test('the owner changes a channel, and with bulkVideosSupportUpdate the support text of its videos', async () => {
  const video = await seedVideo({ channelId: user.channelId })
  await runQuery(sql`UPDATE videos SET federated = true WHERE id = ${video.id}`)
  const before = (await get('user1_chan')).json
  const answer = await instance.call('PUT /video-channels/user1_chan', {
    token: user.token,
    body: { displayName: 'Changed', description: 'desc', support: 'support', bulkVideosSupportUpdate: true }
  })
  expect([answer.status, answer.text]).toEqual([204, ''])
  expect((await get('user1_chan')).json).toMatchObject({
    ...before,
    displayName: 'Changed',
    description: 'desc',
    support: 'support',
    updatedAt: expect.any(String)
  })
  expect(await runQuery(sql`SELECT support FROM videos WHERE id = ${video.id}`)).toEqual([{ support: 'support' }])
  // The videos are federated again.
  await sendDueCounters.run({}, { progress: () => undefined, signal: new AbortController().signal })
  const updates = await runQuery<{ support: string }>(
    sql`SELECT activity->'object'->'support' AS support FROM outgoing WHERE type = 'Update' AND activity->'object'->>'uuid' = ${video.uuid}`
  )
  expect(updates).toEqual([{ support: 'support' }])
  await instance.call('PUT /video-channels/user1_chan', { token: user.token, body: { support: 'other' } })
  expect(await runQuery(sql`SELECT support FROM videos WHERE id = ${video.id}`)).toEqual([{ support: 'support' }])
  await instance.call('PUT /video-channels/user1_chan', { token: user.token, body: { description: null, support: '' } })
  expect((await get('user1_chan')).json).toMatchObject({ displayName: 'Changed', description: null, support: null })
})

test('a channel is changed only by its owner, administrators and, for users without a role, moderators', async () => {
  const stranger = await instance.user('stranger')
  const moderator = await instance.user('mod1', { role: 1 })
  const otherModerator = await instance.user('mod2', { role: 1 })
  const admin = await instance.login()
  const statusOfChange = async (name: string, token?: string) =>
    (await instance.call(`PUT /video-channels/${name}`, { token, body: { description: 'touched' } })).status
  expect((await instance.call('PUT /video-channels/root_channel', { token: user.token, body: { displayName: 'x' } })).json).toMatchObject(
    FORBIDDEN
  )
  expect(await statusOfChange('user1_chan')).toBe(401)
  expect(await statusOfChange('user1_chan', stranger.token)).toBe(403)
  expect(await statusOfChange('user1_chan', moderator.token)).toBe(204)
  expect(await statusOfChange('user1_chan', admin)).toBe(204)
  expect(await statusOfChange('root_channel', moderator.token)).toBe(403)
  expect(await statusOfChange('mod2_channel', moderator.token)).toBe(403)
  expect(await statusOfChange('mod2_channel', otherModerator.token)).toBe(204)
  expect(await statusOfChange('unknown', admin)).toBe(404)
  for (const key of [
    'DELETE /video-channels/root_channel',
    'DELETE /video-channels/root_channel/avatar',
    'DELETE /video-channels/root_channel/banner'
  ]) {
    expect((await instance.call(key, { token: user.token })).json, key).toMatchObject(FORBIDDEN)
  }
  for (const kind of ['avatar', 'banner']) {
    expect(
      (
        await instance.call(`POST /video-channels/root_channel/${kind}/pick`, {
          token: user.token,
          multipart: await imageForm(`${kind}file`)
        })
      ).json
    ).toMatchObject(FORBIDDEN)
  }
})

test('a remote channel cannot be changed', async () => {
  const [actor] = await runQuery<{ id: number }>(
    sql`INSERT INTO actors (type, url, preferred_username, host, inbox_url, created_at, updated_at)
      VALUES ('Group', 'http://far/video-channels/far', 'far', 'far.example', 'http://far/inbox', now(), now()) RETURNING id`
  )
  const [owner] = await runQuery<{ id: number }>(
    sql`INSERT INTO actors (type, url, preferred_username, host, inbox_url, created_at, updated_at)
      VALUES ('Person', 'http://far/accounts/owner', 'owner', 'far.example', 'http://far/inbox', now(), now()) RETURNING id`
  )
  const [account] = await runQuery<{ id: number }>(
    sql`INSERT INTO accounts (actor_id, name, created_at, updated_at) VALUES (${owner!.id}, 'Owner', now(), now()) RETURNING id`
  )
  await runQuery(
    sql`INSERT INTO channels (actor_id, account_id, name, created_at, updated_at)
      VALUES (${actor!.id}, ${account!.id}, 'Far', now(), now())`
  )
  const shown = (await get('far@far.example')).json
  expect(shown).toMatchObject({ isLocal: false, host: 'far.example' })
  expect(shown.ownerAccount).not.toHaveProperty('userId')
  expect(
    (await instance.call('PUT /video-channels/far@far.example', { token: await instance.login(), body: { displayName: 'x' } })).status
  ).toBe(403)
  expect(names(await instance.call('GET /video-channels'))).not.toContain('far')
})

test('channels of the instance and of an account are listed, paged, sorted and searched', async () => {
  await create('third_channel', { displayName: 'Zebra films' })
  const ownChannels = await instance.call('GET /accounts/user1/video-channels')
  expect(ownChannels.json.total).toBe(3)
  expect(names(ownChannels)).toEqual(['third_channel', 'second_channel', 'user1_chan'])
  expect(names(await instance.call('GET /accounts/user1/video-channels?sort=name&start=1&count=1'))).toEqual(['third_channel'])
  expect(names(await instance.call('GET /accounts/user1/video-channels?search=zebra'))).toEqual(['third_channel'])
  expect(names(await instance.call('GET /accounts/user1/video-channels?search=SECOND_'))).toEqual(['second_channel'])
  expect((await instance.call('GET /accounts/user1/video-channels?search=%25')).json).toEqual({ total: 0, data: [] })
  expect((await instance.call('GET /accounts/nobody/video-channels')).json).toMatchObject({ status: 404, detail: 'Account not found' })
  const all = await instance.call('GET /video-channels?sort=createdAt&count=100')
  expect(names(all)[0]).toBe('root_channel')
  expect(all.json.total).toBe(all.json.data.length)
  expect((await instance.call('GET /video-channels?count=101')).status).toBe(400)
  expect((await instance.call('GET /video-channels?sort=support')).status).toBe(400)
})

test('statistics count public videos only', async () => {
  const { token, channelId } = await instance.user('counted')
  await seedVideo({ channelId, views: 3 })
  await seedVideo({ channelId, views: 4 })
  await seedVideo({ channelId, privacy: 3, views: 100 })
  await seedVideo({ channelId, state: 2, views: 100 })
  for (const options of [{}, { token }]) {
    const [channel] = (await instance.call('GET /accounts/counted/video-channels?withStats=true', options)).json.data
    expect(findJsonShapeDifferences(recorded.withStats, channel)).toEqual([])
    expect(channel).toMatchObject({ videosCount: 2, totalViews: 7 })
    expect(channel.viewsPerDay).toHaveLength(31)
    expect(channel.viewsPerDay.at(-1).date).toBe(`${new Date().toISOString().slice(0, 10)}T00:00:00.000Z`)
  }
  expect((await instance.call('GET /accounts/counted/video-channels')).json.data[0]).not.toHaveProperty('videosCount')
})

test('avatar and banner are stored in all sizes, replaced and removed', async () => {
  const avatar = await instance.call('POST /video-channels/second_channel/avatar/pick', {
    token: user.token,
    multipart: await imageForm('avatarfile')
  })
  expect(avatar.json.avatars.map((one: { width: number }) => one.width)).toEqual([1500, 600, 120, 48])
  const banner = await instance.call('POST /video-channels/second_channel/banner/pick', {
    token: user.token,
    multipart: await imageForm('bannerfile')
  })
  expect(banner.status).toBe(200)
  expect(findJsonShapeDifferences(recorded.banners, banner.json)).toEqual([])
  expect(banner.json.banners.map((one: { width: number; height: number }) => [one.width, one.height])).toEqual([
    [1920, 317],
    [600, 100]
  ])
  const shown = (await get('second_channel')).json
  expect(shown.avatars.map((one: { width: number }) => one.width)).toEqual([48, 120, 600, 1500])
  for (const { path, width, height } of shown.banners) {
    expect(path).toMatch(/^\/lazy-static\/banners\//)
    expect(await sharp(join(instance.folder, 'banners', path.split('/').at(-1)!)).metadata()).toMatchObject({ width, height })
  }
  const textFile = new FormData()
  textFile.append('bannerfile', new Blob(['hello']), 'a.txt')
  expect(
    (await instance.call('POST /video-channels/second_channel/banner/pick', { token: user.token, multipart: textFile })).json
  ).toMatchObject({ status: 400, detail: 'Incorrect request parameters: bannerfile' })
  expect((await get('second_channel')).json.banners).toEqual(shown.banners)
  expect((await instance.call('DELETE /video-channels/second_channel/banner', { token: user.token })).status).toBe(204)
  expect((await get('second_channel')).json).toMatchObject({ banners: [], avatars: shown.avatars })
  await eventually(async () => readdirSync(join(instance.folder, 'banners')).length === 0, 10, 'the banners to go')
  expect((await instance.call('DELETE /video-channels/second_channel/avatar', { token: user.token })).status).toBe(204)
  await eventually(async () => readdirSync(join(instance.folder, 'avatars')).length === 0, 10, 'the avatars to go')
})

test('a channel is removed with its videos, and its name is never available again', async () => {
  const id = (await create('doomed')).json.videoChannel.id
  const video = await seedVideo({ channelId: id })
  const other = await seedVideo({ channelId: user.channelId })
  const answer = await instance.call('DELETE /video-channels/doomed', { token: user.token })
  expect([answer.status, answer.text]).toEqual([204, ''])
  expect((await get('doomed')).json).toMatchObject({ status: 404, detail: 'Video channel not found' })
  expect(deleted).toEqual([video.uuid])
  expect(await runQuery(sql`SELECT id FROM videos WHERE id = ANY(${[video.id, other.id]})`)).toEqual([{ id: other.id }])
  expect((await create('Doomed')).status).toBe(400)
  expect((await create('doomed')).json).toMatchObject(TAKEN)
})

test('the last channel of an account cannot be removed, even by concurrent requests', async () => {
  const { token } = await instance.user('keeper')
  expect((await instance.call('DELETE /video-channels/keeper_channel', { token })).status).toBe(409)
  for (const name of ['keeper_a', 'keeper_b']) await create(name, {}, token)
  const answers = await Promise.all(
    ['keeper_channel', 'keeper_a', 'keeper_b'].map(async name => await instance.call(`DELETE /video-channels/${name}`, { token }))
  )
  expect(answers.map(one => one.status).sort()).toEqual([204, 204, 409])
  expect((await instance.call('GET /accounts/keeper/video-channels')).json.total).toBe(1)
})

test('the number of channels of an account is limited, even for concurrent requests', async () => {
  const { token } = await instance.user('greedy')
  config.video_channels.max_per_user = 3
  const answers = await Promise.all([1, 2, 3, 4, 5].map(async number => await create(`greedy_${number}`, {}, token)))
  expect(answers.map(one => one.status).sort()).toEqual([200, 200, 400, 400, 400])
  config.video_channels.max_per_user = 20
})
