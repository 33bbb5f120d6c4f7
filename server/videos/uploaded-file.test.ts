import { createHash } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { openQueue } from '../core/job.ts'
import { runQuery, sql } from '../core/sql.ts'
import { readBencoded } from '../test/bencoded.ts'
import { makeFootageBytes } from '../test/footage.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { uploadVideo, waitForTranscoding } from '../test/upload.ts'
import { VIDEO_PRIVACY } from './video.model.ts'

type User = Awaited<ReturnType<TestInstance['user']>>
let site: TestInstance
let ada: User
let eve: User
let moderator: User
let footage: Buffer<ArrayBuffer>
const ROWS = sql`SELECT torrent_due_at IS NOT NULL AS due, torrent_filename IS NOT NULL AS made FROM video_sources ORDER BY video_id DESC LIMIT 1`

beforeAll(async () => {
  site = await startTestInstance({
    transcoding: { resolutions: { '240p': true, '360p': false, '480p': false, '720p': false, '1080p': false } },
    // As far apart as in production: what is awaited here comes by the job that the upload enqueues, or the test says so.
    internals: { torrents: { interval: 600_000, uploadedFileLease: 500 } }
  })
  ada = await site.user('ada')
  eve = await site.user('eve')
  moderator = await site.user('moderator', { role: 1 })
  footage = await makeFootageBytes({ seconds: 2, size: '320x240' })
}, 120_000)
afterAll(async () => await site?.stop())
beforeEach(async () => await (await openQueue('transcoding')).pause())

const encode = async (uuid: string) => {
  await (await openQueue('transcoding')).resume()
  return await waitForTranscoding(site, ada, uuid)
}
const upload = async (fields = {}) => (await uploadVideo(site, ada, fields, footage)).uuid
const details = async (uuid: string, token?: string) => (await site.call(`GET /videos/${uuid}`, token ? { token } : {})).json
const uploadedFileOf = async (uuid: string) =>
  await eventually(async () => {
    const [file] = (await details(uuid, ada.token)).files
    return (await statusOf(file.torrentUrl, ada.token)) === 200 && file
  })
const statusOf = async (url: string, token?: string) =>
  (await fetch(url, { headers: token ? { authorization: `Bearer ${token}` } : {} })).status

it('is listed at once for those who manage the video, and soon has a torrent', async () => {
  const uuid = await upload()
  const { files, streamingPlaylists, state } = await details(uuid, ada.token)
  expect([streamingPlaylists, state.id]).toEqual([[], 2])
  const base = {
    id: expect.any(Number),
    resolution: { id: 240, label: '240p' },
    width: 320,
    height: 240,
    fps: 25,
    size: footage.length,
    fileUrl: expect.stringMatching(/\/download\/original-video-files\/[0-9a-f-]{36}\.mp4$/),
    fileDownloadUrl: files[0].fileUrl,
    playlistUrl: null,
    metadataUrl: `${site.url}/api/v1/videos/${uuid}/metadata/${files[0].id}`,
    torrentUrl: expect.stringMatching(/\/lazy-static\/torrents\/.*\.torrent$/),
    torrentDownloadUrl: expect.stringMatching(/\/download\/torrents\/.*\.torrent$/),
    magnetUri: '',
    hasAudio: true,
    hasVideo: true,
    storage: 0,
    isOriginal: true
  }
  expect(files).toEqual([base])
  const file = await uploadedFileOf(uuid)
  expect((await details(uuid, moderator.token)).files).toEqual([file])
  const bytes = Buffer.from(await (await fetch(file.fileUrl, { headers: { authorization: `Bearer ${ada.token}` } })).arrayBuffer())
  expect(bytes.equals(footage)).toBe(true)
  for (const url of [file.torrentUrl, file.torrentDownloadUrl]) {
    const response = await fetch(url, { headers: { authorization: `Bearer ${ada.token}` } })
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, expect.stringContaining('private')])
    const { value } = readBencoded(Buffer.from(await response.arrayBuffer())) as any
    expect(Object.keys(value)).toEqual(['info'])
    expect([value.info.name.toString(), value.info.length]).toEqual([file.fileUrl.split('/').at(-1), footage.length])
    const pieces = Array.from({ length: Math.ceil(footage.length / value.info['piece length']) }, (_, index) =>
      footage.subarray(index * value.info['piece length'], (index + 1) * value.info['piece length'])
    )
    expect(value.info.pieces.toString('hex')).toBe(pieces.map(piece => createHash('sha1').update(piece).digest('hex')).join(''))
  }
  expect((await site.call(`GET /videos/${uuid}/metadata/${file.id}`, { token: ada.token })).json.streams.length).toBe(2)
})

