import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readMediaPlaylist } from '../media/hls-playlist.ts'
import { dropDatabaseConnections, wipeRedis } from './fault-injection.ts'
import { seededRandom } from './seeded-random.ts'
import { makeFootageBytes } from './footage.ts'
import { withTestDatabase, eventually } from './instance.ts'
import { startPeerInstance, type PeerInstance } from './peer-instance.ts'
import { waitForTranscoding, uploadVideo } from './upload.ts'

const exec = promisify(execFile)
/** The number of faults and the seed of their moments; `scripts/soak encoding` runs more. */
const MOMENTS = Number(process.env.MOMENTS ?? 8)
const SECONDS = 4
const SEED = Number(process.env.SEED ?? 20_261_122)
type Video = { id: number; uuid: string }

let peer: PeerInstance
let ada: { token: string; channelId: number }
let clock: string
let clockFolder: string
beforeAll(async () => {
  clockFolder = await mkdtemp(join(tmpdir(), 'bobine-clock-'))
  clock = join(clockFolder, 'clock')
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
      // A clock that jumps makes an upload that is arriving old: it has to end before the second look at it.
      jobs: { timers_interval: 500, lock_duration: '2 seconds', orphan_interval: '5 seconds', orphan_age: '4 seconds' },
      upload: { keep_free: 0 }
    },
    ['web', 'worker'],
    { CLOCK: clock, NODE_OPTIONS: `--import=${new URL('./clock-skew.js', import.meta.url).href}` }
  )
  ada = await peer.user('ada')
})
afterAll(async () => {
  await peer?.stop()
  await rm(clockFolder, { recursive: true, force: true })
})

const folder = (name: string) => join(peer.folder, name)
const hls = (uuid: string) => folder(`streaming-playlists/hls/${uuid}`)

