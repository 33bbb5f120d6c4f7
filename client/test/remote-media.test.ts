import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { shortUuid } from '../../shared/short-uuid.ts'
import { runQuery, sql } from '../../server/core/sql.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { eventually } from '../../server/test/instance.ts'
import { seedVideo } from '../../server/test/seed-video.ts'
import { uploadVideo, waitForTranscoding } from '../../server/test/upload.ts'
import { logInThroughForm, openTestSite, type TestSite } from './site.ts'

/** A server with the files of a video, for every site; `requests` are those it got. */
type FileServer = { url: string; requests: string[]; server: Server }
let site: TestSite
let files: { folder: string; master: string; file: string }
let origin: FileServer
let copies: FileServer
let stranger: FileServer
let allowed: FileServer
let ada: Awaited<ReturnType<TestSite['user']>>
beforeAll(async () => {
  ;[origin, copies, stranger, allowed] = (await Promise.all([0, 1, 2, 3].map(startFileServer))) as [
    FileServer,
    FileServer,
    FileServer,
    FileServer
  ]
  site = await openTestSite({
    transcoding: { preset: 'ultrafast', resolutions: { '240p': true } },
    search: { remote_uri: { anonymous: true } },
    federation: { videos: { media_hosts: [new URL(allowed.url).host] } }
  })
  ada = await site.user('ada')
  const local = await uploadVideo(site, ada, {}, await makeFootageBytes({ seconds: 6, size: '426x240' }))
  const { streamingPlaylists } = await waitForTranscoding(site, ada, local.uuid)
  const nameOf = (url: string) => url.split('/').at(-1)!
  files = {
    folder: join(site.folder, 'streaming-playlists/hls', local.uuid),
    master: nameOf(streamingPlaylists[0].playlistUrl),
    file: nameOf(streamingPlaylists[0].files[0].fileUrl)
  }
}, 180_000)
afterAll(async () => {
  await site?.stop()
  for (const { server } of [origin, copies, stranger, allowed]) server?.close()
})
beforeEach(() => {
  for (const { requests } of [origin, copies, stranger, allowed]) requests.length = 0
})

async function startFileServer(): Promise<FileServer> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(request.url!)
    const [, from = '0', to] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? []
    const headers = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*', 'accept-ranges': 'bytes' }
    if (request.method === 'OPTIONS') return void response.writeHead(204, headers).end()
    readFile(join(files.folder, request.url!.slice(1))).then(
      bytes => {
        const part = bytes.subarray(Number(from), to ? Number(to) + 1 : undefined)
        const range = `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`
        response.writeHead(request.headers.range ? 206 : 200, { ...headers, 'content-range': range, 'content-type': 'video/mp4' }).end(part)
      },
      () => response.writeHead(404, headers).end()
    )
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, server }
}

/** A video of the server `origin` whose files lie at `media`, as one plain file or with a playlist. */
async function seedRemoteVideo(media: FileServer, { plain = false, copy = false } = {}): Promise<{ id: number; shortUUID: string }> {
  const { id, uuid } = await seedVideo({ channelId: ada.channelId })
  await runQuery(
    sql`UPDATE videos SET remote = true, duration = 6, name = 'From elsewhere', url = ${`${origin.url}/videos/watch/${uuid}`} WHERE id = ${id}`
  )
  if (!plain) await runQuery(sql`INSERT INTO remote_playlists (video_id, url) VALUES (${id}, ${`${media.url}/${files.master}`})`)
  await runQuery(sql`INSERT INTO remote_files (video_id, hls, resolution, fps, size, url, has_audio, has_video)
    VALUES (${id}, ${!plain}, 240, 25, 1000, ${`${media.url}/${files.file}`}, ${plain}, true)`)
  if (copy)
    await runQuery(sql`INSERT INTO redundancies (url, video_id, actor_id, base_url)
      SELECT ${`${media.url}/copies/${id}`}, ${id}, id, ${`${media.url}/hls/`} FROM actors LIMIT 1`)
  return { id, shortUUID: shortUuid(uuid) }
}

const policyOf = async (path: string) =>
  /connect-src ([^;]*)/.exec(
    (await site.call(`GET /${path}`, { headers: { accept: 'text/html' } })).headers.get('content-security-policy') ?? ''
  )?.[1]
const playButton = (page: Page) => page.getByRole('button', { name: 'Play', exact: true }).first()
const isPlaying = async (page: Page) =>
  await page.waitForFunction(() => [...document.querySelectorAll('video')].some(video => video.currentTime > 0.2 && !video.paused))
/** Errors of the pages but those that say that a page asks another server, which these do. */
const others = (errors: string[]) => errors.filter(error => !error.startsWith('request to another site'))

