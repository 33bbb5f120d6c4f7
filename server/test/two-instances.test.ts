import { afterAll, beforeAll, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { eventually, startTestInstance, type TestInstance } from './instance.ts'
import { startPeerInstance, type PeerInstance } from './peer-instance.ts'
import { waitForTranscoding, uploadVideo } from './upload.ts'

/** A publishes; B, in processes of its own, follows A's instance. */
let a: TestInstance
let b: PeerInstance
let alice: Awaited<ReturnType<TestInstance['user']>>
let root: string
const onB = async (uuid: string) => await b.call(`GET /videos/${uuid}`)
const shown = async (uuid: string, seconds = 20) =>
  await eventually(async () => (await onB(uuid)).status === 200, seconds, 'the video on B')
const gone = async (uuid: string) => await eventually(async () => (await onB(uuid)).status === 404, 20, 'its end on B')

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

it('what A publishes appears on B at once, with picture and playlist, changes, hides, comes back and goes', async () => {
  const { uuid } = await uploadVideo(a, alice, { name: 'From A', description: 'Words' })
  await eventually(async () => (await a.call(`GET /videos/${uuid}`)).json.state?.id === 1, 60, 'the publication')
  await shown(uuid)
  await waitForTranscoding(a, alice, uuid)
  const video = await eventually(
    async () => {
      const { json } = await onB(uuid)
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
  expect((await b.call('GET /videos')).json.data.map((one: any) => one.uuid)).toContain(uuid)
  expect((await b.call(`GET /video-channels/alice_channel@${new URL(a.url).host}/videos`)).json.total).toBe(1)
  const picture = await fetch(`${b.url}${video.thumbnailPath}`)
  expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
  expect(
    Buffer.from(await picture.arrayBuffer()).equals(
      Buffer.from(await (await fetch(`${a.url}${(await a.call(`GET /videos/${uuid}`)).json.thumbnailPath}`)).arrayBuffer())
    )
  ).toBe(true)
  const { storyboards } = (await b.call(`GET /videos/${uuid}/storyboards`)).json
  expect((await fetch(`${b.url}${storyboards[0].storyboardPath}`)).status).toBe(200)
  const playlist = await fetch(video.streamingPlaylists[0].playlistUrl, { headers: { origin: b.url } })
  expect([playlist.status, playlist.headers.get('access-control-allow-origin'), (await playlist.text()).startsWith('#EXTM3U')]).toEqual([
    200,
    '*',
    true
  ])

  await a.call(`PUT /videos/${uuid}`, { token: alice.token, body: { name: 'From A, edited', tags: ['one'] } })
  await eventually(async () => (await onB(uuid)).json.name === 'From A, edited', 20, 'the edit on B')
  await a.call(`PUT /videos/${uuid}`, { token: alice.token, body: { privacy: 3 } })
  await gone(uuid)
  await a.call(`PUT /videos/${uuid}`, { token: alice.token, body: { privacy: 1 } })
  await shown(uuid)
  await a.call(`DELETE /videos/${uuid}`, { token: alice.token })
  await gone(uuid)
}, 180_000)

it('what B missed while it was down for longer than anything is kept for it, it repairs by itself, deletions included', async () => {
  const [old, kept] = [await uploadVideo(a, alice, { name: 'Goes meanwhile' }), await uploadVideo(a, alice, { name: 'Stays' })]
  for (const { uuid } of [old, kept]) {
    await waitForTranscoding(a, alice, uuid)
    await shown(uuid)
  }
  await b.kill()
  const missed = await uploadVideo(a, alice, { name: 'Missed' })
  await waitForTranscoding(a, alice, missed.uuid)
  await a.call(`DELETE /videos/${old.uuid}`, { token: alice.token })
  // Seven days later nothing is kept for B any more.
  await runQuery(sql`DELETE FROM deliveries`)
  await runQuery(sql`DELETE FROM outgoing`)
  await b.start()
  await shown(missed.uuid, 40)
  await gone(old.uuid)
  expect((await onB(kept.uuid)).status).toBe(200)
  const { json } = await b.call('GET /videos?isLocal=false')
  expect(json.data.map((one: any) => one.name).sort()).toEqual(['Missed', 'Stays'])
}, 180_000)
