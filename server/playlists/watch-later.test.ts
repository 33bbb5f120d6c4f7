import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'

type User = { token: string; channelId: number }
type Visitor = 'nobody' | 'other' | 'moderator' | 'owner' | 'root'

let site: TestInstance
let owner: User
let other: User
let tokens: Record<Visitor, string | undefined>
let video: { id: number; uuid: string }
let watchLater: { id: number; uuid: string }

beforeAll(async () => {
  site = await startTestInstance({ signup: { enabled: true, limit: -1 }, playlists: { max_per_user: 1, max_elements: 3 } }, ['web'])
  owner = await site.user('ada')
  other = await site.user('bob')
  tokens = {
    nobody: undefined,
    other: other.token,
    moderator: (await site.user('mod', { role: 1 })).token,
    owner: owner.token,
    root: await site.login()
  }
  video = await seedVideo({ channelId: owner.channelId })
  watchLater = (await listOf(owner.token)).data[0]
})
afterAll(async () => await site?.stop())

const listOf = async (token: string | undefined, query = '?playlistType=2', name = 'ada') =>
  (await site.call(`GET /accounts/${name}/video-playlists${query}`, { token })).json

test('every user has one private playlist to watch later, as recorded', async () => {
  expect(await listOf(owner.token)).toMatchObject({
    total: 1,
    data: [
      {
        url: `${site.url}/video-playlists/${watchLater.uuid}`,
        displayName: 'Watch later',
        description: null,
        privacy: { id: 3, label: 'Private' },
        type: { id: 2, label: 'Watch later' },
        thumbnailPath: null,
        embedPath: `/video-playlists/embed/${watchLater.uuid}`,
        videosLength: 0,
        isLocal: true,
        ownerAccount: { name: 'ada' },
        videoChannel: null
      }
    ]
  })
  expect((await listOf(owner.token, '')).total).toBe(1)
  expect((await listOf(owner.token, '?playlistType=1')).total).toBe(0)
  for (const visitor of Object.keys(tokens) as Visitor[]) {
    if (visitor === 'nobody') continue
    const name = { other: 'bob', moderator: 'mod', owner: 'ada', root: 'root' }[visitor]
    const { specialPlaylists } = (await site.call('GET /users/me', { token: tokens[visitor] })).json
    expect(specialPlaylists).toEqual([{ id: (await listOf(tokens[visitor], undefined, name)).data[0].id, name: 'Watch later', type: 2 }])
  }
  // Neither the actor of the instance nor accounts of other servers have one.
  expect(
    await runQuery(sql`SELECT 1 FROM playlists JOIN accounts ON accounts.id = account_id WHERE type = 2 AND accounts.user_id IS NULL`)
  ).toEqual([])
})

test('it is made with the registration, and gone with the account', async () => {
  const { id, token } = await site.user('eve')
  const [{ uuid }] = (await listOf(token, undefined, 'eve')).data
  await site.call(`POST /video-playlists/${uuid}/videos`, { token, body: { videoId: video.id } })
  expect((await site.call(`DELETE /users/${id}`, { token: tokens.root })).status).toBe(204)
  expect(await runQuery(sql`SELECT 1 FROM playlists WHERE uuid = ${uuid}`)).toEqual([])
  const form = { username: 'dan', password: 'password1', email: 'dan@example.com' }
  expect((await site.call('POST /users/register', { body: form })).status).toBe(204)
  expect((await listOf(await site.login('dan', 'password1'), undefined, 'dan')).total).toBe(1)
})

