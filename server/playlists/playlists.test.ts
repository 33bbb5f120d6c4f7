import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'

type User = { id: number; token: string; channelId: number; accountId: number }
const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'

let site: TestInstance
let peer: HostilePeer
let otherPeer: HostilePeer
let root: string
let ada: User
let bob: User
let videos: { id: number; uuid: string }[]
let privateVideo: { id: number; uuid: string }
let owner: HostileActor
let channel: HostileActor
let secondChannel: HostileActor
let otherOwner: HostileActor
let otherChannel: HostileActor

beforeAll(async () => {
  ;[site, peer, otherPeer] = await Promise.all([
    startTestInstance({
      internals: { playlists: { editsInterval: 300 }, outbox: { checkInterval: 200 } },
      playlists: { max_per_user: 4, max_elements: 12 }
    }),
    startHostilePeer(),
    startHostilePeer()
  ])
  root = await site.login()
  ada = await createUser('ada')
  bob = await createUser('bob')
  videos = []
  for (let index = 0; index < 4; index++) videos.push(await seedVideo({ channelId: ada.channelId }))
  privateVideo = await seedVideo({ channelId: ada.channelId, privacy: 3 })
  await runQuery(sql`UPDATE videos SET url = ${`${site.url}/videos/watch/`}::text || uuid`)
  owner = await peer.actor('owner')
  channel = await peer.actor('films', 'Group', { attributedTo: [{ type: 'Person', id: owner.url }] })
  secondChannel = await peer.actor('second', 'Group', { attributedTo: [{ type: 'Person', id: owner.url }] })
  otherOwner = await otherPeer.actor('stranger')
  otherChannel = await otherPeer.actor('evil', 'Group', { attributedTo: [{ type: 'Person', id: otherOwner.url }] })
  for (const [at, follower] of [
    [peer, owner],
    [otherPeer, otherOwner]
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
  await Promise.all([site.stop(), peer.stop(), otherPeer.stop()])
})

async function createUser(name: string): Promise<User> {
  const created = await site.user(name)
  const { json } = await site.call('GET /users/me', { token: created.token })
  return { ...created, accountId: json.account.id }
}
const createPlaylist = async (user: User, body: object) => await site.call('POST /video-playlists', { token: user.token, body })
const addElement = async (user: User, uuid: string, body: object) =>
  await site.call(`POST /video-playlists/${uuid}/videos`, { token: user.token, body })
const listElements = async (uuid: string, user?: User) =>
  (await site.call(`GET /video-playlists/${uuid}/videos`, user ? { token: user.token } : {})).json.data
const fetchActivityPub = async (url: string) => await peer.get(url, { headers: { accept: 'application/activity+json' } })
const waitForProcessing = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 20, 'quiet')
const deliveredActivities = (type: string, url: string) =>
  peer.received
    .filter(({ activity }) => activity.type === type && (activity.object?.id ?? activity.object) === url)
    .map(({ activity }) => activity)

test('owners create, fill, reorder, edit and delete playlists', async () => {
  expect((await createPlaylist(ada, { displayName: 'Nowhere', privacy: 1 })).json.detail).toBe(
    'Cannot set "public" or "unlisted" a playlist that is not assigned to a channel.'
  )
  expect((await createPlaylist(bob, { displayName: 'Not mine', privacy: 1, videoChannelId: ada.channelId })).status).toBe(400)
  expect((await createPlaylist(ada, { displayName: '' })).status).toBe(400)
  const { uuid, id, shortUUID } = (
    await createPlaylist(ada, { displayName: 'Evenings', description: 'For *evenings*', privacy: 1, videoChannelId: ada.channelId })
  ).json.videoPlaylist
  const ids: number[] = []
  for (const { id: videoId } of videos.slice(0, 3)) ids.push((await addElement(ada, uuid, { videoId })).json.videoPlaylistElement.id)
  ids.push(
    (await addElement(ada, shortUUID, { videoId: videos[0]!.uuid, startTimestamp: 1, stopTimestamp: 3 })).json.videoPlaylistElement.id
  )
  expect((await addElement(bob, uuid, { videoId: videos[0]!.id })).status).toBe(403)
  expect((await addElement(ada, uuid, { videoId: 999_999 })).status).toBe(404)
  expect((await addElement(bob, uuid, { videoId: privateVideo.uuid })).status).toBe(403)
  const reorder = async (startPosition: number, insertAfterPosition: number, reorderLength?: number) =>
    await site.call(`POST /video-playlists/${uuid}/videos/reorder`, {
      token: ada.token,
      body: { startPosition, insertAfterPosition, reorderLength }
    })
  const listOrder = async () => (await listElements(uuid)).map((one: { id: number }) => ids.indexOf(one.id))
  expect(await listOrder()).toEqual([0, 1, 2, 3])
  await reorder(1, 2)
  expect(await listOrder()).toEqual([1, 0, 2, 3])
  await reorder(3, 0, 2)
  expect(await listOrder()).toEqual([2, 3, 1, 0])
  await reorder(1, 4, 2)
  expect(await listOrder()).toEqual([1, 0, 2, 3])
  expect((await reorder(100, 2)).json.detail).toBe('Start position or insert after position exceed the playlist limits (max: 4)')
  expect((await reorder(4, 0, 2)).status).toBe(400)
  expect(await listOrder()).toEqual([1, 0, 2, 3])
  await site.call(`PUT /video-playlists/${id}/videos/${ids[1]}`, { token: ada.token, body: { stopTimestamp: 2 } })
  await site.call(`DELETE /video-playlists/${id}/videos/${ids[0]}`, { token: ada.token })
  expect(await listElements(uuid)).toMatchObject([
    { id: ids[1], position: 1, startTimestamp: null, stopTimestamp: 2, type: 0, video: { uuid: videos[1]!.uuid } },
    { id: ids[2], position: 2 },
    { id: ids[3], position: 3, startTimestamp: 1, stopTimestamp: 3 }
  ])
  expect(
    (
      await site.call(`GET /users/me/video-playlists/videos-exist?videoIds[]=${videos[0]!.id}&videoIds[]=${videos[3]!.id}`, {
        token: ada.token
      })
    ).json
  ).toMatchObject({
    [videos[0]!.id]: [{ playlistElementId: ids[3], playlistId: id, playlistDisplayName: 'Evenings', startTimestamp: 1 }],
    [videos[3]!.id]: []
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

test('private playlists are visible to their owner, unlisted ones by UUID, and hidden videos only as a position', async () => {
  const privatePlaylist = (await createPlaylist(ada, { displayName: 'Hidden' })).json.videoPlaylist
  expect((await site.call(`GET /video-playlists/${privatePlaylist.uuid}`)).status).toBe(401)
  expect((await site.call(`GET /video-playlists/${privatePlaylist.uuid}`, { token: bob.token })).status).toBe(403)
  expect((await site.call(`GET /video-playlists/${privatePlaylist.uuid}`, { token: ada.token })).json.displayName).toBe('Hidden')
  const unlisted = (await createPlaylist(ada, { displayName: 'Unlisted', privacy: 2, videoChannelId: ada.channelId })).json.videoPlaylist
  await addElement(ada, unlisted.uuid, { videoId: privateVideo.id })
  await addElement(ada, unlisted.uuid, { videoId: videos[0]!.id })
  expect([
    (await site.call(`GET /video-playlists/${unlisted.id}`)).status,
    (await site.call(`GET /video-playlists/${unlisted.uuid}`)).status
  ]).toEqual([404, 200])
  expect(await listElements(unlisted.uuid)).toMatchObject([
    { type: 2, video: null, position: 1 },
    { type: 0, video: { uuid: videos[0]!.uuid } }
  ])
  // As recorded: the owner of the video sees it in any list, moderators do not.
  expect(await listElements(unlisted.uuid, ada)).toMatchObject([{ type: 0, video: { uuid: privateVideo.uuid } }, { type: 0 }])
  expect(await listElements(unlisted.uuid, bob)).toMatchObject([{ type: 2, video: null }, { type: 0 }])
  expect((await site.call(`GET /video-playlists/${unlisted.uuid}/videos`, { token: root })).json.data[0]).toMatchObject({
    type: 2,
    video: null
  })
  expect((await site.call('GET /accounts/ada/video-playlists')).json.total).toBe(0)
  expect((await site.call('GET /accounts/ada/video-playlists?playlistType=1', { token: ada.token })).json.total).toBe(2)
  // Moderators see the private playlists of others by their address only.
  expect((await site.call('GET /accounts/ada/video-playlists', { token: root })).json.total).toBe(0)
  // docs/federation.md#hidden-objects
  expect((await fetchActivityPub(`${site.url}/video-playlists/${privatePlaylist.uuid}`)).status).toBe(404)
  const publicDocument = (await fetchActivityPub(`${site.url}/video-playlists/${unlisted.uuid}?page=1`)).json
  expect(publicDocument).toMatchObject({ to: [], totalItems: 1, orderedItems: [expect.stringContaining('/videos/')] })
  expect(JSON.stringify(publicDocument)).not.toContain(privateVideo.uuid)
  for (let count = 2; count < 4; count++) expect((await createPlaylist(ada, { displayName: `More ${count}` })).status).toBe(200)
  expect((await createPlaylist(ada, { displayName: 'Too many' })).status).toBe(400)
  for (const { uuid } of (await site.call('GET /accounts/ada/video-playlists?playlistType=1', { token: ada.token })).json.data)
    await site.call(`DELETE /video-playlists/${uuid}`, { token: ada.token })
})

test('followers receive a public playlist, one Update for many edits, and its deletion', async () => {
  const { uuid } = (await createPlaylist(ada, { displayName: 'Told', privacy: 1, videoChannelId: ada.channelId })).json.videoPlaylist
  const url = `${site.url}/video-playlists/${uuid}`
  const [created] = await eventually(
    async () => deliveredActivities('Create', url).length > 0 && deliveredActivities('Create', url),
    10,
    'the Create'
  )
  expect(created).toMatchObject({
    actor: `${site.url}/accounts/ada`,
    to: [PUBLIC],
    cc: [`${site.url}/accounts/ada/followers`],
    object: { type: 'Playlist', name: 'Told', totalItems: 0, uuid, attributedTo: [`${site.url}/video-channels/ada_channel`] }
  })
  const elements: number[] = []
  for (let count = 0; count < 12; count++)
    elements.push((await addElement(ada, uuid, { videoId: videos[count % 4]!.id })).json.videoPlaylistElement.id)
  expect((await addElement(ada, uuid, { videoId: videos[0]!.id })).status).toBe(400)
  await eventually(async () => deliveredActivities('Update', url).some(({ object }) => object.totalItems === 12), 10, 'the Update')
  expect(deliveredActivities('Update', url).length).toBeLessThan(8)
  const first = (await fetchActivityPub(`${url}?page=1`)).json
  const last = (await fetchActivityPub(first.next)).json
  expect([first.orderedItems.length, last.orderedItems.length, last.next]).toEqual([10, 2, undefined])
  expect((await fetchActivityPub(first.orderedItems[0])).json).toMatchObject({
    type: 'PlaylistElement',
    id: `${url}/videos/${elements[0]}`,
    url: `${site.url}/videos/watch/${videos[0]!.uuid}`,
    position: 1
  })
  expect((await fetchActivityPub(`${site.url}/accounts/ada/playlists?page=1`)).json.orderedItems).toEqual([url])
  expect((await fetchActivityPub(`${site.url}/video-channels/ada_channel/playlists?page=1`)).json.orderedItems).toEqual([url])
  await site.call(`PUT /video-playlists/${uuid}`, { token: ada.token, body: { privacy: 3 } })
  await eventually(async () => deliveredActivities('Delete', url).length === 1, 10, 'the Delete')
  expect((await fetchActivityPub(url)).status).toBe(404)
})

/** Serves a playlist with its elements at the peer. */
function serveRemotePlaylist(videos: string[], more: object = {}, at = peer, of = channel): { id: string; [key: string]: unknown } {
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
const deliver = async (type: string, object: any, by = owner, at = peer) => {
  await at.post(`${site.url}/inbox`, { type, id: at.id(), actor: by.url, to: [PUBLIC], object })
  await waitForProcessing()
}
const findPlaylist = async (url: string) =>
  (
    await runQuery<{ id: number; uuid: string; name: string; elements: number }>(
      sql`SELECT id, uuid, name, (SELECT count(*)::int FROM playlist_elements WHERE playlist_id = playlists.id) AS elements FROM playlists
        WHERE url = ${url}`
    )
  )[0]

test('a remote playlist is shown with its videos, and edited and deleted by its owner only', async () => {
  const playlist = serveRemotePlaylist([
    `${site.url}/videos/watch/${videos[0]!.uuid}`,
    `${site.url}/videos/watch/${privateVideo.uuid}`,
    `${peer.url}/videos/watch/nothing`
  ])
  await deliver('Create', playlist)
  const row = await eventually(
    async () => {
      const found = await findPlaylist(playlist.id)
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
    videoChannel: { host: peer.host, name: 'films' }
  })
  expect(await listElements(row.uuid)).toMatchObject([{ position: 1, startTimestamp: 2, video: { uuid: videos[0]!.uuid } }])
  expect((await site.call(`GET /video-channels/films@${peer.host}/video-playlists`)).json.total).toBe(1)
  expect((await fetchActivityPub(`${site.url}/video-playlists/${row.uuid}`)).headers.location).toBe(playlist.id)
  await deliver('Update', { ...playlist, name: 'Later', updated: '2026-11-02T00:00:00.000Z' })
  await deliver('Update', { ...playlist, name: 'Earlier', updated: '2026-10-02T00:00:00.000Z' })
  expect((await findPlaylist(playlist.id))!.name).toBe('Later')
  expect((await site.call(`PUT /video-playlists/${row.uuid}`, { token: root, body: { displayName: 'Ours' } })).status).toBe(403)
  await deliver('Delete', playlist.id, otherOwner, otherPeer)
  expect(await findPlaylist(playlist.id)).toBeTruthy()
  const { pathname } = new URL(playlist.id)
  peer.refuse(pathname, 404)
  const isDeleted = async () => (await findPlaylist(playlist.id)) === undefined
  await deliver('Delete', playlist.id)
  await eventually(isDeleted, 10, 'the deletion')
  await deliver('Create', { ...playlist, updated: '2026-11-03T00:00:00.000Z' })
  expect(await isDeleted()).toBe(true)
  // Public again, as PeerTube sends it, and private again.
  peer.refuse(pathname, null)
  await deliver('Update', playlist)
  await eventually(async () => !(await isDeleted()), 10, 'the playlist')
  peer.refuse(pathname, 404)
  await deliver('Delete', playlist.id)
  await eventually(isDeleted, 10, 'the second deletion')
})

test("playlists cannot be created or changed on behalf of another account's channel", async () => {
  const playlist = serveRemotePlaylist([])
  await deliver('Create', playlist)
  expect(await findPlaylist(playlist.id)).toMatchObject({ name: 'From afar' })
  for (const [object, by, at] of [
    [serveRemotePlaylist([], { attributedTo: [channel.url] }, otherPeer, otherChannel), otherOwner, otherPeer],
    [serveRemotePlaylist([], { attributedTo: [otherChannel.url, channel.url] }, otherPeer, otherChannel), otherOwner, otherPeer],
    [serveRemotePlaylist([], { attributedTo: [] }, otherPeer, otherChannel), otherOwner, otherPeer],
    [serveRemotePlaylist([], { attributedTo: [`${site.url}/video-channels/ada_channel`] }, otherPeer, otherChannel), otherOwner, otherPeer],
    [serveRemotePlaylist([]), await peer.actor('other'), peer]
  ] as const) {
    await deliver('Create', object, by, at)
    expect(await findPlaylist(object.id)).toBeUndefined()
  }
  await deliver(
    'Update',
    { ...playlist, name: 'Taken', attributedTo: [otherChannel.url], updated: '2026-11-09T00:00:00.000Z' },
    otherOwner,
    otherPeer
  )
  await deliver('Update', { ...playlist, name: 'Taken', updated: '2026-11-09T00:00:00.000Z' }, otherOwner, otherPeer)
  expect((await findPlaylist(playlist.id))!.name).toBe('From afar')
  await deliver('Update', { ...playlist, name: 'Moved', attributedTo: [secondChannel.url], updated: '2026-11-09T00:00:00.000Z' })
  expect((await site.call(`GET /video-playlists/${(await findPlaylist(playlist.id))!.uuid}`)).json.videoChannel.name).toBe('second')
})

test('malformed playlists and elements are ignored without errors', async () => {
  for (const junk of [null, 7, [], {}, 'x'.repeat(10_000)]) {
    for (const field of ['name', 'uuid', 'published', 'updated', 'attributedTo', 'id']) {
      const object = serveRemotePlaylist([], { [field]: junk })
      await peer.post(`${site.url}/inbox`, {
        type: 'Create',
        id: peer.id(),
        actor: owner.url,
        to: [PUBLIC],
        object: { ...object, [field]: junk }
      })
    }
  }
  await waitForProcessing()
  expect(await runQuery(sql`SELECT outcome FROM incoming WHERE outcome LIKE 'failed%' OR outcome LIKE '%TypeError%'`)).toEqual([])
  const playlist = serveRemotePlaylist([
    `${site.url}/videos/watch/${videos[0]!.uuid}`,
    'javascript:alert(1)',
    `${site.url}/videos/watch/${videos[1]!.uuid}`
  ])
  peer.serve(`${new URL(playlist.id).pathname}/videos/3`, {
    type: 'PlaylistElement',
    id: `${playlist.id}/videos/3`,
    url: `${site.url}/videos/watch/${videos[1]!.uuid}`,
    position: -1
  })
  await deliver('Create', playlist)
  await eventually(async () => (await findPlaylist(playlist.id))?.elements === 1, 10, 'the only element that is one')
})
