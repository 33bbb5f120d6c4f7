import { existsSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { transaction } from '../core/transaction.ts'
import { probeMedia } from '../media/probe.ts'
import { makeFootageBytes } from '../test/footage.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { unlimitedProbeLimits } from '../test/media-settings.ts'
import { uploadVideo, waitForTranscoding } from '../test/upload.ts'

let site: TestInstance
let root: string
let users: Record<'owner' | 'other' | 'moderator', Awaited<ReturnType<TestInstance['user']>>>
let bytes: Buffer<ArrayBuffer>
let uuid: string
beforeAll(async () => {
  site = await startTestInstance({
    transcoding: { preset: 'ultrafast', original_file: { keep: true }, resolutions: { '240p': true, '360p': true } }
  })
  root = await site.login()
  users = { owner: await site.user('owner'), other: await site.user('other'), moderator: await site.user('mod', { role: 1 }) }
  bytes = await makeFootageBytes({ seconds: 2, size: '640x360' })
})
afterAll(async () => await site?.stop())
beforeEach(async () => {
  ;({ uuid } = await uploadVideo(site, users.owner, { name: 'A Film' }, bytes))
  await waitForTranscoding(site, users.owner, uuid)
}, 60_000)

const remove = async (path: string, token: string | undefined = root) =>
  (await site.call(`DELETE /videos/${uuid}/${path}`, token ? { token } : {})).status
const details = async () => (await site.call(`GET /videos/${uuid}`)).json
const resolutions = (files: any[]): number[] => files.map(file => file.resolution.id)
const listed = async () => {
  const { files, streamingPlaylists } = await details()
  return { hls: streamingPlaylists.map((playlist: any) => resolutions(playlist.files)), files: resolutions(files) }
}
const storedNames = async () => await readdir(join(site.folder, 'streaming-playlists/hls', uuid))
const isListed = async (filter: string) => (await site.call(`GET /videos?${filter}`)).json.data.some((video: any) => video.uuid === uuid)
/** Probes what a URL answers. */
async function probeUrl(url: string) {
  const response = await fetch(url)
  expect([url, response.status]).toEqual([url, 200])
  const path = join(site.folder, 'probed.mp4')
  await writeFile(path, Buffer.from(await response.arrayBuffer()))
  return await probeMedia(path, unlimitedProbeLimits)
}
const documentTypes = async () => {
  const response = await fetch(`${site.url}/videos/watch/${uuid}`, { headers: { accept: 'application/activity+json' } })
  return ((await response.json()) as any).url.map((link: any) => link.mediaType)
}

describe('removing files', () => {
  it('is for administrators', async () => {
    const { files, streamingPlaylists } = await details()
    const paths = ['hls', 'web-videos', `hls/${streamingPlaylists[0].files[0].id}`, `web-videos/${files[0].id}`]
    for (const path of paths) {
      expect((await site.call(`DELETE /videos/${uuid}/${path}`)).status).toBe(401)
      for (const user of ['owner', 'other', 'moderator'] as const)
        expect([user, await remove(path, users[user].token)]).toEqual([user, 403])
    }
    expect(await listed()).toEqual({ hls: [[360, 240, 0]], files: [360, 240] })
    expect(await remove(paths[2]!)).toBe(204)
    expect(await remove(paths[3]!)).toBe(204)
  })

  it('removes the web videos and keeps what HLS needs', async () => {
    const before = await details()
    const names = await storedNames()
    expect(await remove('web-videos')).toBe(204)
    expect(await listed()).toEqual({ hls: [[360, 240, 0]], files: [] })
    expect((await storedNames()).filter(name => name.endsWith('.mp4')).sort()).toEqual(names.filter(name => name.endsWith('.mp4')).sort())
    for (const { fileUrl, fileDownloadUrl, torrentUrl, metadataUrl } of before.files)
      for (const url of [fileUrl, fileDownloadUrl, torrentUrl, metadataUrl]) expect([url, (await fetch(url)).status]).toEqual([url, 404])
    expect([await isListed('hasWebVideoFiles=true'), await isListed('hasHLSFiles=true')]).toEqual([false, true])
    expect(await documentTypes()).not.toContain('video/mp4')
    // Nothing else is left.
    for (const path of ['web-videos', 'hls', `hls/${before.files[0].id}`]) expect([path, (await remove(path)) >= 400]).toEqual([path, true])
    expect(await listed()).toEqual({ hls: [[360, 240, 0]], files: [] })
    expect((await probeUrl(before.streamingPlaylists[0].files[0].fileUrl)).video).toBeTruthy()
    await site.call(`POST /videos/${uuid}/transcoding`, { token: root, body: { transcodingType: 'web-video' } })
    const { files } = await waitForTranscoding(site, users.owner, uuid)
    expect(files.map((file: any) => [file.resolution.id, file.torrentUrl !== ''])).toEqual([
      [360, true],
      [240, true]
    ])
  })

  it('removes the HLS files and keeps what the web videos need', async () => {
    const before = await details()
    expect(await remove('hls')).toBe(204)
    expect(await listed()).toEqual({ hls: [], files: [360, 240] })
    const [playlist] = before.streamingPlaylists
    for (const url of [playlist.playlistUrl, playlist.segmentsSha256Url, playlist.files[0].playlistUrl, playlist.files[0].torrentUrl])
      expect([url, (await fetch(url)).status]).toEqual([url, 404])
    for (const { fileUrl } of before.files) {
      const { video, audios } = await probeUrl(fileUrl)
      expect([video !== null, audios.length]).toEqual([true, 1])
    }
    expect([await isListed('hasWebVideoFiles=true'), await isListed('hasHLSFiles=true')]).toEqual([true, false])
    expect(await documentTypes()).not.toContain('application/x-mpegURL')
    expect((await fetch(`${site.url}/w/${uuid}`)).status).toBe(200)
    expect([await remove('hls'), await remove('web-videos')]).toEqual([400, 400])
    expect(await remove(`web-videos/${before.files[0].id}`)).toBe(204)
    expect(await remove(`web-videos/${before.files[1].id}`)).toBe(400)
    expect((await storedNames()).filter(name => name.endsWith('.mp4')).length).toBe(2)
    // A new transcoding brings everything back.
    await site.call(`POST /videos/${uuid}/transcoding`, { token: root, body: { transcodingType: 'hls' } })
    await waitForTranscoding(site, users.owner, uuid)
    expect(await listed()).toEqual({ hls: [[360, 240, 0]], files: [360, 240] })
  })

  it('a new transcoding brings back HLS with sound, also where the upload is not copied', async () => {
    const footage = await makeFootageBytes({ seconds: 2, size: '640x360', video: ['-c:v', 'mpeg4'] })
    ;({ uuid } = await uploadVideo(site, users.owner, { name: 'Encoded' }, footage))
    await waitForTranscoding(site, users.owner, uuid)
    expect(await remove('hls')).toBe(204)
    await site.call(`POST /videos/${uuid}/transcoding`, { token: root, body: { transcodingType: 'hls' } })
    await waitForTranscoding(site, users.owner, uuid)
    expect(await listed()).toEqual({ hls: [[360, 240, 0]], files: [360, 240] })
    const { playlistUrl } = (await details()).streamingPlaylists[0]
    expect(await (await fetch(playlistUrl)).text()).toContain('TYPE=AUDIO')
  })

  it('browsers without scripts play the web videos where there is no HLS', async () => {
    expect(await remove('hls')).toBe(204)
    const [top] = (await details()).files
    for (const path of [`/w/${(await details()).shortUUID}`, `/videos/embed/${uuid}`]) {
      const page = await (await fetch(`${site.url}${path}`)).text()
      expect([path, page.includes(`href="${new URL(top.fileUrl).pathname}"`)]).toEqual([path, true])
      expect(page).not.toContain('being processed')
    }
  })

  it('removes one file of each form, and the stored file with the last', async () => {
    const before = await details()
    const [playlist] = before.streamingPlaylists
    const [top, low, audio] = playlist.files
    expect(await remove(`hls/${audio.id}`)).toBe(400)
    expect(await remove(`hls/${top.id}`)).toBe(204)
    expect(await listed()).toEqual({ hls: [[240, 0]], files: [360, 240] })
    const master = await (await fetch(playlist.playlistUrl)).text()
    expect([master.includes(low.playlistUrl.split('/').at(-1)), master.includes(top.playlistUrl.split('/').at(-1))]).toEqual([true, false])
    const hashes = (await (await fetch((await details()).streamingPlaylists[0].segmentsSha256Url)).json()) as object
    expect(Object.keys(hashes).sort()).toEqual([low, audio].map(({ fileUrl }) => fileUrl.split('/').at(-1)).sort())
    expect((await probeUrl(before.files[0].fileUrl)).video?.height).toBe(360)
    expect(await remove(`web-videos/${before.files[0].id}`)).toBe(204)
    expect(existsSync(join(site.folder, 'streaming-playlists/hls', uuid, top.fileUrl.split('/').at(-1)))).toBe(false)
    expect(await listed()).toEqual({ hls: [[240, 0]], files: [240] })
    // The last video stream takes the playlist with it.
    expect(await remove(`hls/${low.id}`)).toBe(204)
    expect(await listed()).toEqual({ hls: [], files: [240] })
    expect((await probeUrl(before.files[1].fileUrl)).audios.length).toBe(1)
  })

  it('refuses what is not there, and videos that are being transcoded', async () => {
    const { files, streamingPlaylists } = await details()
    const other = await uploadVideo(site, users.owner, { name: 'Other' }, bytes)
    const {
      files: [foreign]
    } = await waitForTranscoding(site, users.owner, other.uuid)
    for (const id of [foreign.id, 2 ** 31 - 1, streamingPlaylists[0].files[0].id]) expect(await remove(`web-videos/${id}`)).toBe(404)
    expect(await remove(`hls/${files[0].id}`)).toBe(404)
    for (const id of ['0', '-1', 'x', '1e3', "1'--", String(2 ** 31)])
      expect([id, await remove(`hls/${encodeURIComponent(id)}`)]).toEqual([id, 400])
    expect((await site.call('DELETE /videos/424242/hls', { token: root })).status).toBe(404)
    await runQuery(sql`UPDATE transcodings SET state = 'waiting', not_before = now() + interval '1 hour'`)
    expect([await remove('hls'), await remove('web-videos'), await remove(`web-videos/${files[0].id}`)]).toEqual([400, 400, 400])
    await runQuery(sql`UPDATE transcodings SET state = 'done'`)
    expect(await listed()).toEqual({ hls: [[360, 240, 0]], files: [360, 240] })
  })

  it('waits for whoever queues a transcoding at the same time, and is refused then', async () => {
    const removal = await transaction(async tx => {
      await runQuery(sql`UPDATE transcodings SET state = 'waiting', not_before = now() + interval '1 hour'`, tx)
      const status = remove('hls')
      await new Promise(resolve => setTimeout(resolve, 500))
      return { status }
    })
    expect(await removal.status).toBe(400)
    await runQuery(sql`UPDATE transcodings SET state = 'done'`)
    expect(await listed()).toEqual({ hls: [[360, 240, 0]], files: [360, 240] })
  })

  it('leaves something to play where both forms are removed at once', async () => {
    const statuses = await Promise.all([remove('hls'), remove('web-videos'), remove('hls'), remove('web-videos')])
    expect(statuses.sort()).toEqual([204, 400, 400, 400])
    const { hls, files } = await listed()
    expect(hls.length + files.length).toBeGreaterThan(0)
  })

  it('leaves what is only a web video while web videos are not offered', async () => {
    config.transcoding.resolutions['144p'] = true
    ;({ uuid } = await uploadVideo(site, users.owner, { name: 'Three sizes' }, bytes))
    await waitForTranscoding(site, users.owner, uuid).finally(() => (config.transcoding.resolutions['144p'] = false))
    const [top, low] = (await details()).streamingPlaylists[0].files
    expect(await remove(`hls/${top.id}`)).toBe(204)
    config.transcoding.web_videos.enabled = false
    try {
      expect(await remove(`hls/${low.id}`)).toBe(204)
    } finally {
      config.transcoding.web_videos.enabled = true
    }
    expect(await listed()).toEqual({ hls: [[144, 0]], files: [360, 144] })
    const { video, audios } = await probeUrl((await details()).files[0].fileUrl)
    expect([video?.height, audios.length]).toEqual([360, 1])
  })

  it('frees the stored file of an HLS file where web videos are not offered', async () => {
    const before = await details()
    config.transcoding.web_videos.enabled = false
    try {
      const [top] = before.streamingPlaylists[0].files
      expect([await remove('hls'), await remove(`hls/${top.id}`)]).toEqual([400, 204])
      expect((await fetch(top.fileUrl)).status).toBe(404)
    } finally {
      config.transcoding.web_videos.enabled = true
    }
    expect(await listed()).toEqual({ hls: [[240, 0]], files: [240] })
  })
})

describe('a download of chosen files', () => {
  const generate = async (query: string, headers = {}) => await fetch(`${site.url}/download/videos/generate/${uuid}?${query}`, { headers })

  it('is one MP4 of them', async () => {
    const { files, streamingPlaylists } = await details()
    const [top, low, audio] = streamingPlaylists[0].files
    const cases: [query: string, height: number | undefined, audios: number][] = [
      [`videoFileIds=${top.id}&videoFileIds=${audio.id}`, 360, 1],
      [`videoFileIds%5B%5D=${audio.id}&videoFileIds%5B%5D=${low.id}`, 240, 1],
      [`videoFileIds=${low.id}`, 240, 0],
      [`videoFileIds[]=${audio.id}`, undefined, 1],
      [`videoFileIds[]=${files[0].id}`, 360, 1],
      [`videoFileIds[]=${files[0].id}&videoFileIds[]=${audio.id}&videoFileIds[]=${audio.id}`, 360, 1]
    ]
    for (const [query, height, audios] of cases) {
      const probed = await probeUrl(`${site.url}/download/videos/generate/${uuid}?${query}`)
      expect([query, probed.video?.height, probed.audios.length]).toEqual([query, height, audios])
    }
    const answer = await generate(cases[0]![0], { range: 'bytes=0-7' })
    expect([answer.status, answer.headers.get('content-disposition'), (await answer.arrayBuffer()).byteLength]).toEqual([
      206,
      'attachment; filename="A Film.mp4"',
      8
    ])
  })

  it('refuses other ids, two video streams, and who may not watch or download', async () => {
    const { files, streamingPlaylists } = await details()
    const [top, low] = streamingPlaylists[0].files
    const bad = [
      '',
      'videoFileIds=',
      'videoFileIds=x',
      'videoFileIds=0',
      `videoFileIds[]=${2 ** 31}`,
      'videoFileIds[a]=1',
      "videoFileIds=1'--"
    ]
    const many = Array.from({ length: 11 }, (_, index) => `videoFileIds=${index + 1}`).join('&')
    for (const query of [
      ...bad,
      many,
      `videoFileIds=${top.id}&videoFileIds=${low.id}`,
      `videoFileIds=${files[0].id}&videoFileIds=${low.id}`
    ]) {
      const answer = await generate(query)
      expect([query, answer.status, Object.keys(((await answer.json()) as any)['invalid-params'])]).toEqual([query, 400, ['videoFileIds']])
    }
    expect((await generate(`videoFileIds=${2 ** 31 - 1}`)).status).toBe(404)
    const query = `videoFileIds=${files[0].id}`
    await site.call(`PUT /videos/${uuid}`, { token: users.owner.token, body: { downloadEnabled: false } })
    const statusFor = async (token?: string) => (await generate(query, token ? { authorization: `Bearer ${token}` } : {})).status
    const { owner, other, moderator } = users
    const matrix = async () => [
      await statusFor(),
      await statusFor(other.token),
      await statusFor(owner.token),
      await statusFor(moderator.token)
    ]
    expect(await matrix()).toEqual([403, 403, 200, 200])
    await site.call(`PUT /videos/${uuid}`, { token: users.owner.token, body: { downloadEnabled: true, privacy: 3 } })
    expect(await matrix()).toEqual([403, 403, 200, 200])
    const { token } = (await site.call(`POST /videos/${uuid}/token`, { token: owner.token })).json.files
    expect([(await generate(`${query}&videoFileToken=${token}`)).status, (await generate(`${query}&videoFileToken=x`)).status]).toEqual([
      200, 403
    ])
  })
})
