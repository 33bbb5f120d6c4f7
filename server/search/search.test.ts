import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { shortUuid } from '../../shared/short-uuid.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { seedVideo } from '../test/seed-video.ts'
import { runQuery, sql } from '../core/sql.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
let site: TestInstance
let alice: Awaited<ReturnType<TestInstance['user']>>
let peer: HostilePeer
let owner: HostileActor
let channel: HostileActor
let remoteVideo: any
const searchVideos = async (text: string, token?: string) =>
  (await site.call(`GET /search/videos?search=${encodeURIComponent(text)}`, { token })).json
const searchChannels = async (text: string, token?: string) =>
  (await site.call(`GET /search/video-channels?search=${encodeURIComponent(text)}`, { token })).json

beforeAll(async () => {
  site = await startTestInstance({ search: { remote_uri: { anonymous: false } } })
  alice = await site.user('alice')
  peer = await startHostilePeer()
  owner = await peer.actor('owner')
  channel = await peer.actor('films', 'Group', { name: 'Far films', attributedTo: [{ type: 'Person', id: owner.url }] })
  const id = `${peer.url}/videos/watch/${randomUUID()}`
  remoteVideo = {
    type: 'Video',
    id,
    uuid: id.split('/').at(-1),
    name: 'A far film',
    duration: 'PT1S',
    views: 0,
    published: '2026-01-01T00:00:00Z',
    updated: '2026-01-01T00:00:00Z',
    to: [PUBLIC],
    cc: [],
    url: [{ type: 'Link', mediaType: 'video/mp4', href: `${id}.mp4`, height: 720, size: 1, fps: 25 }],
    icon: [{ type: 'Image', url: `${id}.jpg`, mediaType: 'image/jpeg', width: 280, height: 157 }],
    attributedTo: [
      { type: 'Person', id: owner.url },
      { type: 'Group', id: channel.url }
    ]
  }
  peer.serve(new URL(id).pathname, remoteVideo)
  peer.serve(`/w/short`, remoteVideo)
  const outbox = `${channel.url}/outbox`
  peer.serve(new URL(outbox).pathname, { type: 'OrderedCollection', id: outbox, totalItems: 1, first: `${outbox}?page=1` })
  peer.serve(`${new URL(outbox).pathname}?page=1`, {
    type: 'OrderedCollectionPage',
    id: `${outbox}?page=1`,
    orderedItems: [{ type: 'Announce', id: `${id}/announces/1`, actor: channel.url, object: id }]
  })
})
afterAll(async () => {
  await peer?.stop()
  await site?.stop()
})

it('finds local videos by text and by URL, and fetches nothing for anonymous users', async () => {
  const { uuid } = await seedVideo({ channelId: alice.channelId })
  await runQuery(sql`UPDATE videos SET name = 'Élan of seeds', url = ${`${site.url}/videos/watch/${uuid}`} WHERE uuid = ${uuid}::uuid`)
  for (const text of [
    'elan',
    `${site.url}/videos/watch/${uuid}`,
    `${site.url}/w/${(await site.call(`GET /videos/${uuid}`)).json.shortUUID}`
  ])
    expect(
      (await searchVideos(text)).data.map((one: any) => one.uuid),
      text
    ).toEqual([uuid])
  expect(await searchVideos('nothing like it')).toEqual({ total: 0, data: [] })
  expect(await searchVideos(remoteVideo.id)).toEqual({ total: 0, data: [], refusal: 'not_allowed' })
  expect(await searchChannels(`films@${peer.host}`)).toEqual({ total: 0, data: [] })
  expect(peer.asked).toEqual([])
  expect((await site.call('GET /search/videos?search=x&searchTarget=search-index')).json).toMatchObject({
    status: 400,
    detail: 'Incorrect request parameters: searchTarget'
  })
})

it('fetches a channel by handle and by URL, and crawls its videos', async () => {
  expect((await searchChannels(`films@${peer.host}`, alice.token)).data[0]).toMatchObject({
    name: 'films',
    host: peer.host,
    displayName: 'Far films',
    isLocal: false,
    ownerAccount: { name: 'owner' }
  })
  for (const handle of [
    `@films@${peer.host}`,
    `!films@${peer.host}`,
    `acct:films@${peer.host}`,
    `ACCT:@films@${peer.host}`,
    'acct:alice_channel@'
  ])
    expect((await searchChannels(handle.endsWith('@') ? handle + new URL(site.url).host : handle, alice.token)).total, handle).toBe(1)
  expect((await searchChannels(channel.url)).total).toBe(1)
  await eventually(
    async () => (await site.call(`GET /video-channels/films@${peer.host}/videos`, { token: alice.token })).json.total === 1,
    10,
    'the page'
  )
  await eventually(
    async () => {
      const { json } = await site.call(`GET /video-channels/films@${peer.host}/reading`)
      return json.known === 1 && json.total === 1 && !json.reading
    },
    10,
    'the end of the reading'
  )
  expect((await searchChannels('far films')).total).toBe(1)
  expect((await site.call(`GET /search/video-channels?handles[]=films@${peer.host}&handles[]=alice_channel`)).json.total).toBe(2)
})

