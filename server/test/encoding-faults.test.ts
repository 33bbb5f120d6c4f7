import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readMediaPlaylist } from '../media/hls-playlist.ts'
import { dropDatabaseConnections, seededRandom, wipeRedis } from './fault-injection.ts'
import { makeFootageBytes } from './footage.ts'
import { withTestDatabase, eventually } from './instance.ts'
import { startPeerInstance, type PeerInstance } from './peer-instance.ts'
import { waitForTranscoding, uploadVideo } from './upload.ts'

const exec = promisify(execFile)
const MOMENTS = 20
const SECONDS = 4
const SEED = 20_261_122
type Film = { id: number; uuid: string }

let peer: PeerInstance
let ada: { token: string; channelId: number }
let clock: string
let place: string
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'bobine-clock-'))
  clock = join(place, 'clock')
  await writeFile(clock, '0')
  peer = await startPeerInstance(
    {
      transcoding: {
        attempts: 50,
        retry_delay: 100,
        full_disk_delay: 500,
        reconcile_interval: 500,
        progress_interval: 200,
        stall_timeout: '20 seconds',
        resolutions: { '360p': false, '480p': false, '720p': false, '1080p': false }
      },
      jobs: { timers_interval: 500, lock_duration: '2 seconds', orphan_interval: 1000, orphan_age: '4 seconds' },
      upload: { keep_free: 0 }
    },
    ['web', 'worker'],
    { CLOCK: clock, NODE_OPTIONS: `--import=${new URL('./clock-skew.js', import.meta.url).href}` }
  )
  ada = await peer.user('ada')
})
afterAll(async () => {
  await peer?.stop()
  await rm(place, { recursive: true, force: true })
})

const folder = (name: string) => join(peer.folder, name)
const hls = (uuid: string) => folder(`streaming-playlists/hls/${uuid}`)

/** Half of the films can be copied for the first picture, the others have to be encoded. */
async function films(): Promise<Buffer<ArrayBuffer>[]> {
  return await Promise.all(
    [25, 250].map(
      async keyframes =>
        await makeFootageBytes({
          seconds: SECONDS,
          size: '640x360',
          video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', String(keyframes)]
        })
    )
  )
}

/** Uploads it until somebody has it, as a person does who gives up nothing; who sends it twice has two films. */
async function insist(film: Buffer<ArrayBuffer>): Promise<Film> {
  for (;;) {
    const made = await uploadVideo(peer, ada, {}, film).catch(() => null)
    if (made) return made
    await peer.start()
    await sleep(100)
  }
}

/** Published with all its renditions, each of them whole; nothing else in its folder. */
async function expectWhole({ uuid }: Film, resolutions = [360, 240, 0]): Promise<void> {
  const video = await waitForTranscoding(peer, ada, uuid)
  expect(video.state.id).toBe(1)
  const [playlist] = video.streamingPlaylists
  expect(playlist.files.map((file: any) => file.resolution.id)).toEqual(resolutions)
  const [last] = [playlist.playlistUrl, playlist.segmentsSha256Url].map((url: string) => url.split('/').at(-1)!)
  const expected = [last!, playlist.segmentsSha256Url.split('/').at(-1)!]
  for (const file of playlist.files) {
    const name = file.fileUrl.split('/').at(-1)!
    const list = file.playlistUrl.split('/').at(-1)!
    expected.push(name, list)
    const { segments, ended } = await readMediaPlaylist(join(hls(uuid), list))
    expect(ended).toBe(true)
    expect(segments.reduce((sum, one) => sum + one.duration, 0)).toBeCloseTo(SECONDS, 0)
    expect((await stat(join(hls(uuid), name))).size).toBe(file.size)
    if (!file.hasVideo) continue
    const { stdout } = await exec('ffprobe', [
      '-v',
      'error',
      '-select_streams',
      'v:0',
      '-count_frames',
      '-show_entries',
      'stream=nb_read_frames',
      '-of',
      'csv=p=0',
      join(hls(uuid), list)
    ])
    expect(Number.parseInt(stdout, 10)).toBe(SECONDS * 25)
  }
  // What an attempt that was killed left is swept.
  await expect.poll(async () => (await readdir(hls(uuid))).sort(), { timeout: 30_000 }).toEqual(expected.sort())
}