test.each([
  ['GET', '', undefined, { nobody: 401, other: 403, moderator: 200, owner: 200, root: 200 }],
  ['GET', '/videos', undefined, { nobody: 401, other: 403, moderator: 200, owner: 200, root: 200 }],
  ['PUT', '', { displayName: 'Mine' }, { nobody: 401, other: 403, moderator: 400, owner: 400, root: 400 }],
  ['PUT', '', { displayName: '' }, { nobody: 401, other: 400, moderator: 400, owner: 400, root: 400 }],
  ['PUT', '', { privacy: 1 }, { nobody: 401, other: 403, moderator: 400, owner: 400, root: 400 }],
  ['DELETE', '', undefined, { nobody: 401, other: 403, moderator: 400, owner: 400, root: 400 }]
] as const)('%s /video-playlists/:id%s with %j is answered by who asks', async (method, path, body, statuses) => {
  for (const id of [watchLater.id, watchLater.uuid]) {
    for (const [visitor, status] of Object.entries(statuses) as [Visitor, number][]) {
      const answer = await site.call(`${method} /video-playlists/${id}${path}`, { token: tokens[visitor], body })
      expect([visitor, answer.status]).toEqual([visitor, status])
      if (status >= 400) expect(answer.headers.get('content-type')).toContain('application/problem+json')
    }
  }
  expect((await listOf(owner.token)).data[0]).toMatchObject({ displayName: 'Watch later', privacy: { id: 3 } })
})

test('refusals have the recorded words', async () => {
  const remove = await site.call(`DELETE /video-playlists/${watchLater.id}`, { token: owner.token })
  expect(remove.json).toMatchObject({ status: 400, detail: 'Cannot delete a watch later playlist.' })
  const foreign = await site.call(`POST /video-playlists/${watchLater.id}/videos`, { token: other.token, body: { videoId: video.id } })
  expect(foreign.json).toMatchObject({ status: 403, detail: 'Cannot manage video playlist of another user' })
})

test('videos are saved, found by video, listed and removed; only by its owner', async () => {
  const add = async (token: string | undefined, body: object) =>
    await site.call(`POST /video-playlists/${watchLater.uuid}/videos`, { token, body })
  expect((await add(undefined, { videoId: video.id })).status).toBe(401)
  expect((await add(other.token, { videoId: video.id })).status).toBe(403)
  expect((await add(owner.token, { videoId: 999_999 })).status).toBe(404)
  expect((await add(owner.token, { videoId: "1' OR 1=1" })).status).toBe(400)
  const { id } = (await add(owner.token, { videoId: video.id })).json.videoPlaylistElement
  const exist = async (token: string | undefined) =>
    await site.call(`GET /users/me/video-playlists/videos-exist?videoIds[]=${video.id}`, { token })
  expect((await exist(owner.token)).json[video.id]).toEqual([
    expect.objectContaining({ playlistElementId: id, playlistId: watchLater.id, playlistDisplayName: 'Watch later' })
  ])
  expect((await exist(other.token)).json[video.id]).toEqual([])
  expect((await exist(undefined)).status).toBe(401)
  const elements = await site.call(`GET /video-playlists/${watchLater.uuid}/videos`, { token: owner.token })
  expect(elements.json).toMatchObject({ total: 1, data: [{ id, position: 1, type: 0, video: { uuid: video.uuid } }] })
  const remove = async (token: string | undefined) => await site.call(`DELETE /video-playlists/${watchLater.id}/videos/${id}`, { token })
  expect((await remove(undefined)).status).toBe(401)
  expect((await remove(other.token)).status).toBe(403)
  expect([(await remove(owner.token)).status, (await remove(owner.token)).status]).toEqual([204, 404])
  const added = await Promise.all(Array.from({ length: 5 }, async () => (await add(owner.token, { videoId: video.uuid })).status))
  expect(added.sort()).toEqual([200, 200, 200, 400, 400])
})

test('it does not count as one of those that a user may make, is in no public list and is no document', async () => {
  const create = async () => await site.call('POST /video-playlists', { token: owner.token, body: { displayName: 'Mine' } })
  expect([(await create()).status, (await create()).status]).toEqual([200, 400])
  expect((await site.call('GET /video-playlists?playlistType=2', { token: owner.token })).json.total).toBe(0)
  expect((await listOf(tokens.root, '')).total).toBe(0)
  const accept = 'application/activity+json'
  expect((await site.call(`GET //video-playlists/${watchLater.uuid}`, { headers: { accept } })).status).toBe(404)
  expect((await site.call('GET //accounts/ada/playlists', { headers: { accept } })).json.totalItems).toBe(0)
})
