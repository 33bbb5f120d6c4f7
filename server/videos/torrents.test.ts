import { createHash, randomUUID } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { readBencoded } from '../test/bencoded.ts'
import { makeFootageBytes } from '../test/footage.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { startScriptedPeerTube, type ScriptedPeerTube } from '../test/scripted-peertube.ts'
import { uploadVideo, waitForTranscoding } from '../test/upload.ts'
import { makeMissingTorrents } from './torrents.ts'

let site: TestInstance
let follower: ScriptedPeerTube
let ada: Awaited<ReturnType<TestInstance['user']>>
let uuid: string
let id: number
beforeAll(async () => {
  site = await startTestInstance({
    transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': true } },
    internals: { torrents: { interval: 300 }, outbox: { checkInterval: 300 }, videos: { dueUpdatesInterval: 300 } }
  })
  follower = await startScriptedPeerTube(() => `${site.url}/inbox`)
  const { peer, instance } = follower
  await peer.post(`${site.url}/inbox`, { type: 'Follow', id: peer.id(), actor: instance.url, object: `${site.url}/accounts/peertube` })
  ada = await site.user('ada')
  ;({ uuid, id } = await uploadVideo(site, ada, { name: 'Ça <b>"&tr=' }, await makeFootageBytes({ seconds: 4, size: '640x360' })))
  await waitForTranscoding(site, ada, uuid)
}, 120_000)
afterAll(async () => {
  await follower?.peer.stop()
  await site?.stop()
})
beforeEach(async () => {
  await site.call(`PUT /videos/${uuid}`, { token: ada.token, body: { privacy: 1, downloadEnabled: true } })
})

type ListedFile = Record<'fileUrl' | 'torrentUrl' | 'torrentDownloadUrl' | 'magnetUri' | 'metadataUrl', string> & {
  id: number
  size: number
}
const details = async (token?: string) => (await site.call(`GET /videos/${uuid}`, token ? { token } : {})).json
const filesOf = (video: any): ListedFile[] => [...video.files, ...video.streamingPlaylists[0].files]
const fetchBytes = async (url: string, token?: string): Promise<Buffer> => {
  const response = await fetch(url, { headers: token ? { authorization: `Bearer ${token}` } : {} })
  expect([url, response.status]).toEqual([url, 200])
  return Buffer.from(await response.arrayBuffer())
}
const updatesOf = () =>
  follower.peer.received
    .filter(({ activity }) => activity.type === 'Update' && activity.object.id?.endsWith(uuid))
    .map(({ activity }) => activity)
const isDue = async () => (await runQuery(sql`SELECT FROM video_files WHERE torrents_due_at <= now()`)).length > 0

/** Expects the torrent to describe exactly the bytes of the file; returns its info hash and URLs of web seeds. */
async function readTorrent(file: ListedFile, token?: string): Promise<{ infoHash: string; webSeeds: string[] }> {
  const { value, slices } = readBencoded(await fetchBytes(file.torrentUrl, token)) as any
  const bytes = await fetchBytes(file.fileUrl, token)
  expect(Object.keys(value.info)).toEqual(['length', 'name', 'piece length', 'pieces'])
  expect([value.info.length, value.info.name.toString()]).toEqual([file.size, file.fileUrl.split('/').at(-1)])
  const digests = []
  for (let at = 0; at < bytes.length; at += value.info['piece length'])
    digests.push(
      createHash('sha1')
        .update(bytes.subarray(at, at + value.info['piece length']))
        .digest('hex')
    )
  expect(value.info.pieces.toString('hex')).toBe(digests.join(''))
  return { infoHash: createHash('sha1').update(slices.info).digest('hex'), webSeeds: (value['url-list'] ?? []).map(String) }
}