/** What the person is told to use is what lies there. */
async function expectQuota(): Promise<void> {
  const used = (await peer.call('GET /users/me/video-quota-used', { token: ada.token })).json.videoQuotaUsed
  const { data } = (await peer.call('GET /users/me/videos?count=100', { token: ada.token })).json
  let stored = 0
  for (const { uuid } of data)
    for (const file of (await peer.call(`GET /videos/${uuid}`, { token: ada.token })).json.streamingPlaylists[0]?.files ?? [])
      stored += file.size
  expect(used).toBe(stored)
}

async function killFfmpegs(): Promise<void> {
  const pids = (await exec('ps', ['-A', '-o', 'pid=,args='])).stdout
    .split('\n')
    .filter(line => /^ *\d+ ffmpeg /.test(line) && line.includes(peer.folder))
    .map(line => Number.parseInt(line, 10))
  for (const pid of pids)
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      /* it ended by itself */
    }
}

const FAULTS: { [name: string]: () => Promise<unknown> } = {
  'worker killed': async () => await peer.kill('worker'),
  'ffmpeg killed': killFfmpegs,
  'web killed': async () => await peer.kill('web'),
  'everything killed': async () => await peer.kill(),
  'Redis wiped': async () => await wipeRedis(peer.database),
  'Postgres restarted': async () => await dropDatabaseConnections(peer.database)
}