/** Returns two videos: the streams of the first can be copied for early playback, the second has to be encoded. */
async function makeSources(): Promise<Buffer<ArrayBuffer>[]> {
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

/** Repeats an upload until it succeeds; a repeated upload may create two videos. */
async function uploadUntilAccepted(bytes: Buffer<ArrayBuffer>): Promise<Video> {
  for (;;) {
    const video = await uploadVideo(peer, ada, {}, bytes).catch(() => null)
    if (video) return video
    await peer.start()
    await sleep(100)
  }
}

/** Expects a video to be published with complete renditions of the given resolutions and no other files in its folder. */
async function expectComplete({ uuid }: Video, resolutions = [360, 240, 0]): Promise<void> {
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
  // Files of killed attempts are swept.
  await expect.poll(async () => (await readdir(hls(uuid))).sort(), { timeout: 30_000 }).toEqual(expected.sort())
}

/** Expects the reported quota usage to equal the size of the stored files. */
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

describe('faults while videos are encoded', () => {
  test(
    `at ${MOMENTS} moments: every video is published completely, once, and no other files remain`,
    { timeout: 120_000 + MOMENTS * 15_000 },
    async () => {
      const random = seededRandom(SEED)
      const sources = await makeSources()
      const videos: Video[] = []
      const log: string[] = []
      for (let moment = 0; moment < MOMENTS; moment++) {
        videos.push(await uploadUntilAccepted(sources[moment % 2]!))
        await sleep(random() * 1200)
        const name = Object.keys(FAULTS)[Math.floor(random() * Object.keys(FAULTS).length)]!
        log.push(name)
        await FAULTS[name]!()
        await peer.start()
      }
      try {
        // Includes uploads that succeeded although the response was lost.
        const { data } = (await peer.call('GET /users/me/videos?count=100', { token: ada.token })).json
        expect(data.map((video: Video) => video.uuid)).toEqual(expect.arrayContaining(videos.map(({ uuid }) => uuid)))
        for (const video of data) await expectComplete(video)
        await expectQuota()
        expect(await readdir(folder('original-video-files')).catch(() => [])).toEqual([])
        expect((await readdir(folder('streaming-playlists/hls'))).sort()).toEqual(data.map((video: Video) => video.uuid).sort())
      } catch (error) {
        throw new Error(`After ${log.join(', ')}`, { cause: error })
      }
    }
  )

  test('a video that is deleted, made private or re-encoded during its encoding gets the requested state', async () => {
    const source = await makeFootageBytes({ seconds: 20, size: '640x360', video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '250'] })
    const waitUntilPlayable = async (one: Video) =>
      await eventually(
        async () => (await peer.call(`GET /videos/${one.uuid}/transcoding`, { token: ada.token })).json.playable,
        30,
        'the middle'
      )
    const deleted = await uploadVideo(peer, ada, {}, source)
    await waitUntilPlayable(deleted)
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
    const hidden = await uploadVideo(peer, ada, {}, source)
    await waitUntilPlayable(hidden)
    expect((await peer.call(`PUT /videos/${hidden.uuid}`, { token: ada.token, body: { privacy: 3 } })).status).toBe(204)
    const video = await waitForTranscoding(peer, ada, hidden.uuid)
    expect(video).toMatchObject({ privacy: { id: 3 }, state: { id: 1 } })
    expect((await fetch(video.streamingPlaylists[0].playlistUrl)).status).toBe(403)
    expect((await fetch(video.streamingPlaylists[0].playlistUrl, { headers: { authorization: `Bearer ${ada.token}` } })).status).toBe(200)
    const reencoded = await uploadVideo(peer, ada, {}, source)
    await waitUntilPlayable(reencoded)
    const root = await peer.login()
    expect(
      (
        await peer.call(`POST /videos/${reencoded.uuid}/transcoding`, {
          token: root,
          body: { transcodingType: 'hls', forceTranscoding: true }
        })
      ).status
    ).toBe(204)
    expect(
      (await waitForTranscoding(peer, ada, reencoded.uuid)).streamingPlaylists[0].files.map((file: any) => file.resolution.id)
    ).toEqual([360, 240, 0])
    await expectQuota()
  })

  test('a missing source fails with its reason, and other videos are encoded', async () => {
    await peer.kill('worker')
    const [source] = await makeSources()
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
    await expectComplete(await uploadVideo(peer, ada, {}, source))
  })

  test('a clock that jumps by days, forward and back, prevents no video from being published', async () => {
    const [copied, whole] = await makeSources()
    const videos: Video[] = []
    for (const days of [3, -2, 0]) {
      videos.push(await uploadVideo(peer, ada, {}, whole))
      await sleep(300)
      await writeFile(clock, String(days * 86_400_000))
      videos.push(await uploadVideo(peer, ada, {}, copied))
    }
    // A retry scheduled by a wrong clock, with its Redis job lost.
    const rescheduled = await uploadVideo(peer, ada, {}, whole)
    await peer.kill('worker')
    await withTestDatabase(
      async client =>
        await client.query("UPDATE transcodings SET state = 'waiting', not_before = now() + interval '3 days' WHERE video_id = $1", [
          rescheduled.id
        ]),
      peer.database
    )
    await wipeRedis(peer.database)
    await peer.start()
    for (const video of [...videos, rescheduled]) await expectComplete(video)
    await expectQuota()
  })

  test('a full disk is reported, nothing is published partially, and the encoding resumes once there is space', async context => {
    const mountPoint = folder('streaming-playlists')
    await mkdir(mountPoint, { recursive: true })
    const mountSmallDisk = async (size: string, ...more: string[]) =>
      await exec('mount', ['-t', 'tmpfs', '-o', [`size=${size}`, 'mode=755', ...more].join(','), 'tmpfs', mountPoint])
    // Only root can mount a small disk. Not even a first segment with its audio fits into this one.
    if (
      !(await mountSmallDisk('24k').then(
        () => true,
        () => false
      ))
    )
      return context.skip()
    try {
      const [, source] = await makeSources()
      const video = await uploadVideo(peer, ada, {}, source)
      const status = await eventually(
        async () => {
          const now = (await peer.call(`GET /videos/${video.uuid}/transcoding`, { token: ada.token })).json
          return now.error && now
        },
        40,
        'the error'
      )
      expect(status).toMatchObject({
        error: 'The disk of the server is full; the encoding goes on when there is space.',
        rungs: [{ state: 'waiting' }, { state: 'waiting' }, { state: 'waiting' }]
      })
      // Nothing is published meanwhile, and the attempts are not counted.
      await sleep(2000)
      expect((await peer.call(`GET /videos/${video.uuid}`)).json.streamingPlaylists).toEqual([])
      expect(
        await withTestDatabase(
          async client => (await client.query('SELECT attempts, state FROM transcodings WHERE video_id = $1', [video.id])).rows,
          peer.database
        )
      ).toMatchObject([{ attempts: 0, state: expect.stringMatching(/waiting|running/) }])
      await mountSmallDisk('50M', 'remount')
      await expectComplete(video)
    } finally {
      await exec('umount', ['-l', mountPoint])
    }
  })
})
