import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { projectFolder } from '../core/config.ts'
import { openQueue } from '../core/job.ts'
import { runQuery, sql } from '../core/sql.ts'
import { makeFootageFile } from './footage.ts'
import { startTestInstance, type TestInstance } from './instance.ts'
import { waitForTranscoding } from './upload.ts'

/** The command line of PeerTube, as its package of npm has it. */
const PROGRAM = join(projectFolder, 'node_modules/@peertube/peertube-cli/dist/peertube.js')
const FRENCH_NAME = 'L’été à « la mer », d\'après "Zoé"'
/** `process.exit(-1)`. */
const REFUSED = 255

let site: TestInstance
let alice: Awaited<ReturnType<TestInstance['user']>>
let folder: string
let home: string
let film: string
let picture: string

beforeAll(async () => {
  site = await startTestInstance({
    transcoding: { resolutions: { '240p': true, '360p': false, '480p': false, '720p': false, '1080p': false } }
  })
  alice = await site.user('alice', { channelName: 'alice_channel' })
  await site.user('poor', { videoQuota: 10 })
  folder = await mkdtemp(join(tmpdir(), 'bobine-cli-'))
  film = await makeFootageFile(join(folder, "l'été à la mer.mp4"), { seconds: 2, size: '320x240' })
  picture = join(folder, 'red.jpg')
  await sharp({ create: { width: 640, height: 360, channels: 3, background: 'red' } })
    .jpeg()
    .toFile(picture)
}, 120_000)
afterAll(async () => {
  await site?.stop()
  if (folder) await rm(folder, { recursive: true, force: true })
})
// It remembers accounts in files of its user.
beforeEach(async () => {
  home = await mkdtemp(join(folder, 'home-'))
})
afterEach(async () => {
  for (const queue of ['transcoding', 'maintenance'] as const) await (await openQueue(queue)).resume()
})

type Outcome = { code: number; out: string; error: string }

/** Runs the command line to its end; `out` and `error` are what it printed, without colours. */
async function run(...parameters: string[]): Promise<Outcome> {
  const env = { PATH: process.env.PATH, HOME: home, XDG_CONFIG_HOME: join(home, '.config') }
  return await new Promise(resolve =>
    execFile(process.execPath, [PROGRAM, ...parameters], { env, cwd: home, timeout: 100_000 }, (failure, stdout, stderr) =>
      resolve({
        code: failure ? Number(failure.code) : 0,
        out: stripVTControlCharacters(stdout),
        error: stripVTControlCharacters(stderr)
      })
    )
  )
}
const account = (username: string, password = 'password1') => ['--url', site.url, '--username', username, '--password', password]
const upload = async (username: string, parameters: string[], password?: string) =>
  await run('upload', ...account(username, password), '--file', film, ...parameters)
const videosOf = async (token: string) => (await site.call('GET /users/me/videos', { token })).json.data
const storedFiles = async () => await readdir(join(site.folder, 'original-video-files')).catch(() => [])

it('stores a video once, is done before the video is encoded, and all it says of the video arrives', async () => {
  // Neither an encoding nor the torrent of a large file is awaited.
  for (const queue of ['transcoding', 'maintenance'] as const) await (await openQueue(queue)).pause()
  expect(
    await upload('alice', [
      ...['--video-name', FRENCH_NAME, '--channel-name', 'alice_channel', '--tags', 'été,la mer', '--privacy', '2', '--language', 'fr'],
      ...['--category', '2', '--licence', '1', '--video-description', 'Deux\nlignes & <b>plus</b>', '--support', 'Merci !', '--nsfw'],
      ...['--thumbnail', picture, '--no-download-enabled']
    ])
  ).toEqual({ code: 0, out: `Uploading ${FRENCH_NAME} video...\nVideo ${FRENCH_NAME} uploaded.\n`, error: '' })

  const videos = await videosOf(alice.token)
  expect(videos.map(({ name }: any) => name)).toEqual([FRENCH_NAME])
  expect((await storedFiles()).length).toBe(1)
  const { uuid } = videos[0]
  const ofOwner = async () => (await site.call(`GET /videos/${uuid}`, { token: alice.token })).json
  const video = await ofOwner()
  expect(video).toMatchObject({
    name: FRENCH_NAME,
    channel: { name: 'alice_channel' },
    tags: ['été', 'la mer'],
    privacy: { id: 2 },
    language: { id: 'fr' },
    category: { id: 2 },
    licence: { id: 1 },
    description: 'Deux\nlignes & <b>plus</b>',
    support: 'Merci !',
    nsfw: true,
    downloadEnabled: false,
    waitTranscoding: true,
    state: { id: 2 },
    streamingPlaylists: []
  })
  expect((await site.call(`GET /videos/${uuid}/source`, { token: alice.token })).json.inputFilename).toBe("l'été à la mer.mp4")
  expect((await site.call(`GET /videos/${uuid}`)).json.files).toEqual([])
  const [red, green] = (await sharp(Buffer.from(await (await fetch(site.url + video.thumbnailPath)).arrayBuffer())).stats()).channels
  expect([red!.mean > 200, green!.mean < 60]).toEqual([true, true])

  await (await openQueue('transcoding')).resume()
  const encoded = await waitForTranscoding(site, alice, uuid)
  expect([encoded.state.id, encoded.files.map((file: any) => [file.resolution.id, file.isOriginal])]).toEqual([1, [[240, undefined]]])
  expect((await fetch(encoded.streamingPlaylists[0].playlistUrl)).status).toBe(200)
  expect((await videosOf(alice.token)).length).toBe(1)
})