test('the policy of a page names where its own videos are, and nothing else', async () => {
  expect(await policyOf('/')).toBe("'self'")
  const [ofOrigin, ofStranger] = [await seedRemoteVideo(origin), await seedRemoteVideo(stranger)]
  for (const path of [`/w/${ofOrigin.shortUUID}`, `/videos/embed/${ofOrigin.shortUUID}`])
    expect(await policyOf(path)).toBe(`'self' ${origin.url}`)
  expect(await policyOf(`/w/${ofStranger.shortUUID}`)).toBe(`'self' ${stranger.url}`)
})

test.each([
  { where: 'its own server', media: () => origin, copy: false },
  { where: 'a copy that its server accepted', media: () => copies, copy: true },
  { where: 'a host that the administrator allowed', media: () => allowed, copy: false }
])('files at $where may be loaded at once, and play', async ({ media, copy }) => {
  const { shortUUID } = await seedRemoteVideo(media(), { copy })
  const visitor = await site.visit()
  const { page, context } = visitor
  await page.goto(`/w/${shortUUID}`)
  await eventually(async () => media().requests.length > 0)
  await playButton(page).click()
  await isPlaying(page)
  expect(others(visitor.pageErrors)).toEqual([])
  await context.close()
})

test.each([
  { path: '/w', plain: false },
  { path: '/w', plain: true },
  { path: '/videos/embed', plain: false },
  { path: '/videos/embed', plain: true }
])('files at another host are asked for when play is pressed ($path, one file: $plain)', async ({ path, plain }) => {
  const { shortUUID } = await seedRemoteVideo(stranger, { plain })
  const visitor = await site.visit()
  const { page, context } = visitor
  await page.goto(`${path}/${shortUUID}`)
  await playButton(page).waitFor()
  await page.waitForTimeout(1500)
  expect(stranger.requests).toEqual([])
  await playButton(page).click()
  await isPlaying(page)
  expect(stranger.requests.length).toBeGreaterThan(0)
  expect(others(visitor.pageErrors)).toEqual([])
  await context.close()
})

test('a remote video that is opened from a list, or from one within the page, plays there', async () => {
  const { id, shortUUID } = await seedRemoteVideo(origin)
  await runQuery(sql`UPDATE videos SET name = 'In a list' WHERE id = ${id}`)
  await runQuery(sql`INSERT INTO follows (actor_id, target_id, state, url, created_at, updated_at)
    SELECT instance.id, channel.actor_id, 'accepted', 'http://x/follow', now(), now() FROM actors instance, channels channel
    WHERE instance.preferred_username = 'peertube' AND channel.id = ${ada.channelId}`)
  const visitor = await site.visit()
  const { page, context } = visitor
  await page.goto('/')
  await page.getByRole('link', { name: 'In a list' }).first().click()
  await page.waitForURL(`**/w/${shortUUID}`)
  await page.waitForFunction(() => document.querySelector('video')?.readyState)
  if (await playButton(page).isVisible()) await playButton(page).click()
  await isPlaying(page)
  // As the client goes there without a document.
  await page.goto('/about')
  await page.evaluate(path => {
    const link = document.body.appendChild(document.createElement('a'))
    link.href = path
    link.click()
  }, `/w/${shortUUID}`)
  await page.waitForURL(`**/w/${shortUUID}`)
  await page.waitForFunction(() => document.querySelector('video')?.readyState)
  expect(others(visitor.pageErrors)).toEqual([])
  await context.close()
})

test('a private playlist plays the remote videos of its owner, one after the other', async () => {
  const videos = [await seedRemoteVideo(origin), await seedRemoteVideo(stranger), await seedRemoteVideo(origin)]
  const { videoPlaylist } = (
    await site.call('POST /video-playlists', { token: ada.token, multipart: formOf({ displayName: 'Mine', privacy: '3' }) })
  ).json
  for (const { id } of videos)
    await site.call(`POST /video-playlists/${videoPlaylist.id}/videos`, { token: ada.token, body: { videoId: id } })
  expect(await policyOf(`/w/p/${videoPlaylist.shortUUID}`)).toBe("'self'")
  const visitor = await site.visit()
  const { page, context } = visitor
  await logInThroughForm(page, 'ada', 'password1')
  await page.goto(`/w/p/${videoPlaylist.shortUUID}?playlistPosition=2`)
  await page.waitForURL(`**playlistPosition=2&video=${videos[1]!.shortUUID}`)
  await page.waitForTimeout(500)
  expect(stranger.requests).toEqual([])
  await playButton(page).click()
  await isPlaying(page)
  expect(others(visitor.pageErrors)).toEqual([])
  await context.close()
})

function formOf(fields: Record<string, string>): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  return form
}
