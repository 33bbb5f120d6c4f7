import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'

type User = { id: number; token: string; channelId: number; accountId: number }
const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'

let site: TestInstance
let good: HostilePeer
let evil: HostilePeer
let root: string
let ada: User
let bob: User
let films: { id: number; uuid: string }[]
let secret: { id: number; uuid: string }
let owner: HostileActor
let channel: HostileActor
let second: HostileActor
let stranger: HostileActor
let evilChannel: HostileActor

beforeAll(async () => {
  ;[site, good, evil] = await Promise.all([
    startTestInstance({
      federation: { playlists: { edits_interval: 300 }, outbox: { check_interval: 200 } },
      playlists: { max_per_user: 4, max_elements: 12 }
    }),
    startHostilePeer(),
    startHostilePeer()
  ])
  root = await site.login()
  ada = await user('ada')
  bob = await user('bob')
  films = []
  for (let index = 0; index < 4; index++) films.push(await seedVideo({ channelId: ada.channelId }))
  secret = await seedVideo({ channelId: ada.channelId, privacy: 3 })
  await runQuery(sql`UPDATE videos SET url = ${`${site.url}/videos/watch/`}::text || uuid`)
  owner = await good.actor('owner')
  channel = await good.actor('films', 'Group', { attributedTo: [{ type: 'Person', id: owner.url }] })
  second = await good.actor('second', 'Group', { attributedTo: [{ type: 'Person', id: owner.url }] })
  stranger = await evil.actor('stranger')
  evilChannel = await evil.actor('evil', 'Group', { attributedTo: [{ type: 'Person', id: stranger.url }] })
  for (const [at, follower] of [
    [good, owner],
    [evil, stranger]
  ] as const) {
    await at.post(`${site.url}/inbox`, {
      type: 'Follow',
      id: at.id(),
      actor: follower.url,
      object: `${site.url}/video-channels/ada_channel`
    })
  }
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM follows WHERE state = 'accepted'`)).length === 2, 20, 'the follows')
}, 120_000)
afterAll(async () => {
  await Promise.all([site.stop(), good.stop(), evil.stop()])
})

async function user(name: string): Promise<User> {
  const made = await site.user(name)
  const { json } = await site.call('GET /users/me', { token: made.token })
  return { ...made, accountId: json.account.id }
}
const make = async (who: User, body: object) => await site.call('POST /video-playlists', { token: who.token, body })
const add = async (who: User, uuid: string, body: object) =>
  await site.call(`POST /video-playlists/${uuid}/videos`, { token: who.token, body })
const inside = async (uuid: string, who?: User) =>
  (await site.call(`GET /video-playlists/${uuid}/videos`, who ? { token: who.token } : {})).json.data
const document = async (url: string) => await good.get(url, { headers: { accept: 'application/activity+json' } })
const quiet = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 20, 'quiet')
const told = (type: string, url: string) =>
  good.received
    .filter(({ activity }) => activity.type === type && (activity.object?.id ?? activity.object) === url)
    .map(({ activity }) => activity)

test('playlists are made, filled, put in order, edited and deleted by their owner', async () => {
  expect((await make(ada, { displayName: 'Nowhere', privacy: 1 })).json.detail).toBe(
    'Cannot set "public" or "unlisted" a playlist that is not assigned to a channel.'
  )
  expect((await make(bob, { displayName: 'Not mine', privacy: 1, videoChannelId: ada.channelId })).status).toBe(400)
  expect((await make(ada, { displayName: '' })).status).toBe(400)
  const { uuid, id, shortUUID } = (
    await make(ada, { displayName: 'Evenings', description: 'For *evenings*', privacy: 1, videoChannelId: ada.channelId })
  ).json.videoPlaylist
  const ids: number[] = []
  for (const { id: videoId } of films.slice(0, 3)) ids.push((await add(ada, uuid, { videoId })).json.videoPlaylistElement.id)
  ids.push((await add(ada, shortUUID, { videoId: films[0]!.uuid, startTimestamp: 1, stopTimestamp: 3 })).json.videoPlaylistElement.id)
  expect((await add(bob, uuid, { videoId: films[0]!.id })).status).toBe(403)
  expect((await add(ada, uuid, { videoId: 999_999 })).status).toBe(404)
  expect((await add(bob, uuid, { videoId: secret.uuid })).status).toBe(403)
  const move = async (startPosition: number, insertAfterPosition: number, reorderLength?: number) =>
    await site.call(`POST /video-playlists/${uuid}/videos/reorder`, {
      token: ada.token,
      body: { startPosition, insertAfterPosition, reorderLength }
    })
  const order = async () => (await inside(uuid)).map((one: { id: number }) => ids.indexOf(one.id))
  expect(await order()).toEqual([0, 1, 2, 3])
  await move(1, 2)
  expect(await order()).toEqual([1, 0, 2, 3])
  await move(3, 0, 2)
  expect(await order()).toEqual([2, 3, 1, 0])
  await move(1, 4, 2)
  expect(await order()).toEqual([1, 0, 2, 3])
  expect((await move(100, 2)).json.detail).toBe('Start position or insert after position exceed the playlist limits (max: 4)')
  expect((await move(4, 0, 2)).status).toBe(400)
  expect(await order()).toEqual([1, 0, 2, 3])
  await site.call(`PUT /video-playlists/${id}/videos/${ids[1]}`, { token: ada.token, body: { stopTimestamp: 2 } })
  await site.call(`DELETE /video-playlists/${id}/videos/${ids[0]}`, { token: ada.token })
  expect(await inside(uuid)).toMatchObject([
    { id: ids[1], position: 1, startTimestamp: null, stopTimestamp: 2, type: 0, video: { uuid: films[1]!.uuid } },
    { id: ids[2], position: 2 },
    { id: ids[3], position: 3, startTimestamp: 1, stopTimestamp: 3 }
  ])
  expect(
    (
      await site.call(`GET /users/me/video-playlists/videos-exist?videoIds[]=${films[0]!.id}&videoIds[]=${films[3]!.id}`, {
        token: ada.token
      })
    ).json
  ).toMatchObject({
    [films[0]!.id]: [{ playlistElementId: ids[3], playlistId: id, playlistDisplayName: 'Evenings', startTimestamp: 1 }],
    [films[3]!.id]: []
  })
  expect((await site.call(`GET /video-playlists/${shortUUID}`)).json).toMatchObject({
    id,
    uuid,
    displayName: 'Evenings',
    description: 'For *evenings*',
    privacy: { id: 1, label: 'Public' },
    videosLength: 3,
    isLocal: true,
    ownerAccount: { name: 'ada' },
    videoChannel: { name: 'ada_channel' },
    url: `${site.url}/video-playlists/${uuid}`
  })
  for (const path of ['/video-playlists', '/accounts/ada/video-playlists', '/video-channels/ada_channel/video-playlists'])
    expect((await site.call(`GET ${path}`)).json).toMatchObject({ total: 1, data: [{ uuid }] })
  expect((await site.call(`PUT /video-playlists/${uuid}`, { token: bob.token, body: { displayName: 'nope' } })).status).toBe(403)
  expect((await site.call(`DELETE /video-playlists/${uuid}`, { token: bob.token })).status).toBe(403)
  expect((await site.call(`DELETE /video-playlists/${uuid}`, { token: ada.token })).status).toBe(204)
  expect((await site.call(`GET /video-playlists/${uuid}`)).status).toBe(404)
})

test('private ones are for their owner, unlisted ones for who has the address, and of videos nobody may see only the place is told', async () => {
  const hidden = (await make(ada, { displayName: 'Hidden' })).json.videoPlaylist
  expect((await site.call(`GET /video-playlists/${hidden.uuid}`)).status).toBe(401)
  expect((await site.call(`GET /video-playlists/${hidden.uuid}`, { token: bob.token })).status).toBe(403)
  expect((await site.call(`GET /video-playlists/${hidden.uuid}`, { token: ada.token })).json.displayName).toBe('Hidden')
  const unlisted = (await make(ada, { displayName: 'Unlisted', privacy: 2, videoChannelId: ada.channelId })).json.videoPlaylist
  await add(ada, unlisted.uuid, { videoId: secret.id })
  await add(ada, unlisted.uuid, { videoId: films[0]!.id })
  expect([
    (await site.call(`GET /video-playlists/${unlisted.id}`)).status,
    (await site.call(`GET /video-playlists/${unlisted.uuid}`)).status
  ]).toEqual([404, 200])
  expect(await inside(unlisted.uuid)).toMatchObject([
    { type: 2, video: null, position: 1 },
    { type: 0, video: { uuid: films[0]!.uuid } }
  ])
  expect((await site.call('GET /accounts/ada/video-playlists')).json.total).toBe(0)
  expect((await site.call('GET /accounts/ada/video-playlists', { token: ada.token })).json.total).toBe(2)
  // 4.40
  expect((await document(`${site.url}/video-playlists/${hidden.uuid}`)).status).toBe(404)
  const shown = (await document(`${site.url}/video-playlists/${unlisted.uuid}?page=1`)).json
  expect(shown).toMatchObject({ to: [], totalItems: 1, orderedItems: [expect.stringContaining('/videos/')] })
  expect(JSON.stringify(shown)).not.toContain(secret.uuid)
  for (let count = 2; count < 4; count++) expect((await make(ada, { displayName: `More ${count}` })).status).toBe(200)
  expect((await make(ada, { displayName: 'Too many' })).status).toBe(400)
  for (const { uuid } of (await site.call('GET /accounts/ada/video-playlists', { token: ada.token })).json.data)
    await site.call(`DELETE /video-playlists/${uuid}`, { token: ada.token })
})

test('followers hear of a public playlist, of many edits in one Update, and of its end', async () => {
  const { uuid } = (await make(ada, { displayName: 'Told', privacy: 1, videoChannelId: ada.channelId })).json.videoPlaylist
  const url = `${site.url}/video-playlists/${uuid}`
  const [created] = await eventually(async () => told('Create', url).length > 0 && told('Create', url), 10, 'the Create')
  expect(created).toMatchObject({
    actor: `${site.url}/accounts/ada`,
    to: [PUBLIC],
    cc: [`${site.url}/accounts/ada/followers`],
    object: { type: 'Playlist', name: 'Told', totalItems: 0, uuid, attributedTo: [`${site.url}/video-channels/ada_channel`] }
  })
  const elements: number[] = []
  for (let count = 0; count < 12; count++)
    elements.push((await add(ada, uuid, { videoId: films[count % 4]!.id })).json.videoPlaylistElement.id)
  expect((await add(ada, uuid, { videoId: films[0]!.id })).status).toBe(400)
  await eventually(async () => told('Update', url).some(({ object }) => object.totalItems === 12), 10, 'the Update')
  expect(told('Update', url).length).toBeLessThan(8)
  const first = (await document(`${url}?page=1`)).json
  const last = (await document(first.next)).json
  expect([first.orderedItems.length, last.orderedItems.length, last.next]).toEqual([10, 2, undefined])
  expect((await document(first.orderedItems[0])).json).toMatchObject({
    type: 'PlaylistElement',
    id: `${url}/videos/${elements[0]}`,
    url: `${site.url}/videos/watch/${films[0]!.uuid}`,
    position: 1
  })
  expect((await document(`${site.url}/accounts/ada/playlists?page=1`)).json.orderedItems).toEqual([url])
  expect((await document(`${site.url}/video-channels/ada_channel/playlists?page=1`)).json.orderedItems).toEqual([url])
  await site.call(`PUT /video-playlists/${uuid}`, { token: ada.token, body: { privacy: 3 } })
  await eventually(async () => told('Delete', url).length === 1, 10, 'the Delete')
  expect((await document(url)).status).toBe(404)
})

/** A playlist of the good server, served there with its elements. */
function elsewhere(videos: string[], more: object = {}, at = good, of = channel): { id: string; [key: string]: unknown } {
  const uuid = randomUUID()
  const id = `${at.url}/video-playlists/${uuid}`
  const playlist = {
    type: 'Playlist',
    id,
    uuid,
    name: 'From afar',
    content: 'Words',
    mediaType: 'text/markdown',
    totalItems: videos.length,
    published: '2026-11-01T00:00:00.000Z',
    updated: '2026-11-01T00:00:00.000Z',
    attributedTo: [of.url],
    to: [PUBLIC],
    cc: [],
    ...more
  }
  const elements = videos.map((url, index) => ({
    type: 'PlaylistElement',
    id: `${id}/videos/${index + 1}`,
    url,
    position: index + 1,
    startTimestamp: 2
  }))
  for (const element of elements) at.serve(new URL(element.id).pathname, element)
  at.serve(new URL(id).pathname, { ...playlist, first: `${id}?page=1` })
  at.serve(`${new URL(id).pathname}?page=1`, {
    ...playlist,
    id: `${id}?page=1`,
    partOf: id,
    orderedItems: elements.map(element => element.id)
  })
  return playlist
}
const say = async (type: string, object: any, by = owner, at = good) => {
  await at.post(`${site.url}/inbox`, { type, id: at.id(), actor: by.url, to: [PUBLIC], object })
  await quiet()
}
const known = async (url: string) =>
  (
    await runQuery<{ id: number; uuid: string; name: string; elements: number }>(
      sql`SELECT id, uuid, name, (SELECT count(*)::int FROM playlist_elements WHERE playlist_id = playlists.id) AS elements FROM playlists WHERE url = ${url}`
    )
  )[0]

test('a playlist of another server is shown with its videos, edited and deleted by its owner alone', async () => {
  const playlist = elsewhere([
    `${site.url}/videos/watch/${films[0]!.uuid}`,
    `${site.url}/videos/watch/${secret.uuid}`,
    `${good.url}/videos/watch/nothing`
  ])
  await say('Create', playlist)
  const row = await eventually(
    async () => {
      const found = await known(playlist.id)
      return found?.elements === 1 && found
    },
    10,
    'the elements'
  )
  expect((await site.call(`GET /video-playlists/${row.uuid}`)).json).toMatchObject({
    displayName: 'From afar',
    isLocal: false,
    url: playlist.id,
    videosLength: 1,
    videoChannel: { host: good.host, name: 'films' }
  })
  expect(await inside(row.uuid)).toMatchObject([{ position: 1, startTimestamp: 2, video: { uuid: films[0]!.uuid } }])
  expect((await site.call(`GET /video-channels/films@${good.host}/video-playlists`)).json.total).toBe(1)
  expect((await document(`${site.url}/video-playlists/${row.uuid}`)).headers.location).toBe(playlist.id)
  await say('Update', { ...playlist, name: 'Later', updated: '2026-11-02T00:00:00.000Z' })
  await say('Update', { ...playlist, name: 'Earlier', updated: '2026-10-02T00:00:00.000Z' })
  expect((await known(playlist.id))!.name).toBe('Later')
  expect((await site.call(`PUT /video-playlists/${row.uuid}`, { token: root, body: { displayName: 'Ours' } })).status).toBe(403)
  await say('Delete', playlist.id, stranger, evil)
  expect(await known(playlist.id)).toBeTruthy()
  await say('Delete', playlist.id)
  expect(await known(playlist.id)).toBeUndefined()
  await say('Create', { ...playlist, updated: '2026-11-03T00:00:00.000Z' })
  expect(await known(playlist.id)).toBeUndefined()
})

test('nobody makes or changes a playlist in the name of somebody else’s channel', async () => {
  const mine = elsewhere([])
  await say('Create', mine)
  expect(await known(mine.id)).toMatchObject({ name: 'From afar' })
  for (const [object, by, at] of [
    [elsewhere([], { attributedTo: [channel.url] }, evil, evilChannel), stranger, evil],
    [elsewhere([], { attributedTo: [evilChannel.url, channel.url] }, evil, evilChannel), stranger, evil],
    [elsewhere([], { attributedTo: [] }, evil, evilChannel), stranger, evil],
    [elsewhere([], { attributedTo: [`${site.url}/video-channels/ada_channel`] }, evil, evilChannel), stranger, evil],
    [elsewhere([]), await good.actor('other'), good]
  ] as const) {
    await say('Create', object, by, at)
    expect(await known(object.id)).toBeUndefined()
  }
  await say('Update', { ...mine, name: 'Taken', attributedTo: [evilChannel.url], updated: '2026-11-09T00:00:00.000Z' }, stranger, evil)
  await say('Update', { ...mine, name: 'Taken', updated: '2026-11-09T00:00:00.000Z' }, stranger, evil)
  expect((await known(mine.id))!.name).toBe('From afar')
  await say('Update', { ...mine, name: 'Moved', attributedTo: [second.url], updated: '2026-11-09T00:00:00.000Z' })
  expect((await site.call(`GET /video-playlists/${(await known(mine.id))!.uuid}`)).json.videoChannel.name).toBe('second')
})

test('playlists and elements of any shape have no effect and break nothing', async () => {
  for (const junk of [null, 7, [], {}, 'x'.repeat(10_000)]) {
    for (const field of ['name', 'uuid', 'published', 'updated', 'attributedTo', 'id']) {
      const object = elsewhere([], { [field]: junk })
      await good.post(`${site.url}/inbox`, {
        type: 'Create',
        id: good.id(),
        actor: owner.url,
        to: [PUBLIC],
        object: { ...object, [field]: junk }
      })
    }
  }
  await quiet()
  expect(await runQuery(sql`SELECT outcome FROM incoming WHERE outcome LIKE 'failed%' OR outcome LIKE '%TypeError%'`)).toEqual([])
  const playlist = elsewhere([
    `${site.url}/videos/watch/${films[0]!.uuid}`,
    'javascript:alert(1)',
    `${site.url}/videos/watch/${films[1]!.uuid}`
  ])
  good.serve(`${new URL(playlist.id).pathname}/videos/3`, {
    type: 'PlaylistElement',
    id: `${playlist.id}/videos/3`,
    url: `${site.url}/videos/watch/${films[1]!.uuid}`,
    position: -1
  })
  await say('Create', playlist)
  await eventually(async () => (await known(playlist.id))?.elements === 1, 10, 'the only element that is one')
})
