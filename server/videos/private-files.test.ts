import { createHash } from 'node:crypto'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { transaction } from '../core/transaction.ts'
import { makeFootageBytes } from '../test/footage.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { startScriptedPeerTube, type ScriptedPeerTube } from '../test/scripted-peertube.ts'
import { uploadVideo, waitForTranscoding } from '../test/upload.ts'
import { rewriteMasterPlaylist } from './master-playlist.ts'
import { publishScheduledVideos } from './publish-scheduled.job.ts'
import { renameVideoFiles } from './rename-video-files.ts'

let site: TestInstance
let follower: ScriptedPeerTube
let ada: Awaited<ReturnType<TestInstance['user']>>
let eve: Awaited<ReturnType<TestInstance['user']>>
let moderator: Awaited<ReturnType<TestInstance['user']>>
beforeAll(async () => {
  site = await startTestInstance({
    transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': true } },
    storyboards: { enabled: true },
    internals: { torrents: { interval: 300 }, outbox: { checkInterval: 300 }, renames: { interval: 300 } }
  })
  follower = await startScriptedPeerTube(() => `${site.url}/inbox`)
  const { peer, instance } = follower
  await peer.post(`${site.url}/inbox`, { type: 'Follow', id: peer.id(), actor: instance.url, object: `${site.url}/accounts/peertube` })
  ada = await site.user('ada')
  eve = await site.user('eve')
  moderator = await site.user('mod', { role: 1 })
}, 120_000)
afterAll(async () => {
  await follower?.peer.stop()
  await site?.stop()
})

const PASSWORD = 'open sesame'
const withPassword = { 'x-peertube-video-password': PASSWORD }
type Requester = { token?: string; headers?: Record<string, string> }

/** Uploads a video with captions of two kinds; returns it when it is transcoded and has its torrents. */
async function uploadWithCaptions(fields: Record<string, string | number | string[]>): Promise<{ id: number; uuid: string }> {
  const { id, uuid } = await uploadVideo(site, ada, fields, await makeFootageBytes({ seconds: 4, size: '640x360' }))
  await waitForTranscoding(site, ada, uuid)
  const names = [`${crypto.randomUUID()}-en.vtt`, `${crypto.randomUUID()}-fr.vtt`]
  await mkdir(join(site.folder, 'captions'), { recursive: true })
  for (const name of names) await writeFile(join(site.folder, 'captions', name), `WEBVTT\n\n00:00.000 --> 00:01.000\n${name}\n`)
  await runQuery(sql`INSERT INTO video_captions (video_id, language, filename) VALUES (${id}, 'en', ${names[0]})`)
  await runQuery(sql`INSERT INTO additional_captions (video_id, language, kind, filename) VALUES (${id}, 'fr', 'forced', ${names[1]})`)
  await transaction(async tx => await rewriteMasterPlaylist({ id, uuid }, tx))
  await waitForTorrents(id)
  return { id, uuid }
}

const waitForTorrents = async (id: number) =>
  await eventually(async () => {
    const due = await runQuery(sql`SELECT FROM video_files f JOIN streaming_playlists p ON p.id = f.streaming_playlist_id
      WHERE p.video_id = ${id} AND f.torrents_due_at IS NOT NULL`)
    return due.length === 0
  })