it('uploads with the least it needs, to the first channel, and with an account that it remembers', async () => {
  await run('auth', 'add', ...account('alice'))
  const before = (await videosOf(alice.token)).length
  expect(await run('upload', '--file', film, '--video-name', 'The least', '--no-wait-transcoding')).toMatchObject({ code: 0, error: '' })
  const videos = await videosOf(alice.token)
  expect(videos.length).toBe(before + 1)
  const { uuid } = videos.find(({ name }: any) => name === 'The least')
  const video = await waitForTranscoding(site, alice, uuid)
  expect([video.channel.name, video.waitTranscoding, video.state.id]).toEqual(['alice_channel', false, 1])
})

it.each<[string, () => Promise<Outcome>, string]>([
  ['a wrong password', () => upload('alice', ['--video-name', 'No'], 'wrong'), 'Invalid grant: user credentials are invalid'],
  ['an unknown user', () => upload('nobody', ['--video-name', 'No']), 'Invalid grant: user credentials are invalid'],
  ['an exceeded quota', () => upload('poor', ['--video-name', 'Not here']), 'user quota is exceeded'],
  ['an unknown channel', () => upload('alice', ['--video-name', 'No', '--channel-name', 'nowhere']), 'Video channel not found'],
  ['a name that is too short', () => upload('alice', ['--video-name', 'No']), 'between 3 and 120 characters'],
  ['a tag that is too short', () => upload('alice', ['--video-name', 'A name', '--tags', 'a']), 'tags'],
  ['a category that does not exist', () => upload('alice', ['--video-name', 'A name', '--category', '99']), 'category'],
  ['a file that is no video', () => upload('alice', ['--video-name', 'A name', '--file', picture]), 'This file is not supported']
])('prints why %s is refused, fails, and nothing is stored', async (_, refused, reason) => {
  const stored = async () => [await runQuery(sql`SELECT id FROM videos ORDER BY id`), await storedFiles()]
  const before = await stored()
  const { code, error } = await refused()
  expect([code, error]).toEqual([REFUSED, expect.stringContaining(reason)])
  expect(await stored()).toEqual(before)
})

it('remembers, lists and forgets accounts, and none with a wrong password', async () => {
  expect(await run('auth', 'add', ...account('alice', 'wrong'))).toMatchObject({
    code: REFUSED,
    error: expect.stringContaining('Invalid grant: user credentials are invalid')
  })
  expect((await run('auth', 'list')).out).not.toContain(site.url)
  expect(await run('auth', 'add', ...account('alice'), '--default')).toMatchObject({ code: 0, error: '' })
  const { code, out } = await run('auth', 'list')
  expect([code, out]).toEqual([0, expect.stringMatching(new RegExp(`${site.url} .*alice `))])
  expect(await run('auth', 'del', site.url)).toMatchObject({ code: 0 })
  expect((await run('auth', 'list')).out).not.toContain(site.url)
})

it('prints an access token that is one', async () => {
  const { code, out } = await run('get-access-token', '--url', site.url, '-n', 'alice', '-p', 'password1')
  expect(code).toBe(0)
  expect((await site.call('GET /users/me', { token: out.trim() })).json.username).toBe('alice')
  expect(await run('get-access-token', '--url', site.url, '-n', 'alice', '-p', 'wrong')).toMatchObject({
    code: REFUSED,
    out: '',
    error: expect.stringContaining('Invalid grant: user credentials are invalid')
  })
})

it.each([
  ['redundancy', 'list-my-redundancies'],
  ['redundancy', 'list-remote-redundancies'],
  ['plugins', 'list']
])('says that this server has no routes for `%s %s`', async (...command) => {
  expect(await run(...command, '--url', site.url, '--username', 'root', '--password', site.rootPassword)).toMatchObject({
    code: REFUSED,
    error: expect.stringContaining('The server responded: "This API route does not exist."')
  })
})