it('every file has a torrent of its bytes, its own id and names that are unique', async () => {
  const files = filesOf(await details())
  expect(files.length).toBe(5)
  for (const key of ['id', 'fileUrl', 'torrentUrl', 'torrentDownloadUrl', 'magnetUri', 'metadataUrl'] as const)
    expect([key, new Set(files.map(file => file[key])).size]).toEqual([key, 5])
  for (const file of files) {
    const { infoHash, webSeeds } = await readTorrent(file)
    expect(webSeeds).toEqual([file.fileUrl])
    const magnet = new URLSearchParams(file.magnetUri.slice('magnet:?'.length))
    expect(Object.fromEntries(magnet)).toEqual({
      xs: file.torrentUrl,
      xt: `urn:btih:${infoHash}`,
      dn: 'Ça <b>"&tr=',
      ws: file.fileUrl
    })
    expect(file.torrentUrl).toMatch(/\/lazy-static\/torrents\/[0-9a-f-]{36}-\d+(-hls)?\.torrent$/)
    const download = await fetch(file.torrentDownloadUrl)
    expect([download.status, download.headers.get('content-type'), download.headers.get('content-disposition')]).toEqual([
      200,
      'application/x-bittorrent',
      expect.stringContaining('.torrent"')
    ])
  }
  const [webVideo] = files
  const range = await fetch(webVideo!.fileUrl, { headers: { range: 'bytes=10-19' } })
  expect([range.status, range.headers.get('content-range'), (await range.arrayBuffer()).byteLength]).toEqual([
    206,
    `bytes 10-19/${webVideo!.size}`,
    10
  ])
  const { streams } = (await (await fetch(webVideo!.metadataUrl)).json()) as any
  expect(streams.map((stream: any) => [stream.index, stream.codec_type])).toEqual([
    [0, 'video'],
    [1, 'audio']
  ])
})

it('other servers get the same torrents and magnet links', async () => {
  const { json } = await follower.peer.get(`${site.url}/videos/watch/${uuid}`, { headers: { accept: 'application/activity+json' } })
  const links = (json as any).url.flatMap((link: any) => [link, ...(link.tag ?? [])])
  const hrefs = (type: string) => links.filter(({ mediaType }: any) => mediaType === type).map(({ href }: any) => href)
  const files = filesOf(await details())
  expect(hrefs('application/x-bittorrent').sort()).toEqual(files.map(({ torrentUrl }) => torrentUrl).sort())
  expect(hrefs('application/x-bittorrent;x-scheme-handler/magnet').sort()).toEqual(files.map(({ magnetUri }) => magnetUri).sort())
})

it('a video that becomes private has new names, no magnet URI and no web seed', async () => {
  for (const privacy of [3, 4]) {
    const before = filesOf(await details())
    await site.call(`PUT /videos/${uuid}`, { token: ada.token, body: { privacy } })
    for (const { torrentUrl, torrentDownloadUrl } of before)
      for (const url of [torrentUrl, torrentDownloadUrl])
        expect((await fetch(url, { headers: { authorization: `Bearer ${ada.token}` } })).status).toBe(404)
    await eventually(async () => !(await isDue()), 30, 'torrents of the renamed files')
    const after = filesOf(await details(ada.token))
    const { token } = (await site.call(`POST /videos/${uuid}/token`, { token: ada.token })).json.files
    for (const file of after) {
      expect(file.magnetUri).toBe('')
      expect(before.map(({ torrentUrl }) => torrentUrl)).not.toContain(file.torrentUrl)
      expect(before.map(({ fileUrl }) => fileUrl.split('/').at(-1))).not.toContain(file.fileUrl.split('/').at(-1))
      for (const url of [file.torrentUrl, file.torrentDownloadUrl]) {
        expect((await fetch(url)).status).toBe(403)
        expect((await fetch(`${url}?videoFileToken=bad`)).status).toBe(403)
        const withToken = await fetch(`${url}?videoFileToken=${token}`)
        expect([withToken.status, withToken.headers.get('cache-control')]).toEqual([200, expect.stringContaining('private')])
      }
      expect((await readTorrent(file, ada.token)).webSeeds).toEqual([])
    }
    await site.call(`PUT /videos/${uuid}`, { token: ada.token, body: { privacy: 1 } })
    expect(filesOf(await details()).map(({ torrentUrl }) => torrentUrl)).toEqual(after.map(({ torrentUrl }) => torrentUrl))
  }
})