/** The addresses of pictures and captions as the API gives them, and the files as they lie in the database, by what they are. */
async function readAddresses(uuid: string, { token, headers }: Requester) {
  const call = async (path: string) => (await site.call(`GET /videos/${uuid}${path}`, { ...(token ? { token } : {}), headers })).json
  const [video, { storyboards }, { data: captions }] = await Promise.all([call(''), call('/storyboards'), call('/caption-tracks')])
  const [playlist] = video.streamingPlaylists
  const files = [...video.files, ...playlist.files]
  const master = await (await fetch(playlist.playlistUrl, { headers: headersOf({ token, headers }) })).text()
  return {
    pictures: [video.thumbnailPath, video.previewPath, storyboards[0].storyboardPath, ...captions.map((one: any) => one.captionPath)].map(
      path => `${site.url}${path}`
    ) as string[],
    hls: [
      playlist.playlistUrl,
      playlist.segmentsSha256Url,
      ...files.flatMap(({ fileUrl, playlistUrl, torrentUrl }) => [fileUrl, playlistUrl, torrentUrl].filter(Boolean)),
      ...master.split('\n').flatMap(line => (/^[^#]/.test(line) || /URI="/.test(line) ? [linkIn(line, playlist.playlistUrl)] : []))
    ] as string[]
  }
}
const linkIn = (line: string, base: string): string => new URL(/URI="([^"]+)"/.exec(line)?.[1] ?? line, base).href
const headersOf = ({ token, headers }: Requester): Record<string, string> => ({
  ...headers,
  ...(token ? { authorization: `Bearer ${token}` } : {})
})
const withoutQuery = (url: string) => url.replace(/\?.*/, '')
const statusesOf = async (urls: string[], requester: Requester = {}) =>
  await Promise.all(urls.map(async url => (await fetch(url, { headers: headersOf(requester) })).status))
const every = (urls: string[], status: number) => urls.map(() => status)
/** Not even who may see everything finds them; files that were read a moment ago are open for a second. */
const expectGone = async (urls: string[]) => await eventually(async () => String(await statusesOf(urls, ada)) === String(every(urls, 404)))
const hashes = async (urls: string[], requester: Requester) =>
  await Promise.all(
    urls.map(async url =>
      createHash('sha1')
        .update(new Uint8Array(await (await fetch(url, { headers: headersOf(requester) })).arrayBuffer()))
        .digest('hex')
    )
  )

it.each([
  { kind: 'private', privacy: 3, others: 403 },
  { kind: 'internal', privacy: 4, others: 200 },
  { kind: 'password protected', privacy: 5, others: 403 }
])(
  'a video that is born $kind has pictures and captions for those who may watch it',
  async ({ privacy, others }) => {
    const { uuid } = await uploadWithCaptions({ privacy, ...(privacy === 5 ? { videoPasswords: [PASSWORD] } : {}) })
    const { pictures } = await readAddresses(uuid, { token: ada.token })
    expect(pictures).toHaveLength(5)
    // With the token that is in them, as an <img> or another client loads them, and only for a while.
    const answers = await Promise.all(pictures.map(async url => await fetch(url)))
    expect(answers.map(({ status, headers }) => [status, headers.get('cache-control')])).toEqual(
      pictures.map(() => [200, 'private, max-age=3600'])
    )
    const bare = pictures.map(withoutQuery)
    expect(await statusesOf(bare)).toEqual(every(bare, 403))
    expect(await statusesOf(bare.map(url => `${url}?videoFileToken=abc.def`))).toEqual(every(bare, 403))
    for (const { token } of [ada, moderator]) expect(await statusesOf(bare, { token })).toEqual(every(bare, 200))
    expect(await statusesOf(bare, { token: eve.token })).toEqual(every(bare, others))
    if (privacy !== 5) return
    expect(await statusesOf(bare, { headers: withPassword })).toEqual(every(bare, 200))
    expect(await statusesOf(bare, { headers: { 'x-peertube-video-password': 'wrong' } })).toEqual(every(bare, 403))
    const ofViewer = await readAddresses(uuid, { headers: withPassword })
    expect(await statusesOf(ofViewer.pictures)).toEqual(every(bare, 200))
    await site.call(`PUT /videos/${uuid}/passwords`, { token: ada.token, body: { passwords: ['another'] } })
    expect(await statusesOf(ofViewer.pictures)).toEqual(every(bare, 403))
  },
  100_000
)

it('a token of one video does not open the pictures of another', async () => {
  const [mine, other] = await Promise.all([uploadWithCaptions({ privacy: 3 }), uploadWithCaptions({ privacy: 3 })])
  const [a, b] = await Promise.all([readAddresses(mine.uuid, { token: ada.token }), readAddresses(other.uuid, { token: ada.token })])
  const query = new URL(a.pictures[0]!).search
  expect(await statusesOf(b.pictures.map(url => withoutQuery(url) + query))).toEqual(every(b.pictures, 403))
  // Whoever it was made for may not see the video any more.
  const { token } = (await site.call(`POST /videos/${mine.uuid}/token`, { token: moderator.token })).json.files
  expect(await statusesOf([`${withoutQuery(a.pictures[0]!)}?videoFileToken=${token}`])).toEqual([200])
  await runQuery(sql`UPDATE users SET role = 2 WHERE username = 'mod'`)
  expect(await statusesOf([`${withoutQuery(a.pictures[0]!)}?videoFileToken=${token}`])).toEqual([403])
  await runQuery(sql`UPDATE users SET role = 1 WHERE username = 'mod'`)
}, 100_000)

it('lists give their viewer pictures that load, and equal addresses for a while', async () => {
  const { uuid, id } = await uploadWithCaptions({ name: 'Listed' })
  const addressIn = async (list: string, token: string) => {
    const { data } = (await site.call(list, { token })).json
    const video = data.map((one: any) => one.video ?? one).find((one: any) => one.uuid === uuid)
    return `${site.url}${video.thumbnailPath}`
  }
  const reported = await site.call('POST /abuses', { token: eve.token, body: { video: { id }, reason: 'I was told of it' } })
  expect(reported.status).toBe(200)
  await site.call(`PUT /videos/${uuid}`, { token: ada.token, body: { privacy: 3 } })
  for (const [list, token] of [
    ['GET /users/me/videos', ada.token],
    ['GET /abuses', moderator.token],
    ['GET /videos?isLocal=true&include=1&privacyOneOf=3', moderator.token]
  ] as const) {
    const address = await addressIn(list, token)
    expect([list, await statusesOf([address])]).toEqual([list, [200]])
    expect(await addressIn(list, token)).toBe(address)
  }
  const { data } = (await site.call('GET /users/me/abuses', { token: eve.token })).json
  expect(data[0].video).toMatchObject({ uuid, thumbnailPath: null })
}, 100_000)

it.each([
  { kind: 'private', privacy: 3 },
  { kind: 'internal', privacy: 4 },
  { kind: 'password protected', privacy: 5 }
])(
  'a video that becomes $kind has no file at an address from before',
  async ({ privacy }) => {
    const { id, uuid } = await uploadWithCaptions({})
    const open = await readAddresses(uuid, {})
    const former = [...open.pictures, ...open.hls]
    expect(former.length).toBeGreaterThan(20)
    expect(await statusesOf(former)).toEqual(every(former, 200))
    await runQuery(sql`INSERT INTO redundancies (url, video_id, actor_id, base_url)
    SELECT ${`${follower.instance.url}/copy/${id}`}, ${id}, id, ${follower.instance.url} FROM actors WHERE url = ${follower.instance.url}`)
    const contents = await hashes(open.pictures, {})
    const names = new Set(await readdir(join(site.folder, 'streaming-playlists/hls', uuid)))

    const body = { privacy, ...(privacy === 5 ? { videoPasswords: [PASSWORD] } : {}) }
    expect((await site.call(`PUT /videos/${uuid}`, { token: ada.token, body })).status).toBe(204)
    for (const [index, status] of (await statusesOf(former)).entries())
      expect([former[index], [403, 404].includes(status)]).toEqual([former[index], true])
    const closed = await readAddresses(uuid, { token: ada.token })
    expect(await hashes(closed.pictures, {})).toEqual(contents)
    await waitForTorrents(id)
    const { hls } = await readAddresses(uuid, { token: ada.token })
    expect(hls).toHaveLength(open.hls.length)
    expect(await statusesOf(hls, { token: ada.token })).toEqual(every(hls, 200))
    const nameOf = (url: string) => withoutQuery(url).split('/').at(-1)!
    const present = new Set([...closed.pictures, ...hls].map(nameOf))
    expect(former.map(nameOf).filter(name => present.has(name))).toEqual([])
    await eventually(async () => (await readdir(join(site.folder, 'streaming-playlists/hls', uuid))).every(name => !names.has(name)))
    expect(await runQuery(sql`SELECT FROM redundancies WHERE video_id = ${id}`)).toEqual([])
    await eventually(async () =>
      follower.peer.received.some(({ activity }) => activity.type === 'Delete' && activity.object.endsWith?.(uuid))
    )

    // The old addresses do not come back with the privacy, not even to those who may see everything.
    await expectGone(former)
    await site.call(`PUT /videos/${uuid}`, { token: ada.token, body: { privacy: 1 } })
    expect(await statusesOf(former)).toEqual(every(former, 404))
    const again = await readAddresses(uuid, {})
    const urls = [...again.pictures, ...again.hls]
    expect(await statusesOf(urls)).toEqual(every(urls, 200))
  },
  100_000
)

it('a video that is closed while it is transcoded has new names when that has ended', async () => {
  const { id, uuid } = await uploadWithCaptions({})
  const open = await readAddresses(uuid, {})
  const isTorrent = (url: string) => url.endsWith('.torrent')
  await runQuery(sql`UPDATE transcodings SET state = 'waiting', not_before = now() + interval '1 hour' WHERE video_id = ${id}`)
  await site.call(`PUT /videos/${uuid}`, { token: ada.token, body: { privacy: 3 } })
  const during = await readAddresses(uuid, { token: ada.token })
  expect(await statusesOf(during.hls, { token: ada.token })).toEqual(every(during.hls, 200))
  const former = [...open.pictures, ...open.hls]
  for (const [index, status] of (await statusesOf(former)).entries())
    expect([former[index], [403, 404].includes(status)]).toEqual([former[index], true])
  expect(await statusesOf(open.hls.filter(isTorrent), { token: ada.token })).toEqual(every(open.hls.filter(isTorrent), 404))

  await runQuery(sql`UPDATE transcodings SET state = 'done' WHERE video_id = ${id}`)
  await eventually(async () => (await runQuery(sql`SELECT FROM streaming_playlists WHERE rename_due`)).length === 0)
  await expectGone(former)
  await waitForTorrents(id)
  const after = await readAddresses(uuid, { token: ada.token })
  expect(await statusesOf(after.hls, { token: ada.token })).toEqual(every(after.hls, 200))
}, 100_000)

it('lost files do not keep a video from being closed, and nothing of it is changed where that fails', async () => {
  const { id, uuid } = await uploadWithCaptions({})
  const open = await readAddresses(uuid, {})
  await expect(
    transaction(async tx => {
      await renameVideoFiles({ id, uuid }, tx)
      throw new Error('given up')
    })
  ).rejects.toThrow('given up')
  const urls = [...open.pictures, ...open.hls]
  expect(await statusesOf(urls)).toEqual(every(urls, 200))
  expect(await readAddresses(uuid, {})).toEqual(open)

  const folder = join(site.folder, 'streaming-playlists/hls', uuid)
  const [segments] = (await readdir(folder)).filter(name => name.endsWith('.mp4'))
  await rm(join(folder, segments!))
  await rm(join(site.folder, 'thumbnails', open.pictures[0]!.split('/').at(-1)!))
  expect((await site.call(`PUT /videos/${uuid}`, { token: ada.token, body: { privacy: 3 } })).status).toBe(204)
  const { pictures } = await readAddresses(uuid, { token: ada.token })
  await eventually(async () => String(await statusesOf(pictures)) === '404,200,200,200,200')
  await site.call(`DELETE /videos/${uuid}`, { token: ada.token })
}, 100_000)

it('a scheduled change that closes a video renames its files, too', async () => {
  const { id, uuid } = await uploadWithCaptions({})
  const { pictures } = await readAddresses(uuid, {})
  await runQuery(sql`UPDATE videos SET schedule_at = now(), schedule_privacy = 4 WHERE id = ${id}`)
  await publishScheduledVideos.run({}, { signal: AbortSignal.timeout(60_000), progress: () => undefined } as never)
  expect(await statusesOf(pictures, { token: ada.token })).toEqual(every(pictures, 404))
})