describe('whatever fails while films are encoded', () => {
  test(`at ${MOMENTS} moments: every film is published whole, once, and nothing is left over`, { timeout: 300_000 }, async () => {
    const random = seededRandom(SEED)
    const sources = await films()
    const made: Film[] = []
    const log: string[] = []
    for (let moment = 0; moment < MOMENTS; moment++) {
      made.push(await insist(sources[moment % 2]!))
      await sleep(random() * 1200)
      const name = Object.keys(FAULTS)[Math.floor(random() * Object.keys(FAULTS).length)]!
      log.push(name)
      await FAULTS[name]!()
      await peer.start()
    }
    try {
      for (const film of made) await expectWhole(film)
      // Also those whose upload was taken though its answer was lost.
      const { data } = (await peer.call('GET /users/me/videos?count=100', { token: ada.token })).json
      for (const film of data) await expectWhole(film)
      await expectQuota()
      expect(await readdir(folder('original-video-files')).catch(() => [])).toEqual([])
      expect((await readdir(folder('streaming-playlists/hls'))).sort()).toEqual(data.map((film: Film) => film.uuid).sort())
    } catch (error) {
      throw new Error(`After ${log.join(', ')}`, { cause: error })
    }
  })

  test('a film that is deleted, made private or asked for anew in the middle ends as its owner wished', async () => {
    const film = await makeFootageBytes({ seconds: 20, size: '640x360', video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '250'] })
    const middle = async (one: Film) =>
      await eventually(
        async () => (await peer.call(`GET /videos/${one.uuid}/transcoding`, { token: ada.token })).json.playable,
        30,
        'the middle'
      )
    const deleted = await uploadVideo(peer, ada, {}, film)
    await middle(deleted)
    expect((await peer.call(`DELETE /videos/${deleted.uuid}`, { token: ada.token })).status).toBe(204)
    await eventually(async () => !(await exec('ps', ['-A', '-o', 'args='])).stdout.includes(deleted.uuid), 20, 'ffmpeg to end')
    await eventually(
      async () =>
        await readdir(hls(deleted.uuid)).then(
          () => false,
          () => true
        ),
      20,
      'its folder to go'
    )
    const hidden = await uploadVideo(peer, ada, {}, film)
    await middle(hidden)
    expect((await peer.call(`PUT /videos/${hidden.uuid}`, { token: ada.token, body: { privacy: 3 } })).status).toBe(204)
    const video = await waitForTranscoding(peer, ada, hidden.uuid)
    expect(video).toMatchObject({ privacy: { id: 3 }, state: { id: 1 } })
    expect((await fetch(video.streamingPlaylists[0].playlistUrl)).status).toBe(403)
    expect((await fetch(video.streamingPlaylists[0].playlistUrl, { headers: { authorization: `Bearer ${ada.token}` } })).status).toBe(200)
    const anew = await uploadVideo(peer, ada, {}, film)
    await middle(anew)
    const root = await peer.login()
    expect(
      (await peer.call(`POST /videos/${anew.uuid}/transcoding`, { token: root, body: { transcodingType: 'hls', forceTranscoding: true } }))
        .status
    ).toBe(204)
    expect((await waitForTranscoding(peer, ada, anew.uuid)).streamingPlaylists[0].files.map((file: any) => file.resolution.id)).toEqual([
      360, 240, 0
    ])
    await expectQuota()
  })

  test('a source that is gone is told, and others go on', async () => {
    await peer.kill('worker')
    const [source] = await films()
    const lost = await uploadVideo(peer, ada, {}, source)
    await exec('find', [folder('original-video-files'), '-type', 'f', '-delete'])
    await withTestDatabase(
      async client => await client.query('UPDATE transcodings SET attempts = 49 WHERE video_id = $1', [lost.id]),
      peer.database
    )
    await peer.start()
    await eventually(
      async () => (await peer.call(`GET /videos/${lost.uuid}/transcoding`, { token: ada.token })).json.state === 'failed',
      60,
      'the failure'
    )
    expect((await peer.call(`GET /videos/${lost.uuid}`, { token: ada.token })).json.state.id).toBe(7)
    expect((await peer.call(`GET /videos/${lost.uuid}/transcoding`, { token: ada.token })).json.error).toBe(
      'The uploaded file is not there any more.'
    )
    expect((await peer.call(`DELETE /videos/${lost.uuid}`, { token: ada.token })).status).toBe(204)
    await expectWhole(await uploadVideo(peer, ada, {}, source))
  })

  test('a clock that jumps by days, forth and back, keeps no film from being published', async () => {
    const [copied, whole] = await films()
    const made: Film[] = []
    for (const days of [3, -2, 0]) {
      made.push(await uploadVideo(peer, ada, {}, whole))
      await sleep(300)
      await writeFile(clock, String(days * 86_400_000))
      made.push(await uploadVideo(peer, ada, {}, copied))
    }
    // To be tried again when, by a clock that went wrong, and with a Redis that knows nothing of it.
    const late = await uploadVideo(peer, ada, {}, whole)
    await peer.kill('worker')
    await withTestDatabase(
      async client =>
        await client.query("UPDATE transcodings SET state = 'waiting', not_before = now() + interval '3 days' WHERE video_id = $1", [
          late.id
        ]),
      peer.database
    )
    await wipeRedis(peer.database)
    await peer.start()
    for (const film of [...made, late]) await expectWhole(film)
    await expectQuota()
  })

  test('a full disk is told; nothing is published half, and it goes on when there is space', async context => {
    const place = folder('streaming-playlists')
    await mkdir(place, { recursive: true })
    const small = async (size: string, ...more: string[]) =>
      await exec('mount', ['-t', 'tmpfs', '-o', [`size=${size}`, 'mode=755', ...more].join(','), 'tmpfs', place])
    // Only an administrator of the system can make a small disk. No first segment of anything has room in this one, with its sound.
    if (
      !(await small('24k').then(
        () => true,
        () => false
      ))
    )
      return context.skip()
    try {
      const [, source] = await films()
      const film = await uploadVideo(peer, ada, {}, source)
      const told = await eventually(
        async () => {
          const now = (await peer.call(`GET /videos/${film.uuid}/transcoding`, { token: ada.token })).json
          return now.error && now
        },
        40,
        'the word of it'
      )
      expect(told).toMatchObject({
        error: 'The disk of the server is full; the encoding goes on when there is space.',
        rungs: [{ state: 'waiting' }, { state: 'waiting' }, { state: 'waiting' }]
      })
      // Nothing of it is published, whenever one looks, and the tries do not count.
      await sleep(2000)
      expect((await peer.call(`GET /videos/${film.uuid}`)).json.streamingPlaylists).toEqual([])
      expect(
        await withTestDatabase(
          async client => (await client.query('SELECT attempts, state FROM transcodings WHERE video_id = $1', [film.id])).rows,
          peer.database
        )
      ).toMatchObject([{ attempts: 0, state: expect.stringMatching(/waiting|running/) }])
      await small('50M', 'remount')
      await expectWhole(film)
    } finally {
      await exec('umount', ['-l', place])
    }
  })
})