it('finds a local channel by every address that leads to it', async () => {
  const host = new URL(site.url).host
  for (const text of [
    'alice_channel',
    '@alice_channel',
    '!alice_channel',
    'Alice_Channel',
    `alice_channel@${host}`,
    `@ALICE_channel@${host}`,
    `!alice_channel@${host}`,
    `acct:alice_channel@${host}`,
    ...['c/alice_channel', 'c/alice_channel/videos', 'video-channels/alice_channel', '@alice_channel', `c/alice_channel@${host}`].flatMap(
      path => [`${site.url}/${path}`, `${site.url}/${path}/`, `${host}/${path}`]
    ),
    `${site.url}/c/Alice_Channel?a=b#c`,
    `${site.url.toUpperCase()}/c/alice_channel`
  ])
    for (const token of [undefined, alice.token])
      expect([text, (await searchChannels(text, token)).data.map((one: any) => one.name)]).toEqual([text, ['alice_channel']])
  expect((await searchChannels(`nobody@${host}`)).total).toBe(0)
  expect((await searchChannels(`${site.url}/c/nobody`)).total).toBe(0)
})

it('the nearest names come first', async () => {
  for (const name of ['A long talk about ospreys and other birds', 'Ospreys', 'Many ospreys']) {
    const { id } = await seedVideo({ channelId: alice.channelId })
    await runQuery(sql`UPDATE videos SET name = ${name} WHERE id = ${id}`)
  }
  const names = async (sort: string) => (await site.call(`GET /search/videos?search=ospreys${sort}`)).json.data.map((one: any) => one.name)
  const nearest = ['Ospreys', 'Many ospreys', 'A long talk about ospreys and other birds']
  expect(await names('')).toEqual(nearest)
  expect(await names('&sort=-match')).toEqual(nearest)
  expect(await names('&sort=match')).toEqual([...nearest].reverse())
  expect(await names('&sort=-name')).toEqual(['Ospreys', 'Many ospreys', 'A long talk about ospreys and other birds'])
  expect(await names('&sort=publishedAt')).toEqual(['A long talk about ospreys and other birds', 'Ospreys', 'Many ospreys'])
})

it('fetches a video by its id and by another URL of its server', async () => {
  expect((await searchVideos(remoteVideo.id, alice.token)).data[0]).toMatchObject({
    name: 'A far film',
    url: remoteVideo.id,
    isLocal: false
  })
  expect((await searchVideos(`${peer.url}/w/short`, alice.token)).data[0]).toMatchObject({ url: remoteVideo.id })
  for (const nonsense of [
    `${peer.url}/nothing`,
    'http://127.0.0.1:1/videos/watch/x',
    'https://',
    `nobody@${peer.host}`,
    'a@b@c',
    `${'x'.repeat(1900)}`
  ]) {
    for (const route of ['videos', 'video-channels'])
      expect(
        (await site.call(`GET /search/${route}?search=${encodeURIComponent(nonsense)}`, { token: alice.token })).json,
        nonsense.slice(0, 50)
      ).toMatchObject({ total: 0 })
  }
  expect((await searchChannels(remoteVideo.id, alice.token)).total).toBe(0)
  expect((await searchVideos(channel.url, alice.token)).total).toBe(0)
})

it('finds an unlisted video by its URL only, a private one not at all', async () => {
  const { uuid, id } = await seedVideo({ channelId: alice.channelId, privacy: 2 })
  await runQuery(sql`UPDATE videos SET name = 'A secret seed', url = ${`${site.url}/videos/watch/${uuid}`} WHERE id = ${id}`)
  const short = shortUuid(uuid)
  for (const path of [`videos/watch/${uuid}`, `w/${short}`, `w/${short}?start=1`, `videos/embed/${uuid}`, `videos/watch/${short}`])
    for (const token of [undefined, alice.token]) expect((await searchVideos(`${site.url}/${path}`, token)).data[0]?.uuid, path).toBe(uuid)
  for (const text of ['secret seed', `${site.url}/w/${id}`, uuid, short])
    expect((await searchVideos(text, alice.token)).total, text).toBe(0)

  const far = `${peer.url}/videos/watch/${randomUUID()}`
  peer.serve(new URL(far).pathname, { ...remoteVideo, id: far, uuid: far.slice(-36), name: 'A far secret', to: [] })
  expect((await searchVideos(far)).total).toBe(0)
  expect((await searchVideos(far, alice.token)).data[0]).toMatchObject({ url: far, privacy: { id: 2 } })
  expect((await searchVideos(far)).total).toBe(1)
  expect((await searchVideos('far secret', alice.token)).total).toBe(0)

  await runQuery(sql`UPDATE videos SET privacy = 3 WHERE id = ${id}`)
  expect((await searchVideos(`${site.url}/w/${short}`, alice.token)).total).toBe(0)
})

it('blocked hosts are neither found nor fetched', async () => {
  await runQuery(sql`INSERT INTO blocked_hosts (host) VALUES (${peer.host})`)
  try {
    await eventually(
      async () => {
        const asked = peer.asked.length
        return (await searchVideos(`${peer.url}/w/short`, alice.token)).total === 0 && peer.asked.length === asked
      },
      5,
      'the block'
    )
    expect((await searchVideos('far film', alice.token)).total).toBe(0)
    expect((await site.call('GET /videos?isLocal=false')).json.total).toBe(0)
  } finally {
    await runQuery(sql`DELETE FROM blocked_hosts`)
  }
})