it('refuses names that are none, and downloads that are disabled', async () => {
  for (const name of ['x.torrent', '..%2f..%2fetc%2fpasswd', `${randomUUID()}-240.torrent`, '%00', "'; DROP TABLE torrents --"])
    for (const folder of ['lazy-static', 'download']) expect((await fetch(`${site.url}/${folder}/torrents/${name}`)).status).toBe(404)
  await site.call(`PUT /videos/${uuid}`, { token: ada.token, body: { downloadEnabled: false } })
  const [{ torrentDownloadUrl }] = filesOf(await details()) as [ListedFile]
  expect((await fetch(torrentDownloadUrl)).status).toBe(403)
  expect((await fetch(torrentDownloadUrl, { headers: { authorization: `Bearer ${ada.token}` } })).status).toBe(200)
})

it('videos of before get theirs by a job, with one Update, and nothing happens the next time', async () => {
  const hashes = async () => filesOf(await details()).map(({ magnetUri }) => /btih:(\w+)/.exec(magnetUri)?.[1])
  const before = await hashes()
  const settle = async () => await new Promise(resolve => setTimeout(resolve, 1000))
  await settle()
  const updates = updatesOf().length
  await runQuery(sql`DELETE FROM torrents`)
  expect(
    filesOf(await details()).map(({ torrentUrl, torrentDownloadUrl, magnetUri }) => torrentUrl + torrentDownloadUrl + magnetUri)
  ).toEqual(Array(5).fill(''))
  await runQuery(sql`UPDATE video_files SET torrents_due_at = now(), whole_size = NULL`)
  await eventually(async () => !(await isDue()) && updatesOf().length > updates, 30, 'the torrents')
  expect(await hashes()).toEqual(before)
  expect(JSON.stringify(updatesOf().at(-1))).toContain('urn:btih:')
  const stored = await runQuery(sql`SELECT filename FROM torrents ORDER BY filename`)
  await runQuery(sql`UPDATE video_files SET torrents_due_at = now()`)
  await eventually(async () => !(await isDue()), 30, 'the second run')
  await settle()
  expect(updatesOf().length).toBe(updates + 1)
  expect(await runQuery(sql`SELECT filename FROM torrents ORDER BY filename`)).toEqual(stored)
})

it('a file that cannot be read is tried again a day later, and the others have theirs', async () => {
  const [{ filename }] = (await runQuery(sql`SELECT filename FROM video_files WHERE resolution = 360`)) as [{ filename: string }]
  const path = join(site.folder, 'streaming-playlists/hls', uuid, filename)
  await rename(path, `${path}.away`)
  try {
    await runQuery(sql`DELETE FROM torrents`)
    await runQuery(sql`UPDATE video_files SET torrents_due_at = now()`)
    await eventually(async () => !(await isDue()), 30, 'the run')
    const rows = await runQuery(
      sql`SELECT resolution, torrents_due_at > now() + interval '23 hours' AS later FROM video_files ORDER BY resolution`
    )
    expect(rows).toEqual([
      { resolution: 0, later: null },
      { resolution: 240, later: null },
      { resolution: 360, later: true }
    ])
  } finally {
    await rename(`${path}.away`, path)
  }
  await runQuery(sql`UPDATE video_files SET torrents_due_at = now() WHERE torrents_due_at IS NOT NULL`)
  await eventually(async () => (await runQuery(sql`SELECT FROM torrents`)).length === 5, 30, 'the torrent')
})

it('a run whose time is up leaves the other files to the next one', async () => {
  const dueCount = async () => (await runQuery(sql`SELECT FROM video_files WHERE torrents_due_at IS NOT NULL`)).length
  await runQuery(sql`DELETE FROM torrents`)
  // Not due for the job, which runs meanwhile.
  await runQuery(sql`UPDATE video_files SET torrents_due_at = now() + interval '1 hour'`)
  for (const left of [2, 1, 0]) {
    await makeMissingTorrents(id, { owesUpdate: true, isTimeUp: () => true })
    expect(await dueCount()).toBe(left)
  }
  expect((await runQuery(sql`SELECT FROM torrents`)).length).toBe(5)
})

it('are gone with their video', async () => {
  await site.call(`DELETE /videos/${id}`, { token: ada.token })
  expect(await runQuery(sql`SELECT FROM torrents`)).toEqual([])
})