it.each(Object.entries(VIDEO_PRIVACY))('nobody else learns of the uploaded file of a video of privacy %s', async (_, privacy) => {
  const uuid = await upload({ privacy, ...(privacy === VIDEO_PRIVACY.PASSWORD ? { videoPasswords: ['secret'] } : {}) })
  const file = await uploadedFileOf(uuid)
  const headers = { 'x-peertube-video-password': 'secret' }
  for (const token of [undefined, eve.token]) {
    const { status, json } = await site.call(`GET /videos/${uuid}`, { token, headers })
    expect(status === 200 ? [json.files, json.streamingPlaylists] : status).toEqual(
      [VIDEO_PRIVACY.PRIVATE, ...(token ? [] : [VIDEO_PRIVACY.INTERNAL])].includes(privacy as never) ? (token ? 403 : 401) : [[], []]
    )
    for (const url of [file.fileUrl, file.torrentUrl, file.torrentDownloadUrl]) {
      expect([url, await statusOf(url, token)]).toEqual([url, 403])
      expect((await fetch(`${url}?videoFileToken=bad`, { headers })).status).toBe(403)
    }
    expect((await site.call(`GET /videos/${uuid}/metadata/${file.id}`, { token, headers })).status).toBeGreaterThanOrEqual(401)
  }
  const fileToken = async (token: string) => (await site.call(`POST /videos/${uuid}/token`, { token, headers })).json.files?.token
  expect((await fetch(`${file.torrentUrl}?videoFileToken=${await fileToken(ada.token)}`)).status).toBe(200)
  expect((await fetch(`${file.torrentUrl}?videoFileToken=${await fileToken(eve.token)}`)).status).toBe(403)
  expect((await details(uuid, ada.token)).files).toEqual([file])
})

it('is not taken for a rendition, and makes way for the first one', async () => {
  const uuid = await upload()
  const file = await uploadedFileOf(uuid)
  const token = ada.token
  expect((await site.call(`GET //download/videos/generate/${uuid}?videoFileIds=${file.id}`, { token })).status).toBe(404)
  const root = await site.login()
  for (const form of ['hls', 'web-videos'])
    expect((await site.call(`DELETE /videos/${uuid}/${form}/${file.id}`, { token: root })).status).toBeGreaterThanOrEqual(400)
  expect((await details(uuid, token)).files).toEqual([file])

  const { files } = await encode(uuid)
  expect(files.map((one: any) => [one.resolution.id, 'isOriginal' in one])).toEqual([[240, false]])
  expect([files[0].id, files[0].torrentUrl]).not.toEqual([file.id, file.torrentUrl])
  for (const url of [file.fileUrl, file.torrentUrl, file.torrentDownloadUrl]) expect([url, await statusOf(url, token)]).toEqual([url, 404])
  expect(await runQuery(ROWS)).toEqual([{ due: false, made: false }])
})

it('is listed while the encoding has failed, and is gone with its video', async () => {
  const uuid = await upload()
  const file = await uploadedFileOf(uuid)
  expect((await site.call(`DELETE /server/transcodings/${uuid}`, { token: await site.login() })).status).toBe(204)
  const { state, files } = await details(uuid, ada.token)
  expect([state.id, files]).toEqual([7, [file]])
  await site.call(`DELETE /videos/${uuid}`, { token: ada.token })
  for (const url of [file.fileUrl, file.torrentUrl]) expect(await statusOf(url, ada.token)).toBe(404)
})

it('a job that is lost, interrupted or finds no file is made up for by the timer', async () => {
  const { makeUploadedFileTorrents } = await import('./make-uploaded-file-torrents.job.ts')
  const uuid = await upload()
  const file = await uploadedFileOf(uuid)
  await runQuery(sql`UPDATE video_sources SET torrent_due_at = now(), torrent_info = NULL WHERE file_id = ${file.id}`)
  const path = join(site.folder, 'original-video-files', file.fileUrl.split('/').at(-1))
  await rename(path, `${path}.away`)
  const context = { progress: () => undefined, signal: new AbortController().signal }
  await makeUploadedFileTorrents.run({}, context)
  const waiting = await fetch(file.torrentUrl, { headers: { authorization: `Bearer ${ada.token}` } })
  expect([waiting.status, Number(waiting.headers.get('retry-after'))]).toEqual([503, expect.any(Number)])
  await rename(`${path}.away`, path)
  await eventually(async () => {
    await Promise.all([1, 2].map(async () => await makeUploadedFileTorrents.run({}, context)))
    return (await statusOf(file.torrentUrl, ada.token)) === 200
  })
  const { torrentUrl } = await uploadedFileOf(uuid)
  await makeUploadedFileTorrents.run({}, context)
  expect((await uploadedFileOf(uuid)).torrentUrl).toBe(torrentUrl)
  await encode(uuid)
})
