import { afterAll, beforeAll, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { difference } from './media-correlation.ts'
import { readBrightness } from './media-images.ts'
import { eventually, startTestInstance, type TestInstance } from './instance.ts'
import { startPeerInstance, type PeerInstance } from './peer-instance.ts'
import { waitForTranscoding, uploadVideo } from './upload.ts'

const brightnessOf = async (image: Response) => await readBrightness(Buffer.from(await image.arrayBuffer()))

/** A publishes; B, in separate processes, follows A. */
let a: TestInstance
let b: PeerInstance
let alice: Awaited<ReturnType<TestInstance['user']>>
let root: string
const getOnB = async (uuid: string) => await b.call(`GET /videos/${uuid}`)
const waitUntilShown = async (uuid: string, seconds = 20) =>
  await eventually(async () => (await getOnB(uuid)).status === 200, seconds, 'the video on B')
const waitUntilGone = async (uuid: string) => await eventually(async () => (await getOnB(uuid)).status === 404, 20, 'its end on B')

beforeAll(async () => {
  ;[a, b] = await Promise.all([
    startTestInstance({ storyboards: { enabled: true } }),
    startPeerInstance({ storyboards: { enabled: true } })
  ])
  alice = await a.user('alice')
  root = await b.login()
  expect((await b.call('POST /server/following', { token: root, body: { hosts: [new URL(a.url).host] } })).status).toBe(204)
  await eventually(
    async () => (await b.call('GET /server/following')).json.data.some((one: any) => one.state === 'accepted'),
    30,
    'the follow'
  )
}, 120_000)
afterAll(async () => {
  await b?.stop()
  await a?.stop()
})

it('a video of A appears on B with thumbnail and playlist, and is edited, hidden, shown again and deleted', async () => {
  const { uuid } = await uploadVideo(a, alice, { name: 'From A', description: 'Words' })
  await eventually(async () => (await a.call(`GET /videos/${uuid}`)).json.state?.id === 1, 60, 'the publication')
  await waitUntilShown(uuid)
  await waitForTranscoding(a, alice, uuid)
  const video = await eventually(
    async () => {
      const { json } = await getOnB(uuid)
      return json.streamingPlaylists[0]?.files.length > 0 && json.streamingPlaylists[0].segmentsSha256Url && json
    },
    20,
    'all renditions'
  )
  expect(video).toMatchObject({
    name: 'From A',
    description: 'Words',
    isLocal: false,
    url: `${a.url}/videos/watch/${uuid}`,
    account: { name: 'alice', host: new URL(a.url).host }
  })
  expect((await b.call('GET /search/videos')).json.data.map((one: any) => one.uuid)).toContain(uuid)
  expect((await b.call(`GET /video-channels/alice_channel@${new URL(a.url).host}/videos`)).json.total).toBe(1)
  const thumbnail = await fetch(`${b.url}${video.thumbnailPath}`)
  expect([thumbnail.status, thumbnail.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
  const original = await fetch(`${a.url}${(await a.call(`GET /videos/${uuid}`)).json.thumbnailPath}`)
  // B encodes the pictures of others again: the bytes differ.
  expect(difference(await brightnessOf(thumbnail), await brightnessOf(original))).toBeLessThan(4)
  const { storyboards } = (await b.call(`GET /videos/${uuid}/storyboards`)).json
  expect((await fetch(`${b.url}${storyboards[0].storyboardPath}`)).status).toBe(200)
  const playlist = await fetch(video.streamingPlaylists[0].playlistUrl, { headers: { origin: b.url } })
  expect([playlist.status, playlist.headers.get('access-control-allow-origin'), (await playlist.text()).startsWith('#EXTM3U')]).toEqual([
    200,
    '*',
    true
  ])

  await a.call(`PUT /videos/${uuid}`, { token: alice.token, body: { name: 'From A, edited', tags: ['one'] } })
  await eventually(async () => (await getOnB(uuid)).json.name === 'From A, edited', 20, 'the edit on B')
  await a.call(`PUT /videos/${uuid}`, { token: alice.token, body: { privacy: 3 } })
  await waitUntilGone(uuid)
  await a.call(`PUT /videos/${uuid}`, { token: alice.token, body: { privacy: 1 } })
  await waitUntilShown(uuid)
  await a.call(`DELETE /videos/${uuid}`, { token: alice.token })
  await waitUntilGone(uuid)
}, 180_000)

it('after B was down until its deliveries expired, it catches up by crawling, deletions included', async () => {
  const [old, kept] = [await uploadVideo(a, alice, { name: 'Goes meanwhile' }), await uploadVideo(a, alice, { name: 'Stays' })]
  for (const { uuid } of [old, kept]) {
    await waitForTranscoding(a, alice, uuid)
    await waitUntilShown(uuid)
  }
  await b.kill()
  const missed = await uploadVideo(a, alice, { name: 'Missed' })
  await waitForTranscoding(a, alice, missed.uuid)
  await a.call(`DELETE /videos/${old.uuid}`, { token: alice.token })
  // After seven days all deliveries to B have expired.
  await runQuery(sql`DELETE FROM deliveries`)
  await runQuery(sql`DELETE FROM outgoing`)
  await b.start()
  await waitUntilShown(missed.uuid, 40)
  await waitUntilGone(old.uuid)
  expect((await getOnB(kept.uuid)).status).toBe(200)
  const { json } = await b.call('GET /search/videos?isLocal=false')
  expect(json.data.map((one: any) => one.name).sort()).toEqual(['Missed', 'Stays'])
}, 180_000)
