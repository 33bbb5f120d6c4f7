import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensureBuilt } from '../test/ensure-built.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { openTlsFront, type TlsFront } from '../test/tls-front.ts'
import { uploadVideo, waitForTranscoding } from '../test/upload.ts'

const exec = promisify(execFile)
const HOST = 'videos.example'

let site: TestInstance
let front: TlsFront
let folder: string
let video: { uuid: string; shortUUID: string }
let unlistedShortUuid: string

beforeAll(async () => {
  await ensureBuilt()
  // yt-dlp knows PeerTube's API only over https at the usual port.
  site = await startTestInstance({
    webserver: { https: true, hostname: HOST, port: 443 },
    transcoding: { resolutions: { '240p': true, '360p': false, '480p': false, '720p': false, '1080p': false } }
  })
  front = await openTlsFront(HOST, Number(new URL(site.url).port))
  folder = await mkdtemp(join(tmpdir(), 'bobine-yt-dlp-'))
  const ada = await site.user('ada')
  const uploaded = await uploadVideo(site, ada, { name: 'A <b>film</b> & "more"', description: 'Words', tags: ['wheel', 'mill'] })
  await waitForTranscoding(site, ada, uploaded.id)
  video = uploaded
  const unlisted = await uploadVideo(site, ada, { name: 'Unlisted', privacy: 2 })
  await waitForTranscoding(site, ada, unlisted.id)
  unlistedShortUuid = unlisted.shortUUID
}, 240_000)
afterAll(async () => {
  await front?.close()
  await site?.stop()
  if (folder) await rm(folder, { recursive: true, force: true })
})

const runYtDlp = async (...parameters: string[]) =>
  (
    await exec('yt-dlp', [
      '--ignore-config',
      '--no-cache-dir',
      '--no-check-certificates',
      '--no-warnings',
      '--proxy',
      front.url,
      ...parameters
    ])
  ).stdout

test.each([
  ['the page', () => `/w/${video.shortUUID}`],
  ['the page by UUID', () => `/w/${video.uuid}`],
  ["the older form of the page's address", () => `/videos/watch/${video.uuid}`],
  ['the embedded player', () => `/videos/embed/${video.uuid}`],
  ['the page at a time', () => `/w/${video.shortUUID}?start=1s`]
])('yt-dlp takes a video of an unknown host for one of PeerTube: %s', { timeout: 120_000 }, async (_, path) => {
  const found = JSON.parse(await runYtDlp('--dump-single-json', `https://${HOST}${path()}`))
  expect(found).toMatchObject({
    _type: 'video',
    extractor_key: 'PeerTube',
    title: 'A <b>film</b> & "more"',
    description: 'Words',
    channel: 'Main ada channel',
    uploader: 'ada',
    tags: expect.arrayContaining(['mill', 'wheel']),
    duration: 2
  })
  expect(found.formats.length).toBeGreaterThan(0)
})

test('yt-dlp downloads it, and an unlisted one by its address', { timeout: 120_000 }, async () => {
  for (const short of [video.shortUUID, unlistedShortUuid]) {
    const file = join(folder, `${short}.mp4`)
    await runYtDlp('--quiet', '--format', 'best', '--output', file, `https://${HOST}/w/${short}`)
    expect((await stat(file)).size).toBeGreaterThan(1000)
    const { stdout } = await exec('ffprobe', ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', file])
    expect(Number(stdout)).toBeCloseTo(2, 0)
  }
})

test('pages keep the two rules by which programs recognize PeerTube: the marker, and no video element of their own', async () => {
  for (const path of [`/w/${video.shortUUID}`, `/videos/embed/${video.uuid}`]) {
    const { text } = await site.call(`GET /${path}`, { headers: { accept: 'text/html' } })
    expect([path, text.includes('meta property="og:platform" content="PeerTube"')]).toEqual([path, true])
    expect([path, text.match(/<(video|audio|source|embed|object)\b/gi)]).toEqual([path, null])
  }
})
