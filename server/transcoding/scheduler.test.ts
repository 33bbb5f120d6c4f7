import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { makeFootageBytes } from '../test/footage.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'
import { waitForTranscoding, uploadVideo } from '../test/upload.ts'
import { listOpenEncodings } from './queue-order.query.ts'
import { LOCK_CLASSES } from '../core/locks.ts'

const exec = promisify(execFile)
type TestUser = Awaited<ReturnType<TestInstance['user']>>
let site: TestInstance
let root: string
let ada: TestUser
let bob: TestUser
beforeAll(async () => {
  site = await startTestInstance({
    transcoding: {
      reconcile_interval: '1 hour',
      preset: 'fast',
      replace_heavy_copies: false,
      resolutions: { '360p': false, '480p': false, '1080p': false }
    }
  })
  root = await site.login()
  ;[ada, bob] = [await site.user('ada'), await site.user('bob')]
})
afterAll(async () => await site?.stop())

const progress = async (uuid: string, token = root) => (await site.call(`GET /videos/${uuid}/transcoding`, { token })).json
const sparseKeyframeArgs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '250']
/** A video that has to be encoded, which takes a while. */
const makeLongVideo = async () => await makeFootageBytes({ seconds: 16, size: '960x540', video: sparseKeyframeArgs })
/** A video whose stream is copied, with one small rendition to encode. */
const makeShortVideo = async () =>
  await makeFootageBytes({ seconds: 3, size: '640x360', video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'] })
/** The process states of the ffmpegs that encode a video: T is paused. */
const ffmpegStates = async (uuid: string) =>
  (await exec('ps', ['-A', '-o', 'stat=,args='])).stdout
    .split('\n')
    .filter(line => /^\S+ +ffmpeg /.test(line) && line.includes(uuid) && line.includes('-f hls'))
    .map(line => line[0])
const resolutionsOf = (video: any) => video.streamingPlaylists[0].files.map((file: any) => file.resolution.id)
const rowOf = async (id: number) =>
  (
    await runQuery<{ state: string; attempts: number; error: string | null; spent: number }>(
      sql`SELECT state, attempts, error, spent FROM transcodings WHERE video_id = ${id}`
    )
  )[0]!

describe('the order of the queue', () => {
  const seeded: number[] = []
  afterEach(async () => {
    for (const id of seeded.splice(0)) await runQuery(sql`DELETE FROM videos WHERE id = ${id}`)
  })
  /** Adds an encoding to the queue that no worker claims, since it is not due. */
  const addEncoding = async (
    { channelId }: TestUser,
    cost: number,
    { priority = 0, watchable: playable = false, state = 'waiting' } = {}
  ) => {
    const { id } = await seedVideo({ channelId, privacy: 3, fileSizes: playable ? [1] : [] })
    seeded.push(id)
    await runQuery(
      sql`INSERT INTO transcodings (video_id, state, not_before, cost, priority, spent, created_at, updated_at)
        VALUES (${id}, ${state}, now() + interval '30 minutes', ${cost}, ${priority}, ${state === 'done' ? cost / 100 : 0}, now(), now())`
    )
    return id
  }
  const queuedIds = async () => (await listOpenEncodings()).map(single => single.videoId)

  test('short videos overtake long ones', async () => {
    const [longVideo, shortVideo, middle] = [await addEncoding(ada, 9000), await addEncoding(bob, 10), await addEncoding(ada, 500)]
    expect(await queuedIds()).toEqual([shortVideo, middle, longVideo])
  })

  test('videos that are not playable yet come before playable ones', async () => {
    const [playableOne, first] = [await addEncoding(ada, 10, { watchable: true }), await addEncoding(bob, 9000)]
    expect(await queuedIds()).toEqual([first, playableOne])
  })

  test('owners of many uploads do not block owners of few', async () => {
    const several = []
    for (let index = 0; index < 10; index++) several.push(await addEncoding(ada, 100))
    const single = await addEncoding(bob, 450)
    expect(await queuedIds()).toEqual([...several.slice(0, 4), single, ...several.slice(4)])
  })

  test('recent encodings of an owner count too', async () => {
    await addEncoding(ada, 1000, { state: 'done' })
    const [larger, smaller] = [await addEncoding(bob, 500), await addEncoding(ada, 10)]
    expect(await queuedIds()).toEqual([larger, smaller])
    await runQuery(sql`UPDATE transcodings SET updated_at = now() - interval '2 hours' WHERE state = 'done'`)
    expect(await queuedIds()).toEqual([smaller, larger])
  })

  test('the priority set by an administrator comes first', async () => {
    const [last, plain, first] = [
      await addEncoding(ada, 1, { priority: -1 }),
      await addEncoding(bob, 5),
      await addEncoding(ada, 9000, { priority: 1, watchable: true })
    ]
    expect(await queuedIds()).toEqual([first, plain, last])
  })

  test('owners get their position, and an estimated start once anything has been encoded', async () => {
    const [shortVideo, longVideo] = [await addEncoding(bob, 1000), await addEncoding(ada, 9000)]
    expect(await progress(`${longVideo}`, ada.token)).toMatchObject({ state: 'waiting', position: 2, startsIn: null })
    await addEncoding(bob, 400, { state: 'done' })
    expect(await progress(`${longVideo}`, ada.token)).toMatchObject({ position: 2, startsIn: 10 })
    expect(await progress(`${shortVideo}`, bob.token)).toMatchObject({ position: 1, startsIn: 0 })
    const { data } = (await site.call('GET /server/transcodings?state=waiting', { token: root })).json
    expect(data.map((single: any) => [single.video.id, single.position])).toEqual([
      [longVideo, 2],
      [shortVideo, 1]
    ])
  })

  test('administrators set priorities; invalid requests are refused', async () => {
    const [longVideo, shortVideo] = [await addEncoding(ada, 9000), await addEncoding(bob, 10)]
    const setPriority = async (id: number | string, priority: unknown, token = root) =>
      (await site.call(`PUT /server/transcodings/${id}`, { token, body: { priority } })).status
    expect(await setPriority(longVideo, 'high')).toBe(204)
    expect(await queuedIds()).toEqual([longVideo, shortVideo])
    expect(await setPriority(longVideo, 'low')).toBe(204)
    expect(await queuedIds()).toEqual([shortVideo, longVideo])
    expect([
      await setPriority(longVideo, 'now'),
      await setPriority('nonsense', 'high'),
      await setPriority(999_999, 'high'),
      await setPriority(longVideo, 'high', ada.token)
    ]).toEqual([400, 400, 404, 403])
    await runQuery(sql`UPDATE transcodings SET state = 'done' WHERE video_id = ${shortVideo}`)
    expect(await setPriority(shortVideo, 'high')).toBe(400)
  })
})

describe('the encodings of a worker', () => {
  test('a short video does not wait for a long one, which is paused meanwhile and loses no frame', async () => {
    const longVideo = await uploadVideo(site, ada, {}, await makeLongVideo())
    await eventually(async () => (await progress(longVideo.uuid)).playable, 30, 'the long film')
    const shortVideo = await uploadVideo(site, bob, {}, await makeShortVideo())
    await eventually(async () => (await ffmpegStates(longVideo.uuid)).includes('T'), 20, 'the long film to be held')
    await waitForTranscoding(site, bob, shortVideo.uuid)
    expect((await progress(longVideo.uuid)).state).toBe('running')
    await eventually(async () => (await ffmpegStates(longVideo.uuid)).every(state => state !== 'T'), 20, 'the long film to go on')
    const video = await waitForTranscoding(site, ada, longVideo.uuid)
    expect(resolutionsOf(video)).toEqual([540, 240, 0])
    for (const file of video.streamingPlaylists[0].files.filter((encoding: any) => encoding.hasVideo)) {
      const { stdout } = await exec('ffprobe', [
        '-v',
        'error',
        '-select_streams',
        'v:0',
        '-count_packets',
        '-show_entries',
        'stream=nb_read_packets',
        '-of',
        'csv=p=0',
        file.playlistUrl
      ])
      expect(Number.parseInt(stdout, 10)).toBe(400)
    }
    expect((await rowOf(longVideo.id)).spent).toBeGreaterThan(0)
  })

  test('a changed priority pauses and resumes started encodings at once, in every worker', async () => {
    const longVideo = await uploadVideo(site, ada, {}, await makeLongVideo())
    await eventually(async () => (await ffmpegStates(longVideo.uuid)).length > 0, 20, 'the first to begin')
    const other = await uploadVideo(site, bob, {}, await makeLongVideo())
    await eventually(
      async () => (await ffmpegStates(longVideo.uuid)).includes('T') && (await ffmpegStates(other.uuid)).some(state => state !== 'T'),
      60,
      'the first to be held'
    )
    // With jobs paused the change is only announced by the event.
    await site.call('POST /jobs/pause', { token: root })
    try {
      expect((await site.call(`PUT /server/transcodings/${longVideo.uuid}`, { token: root, body: { priority: 'high' } })).status).toBe(204)
      await eventually(
        async () => (await ffmpegStates(longVideo.uuid)).every(state => state !== 'T') && (await ffmpegStates(other.uuid)).includes('T'),
        10,
        'the turn'
      )
    } finally {
      await site.call('POST /jobs/resume', { token: root })
    }
    for (const encoding of [longVideo, other]) await site.call(`DELETE /videos/${encoding.uuid}`, { token: root })
  })

  test('without spare memory one is encoded after the other', async () => {
    const previous = config.transcoding.spare_memory
    config.transcoding.spare_memory = 2 ** 50
    try {
      const longVideo = await uploadVideo(site, ada, {}, await makeFootageBytes({ seconds: 8, size: '640x360', video: sparseKeyframeArgs }))
      await eventually(async () => (await progress(longVideo.uuid)).state === 'running', 30, 'the long film')
      const shortVideo = await uploadVideo(site, bob, {}, await makeShortVideo())
      await waitForTranscoding(site, bob, shortVideo.uuid)
      expect((await progress(longVideo.uuid)).state).toBe('done')
    } finally {
      config.transcoding.spare_memory = previous
    }
  })

  test('a stopped encoding ends at once; finished renditions stay, and it can be queued again', async () => {
    const longVideo = await uploadVideo(
      site,
      ada,
      {},
      await makeFootageBytes({ seconds: 25, size: '1280x720', video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'] })
    )
    await eventually(
      async () => {
        const { rungs } = await progress(longVideo.uuid)
        return rungs.some((rung: any) => rung.state === 'done') && rungs.some((rung: any) => rung.state === 'growing')
      },
      40,
      'the smaller rung'
    )
    expect((await site.call(`DELETE /server/transcodings/${longVideo.uuid}`, { token: ada.token })).status).toBe(403)
    expect((await site.call(`DELETE /server/transcodings/${longVideo.uuid}`, { token: root })).status).toBe(204)
    await eventually(async () => (await ffmpegStates(longVideo.uuid)).length === 0, 10, 'ffmpeg to end')
    await eventually(
      async () => resolutionsOf((await site.call(`GET /videos/${longVideo.uuid}`)).json).length === 2,
      10,
      'what was begun to go'
    )
    expect(await progress(longVideo.uuid)).toMatchObject({
      state: 'failed',
      playable: true,
      error: 'An administrator stopped the encoding.'
    })
    const video = (await site.call(`GET /videos/${longVideo.uuid}`)).json
    expect([video.state.id, resolutionsOf(video)]).toEqual([1, [720, 0]])
    expect((await site.call(`DELETE /server/transcodings/${longVideo.uuid}`, { token: root })).status).toBe(400)
    expect((await site.call(`POST /videos/${longVideo.uuid}/transcoding`, { token: root, body: { transcodingType: 'hls' } })).status).toBe(
      204
    )
    expect(resolutionsOf(await waitForTranscoding(site, ada, longVideo.uuid))).toEqual([720, 240, 0])
  })

  test('an encoding stopped before anything is playable has failed, waiting or running', async () => {
    const blocker = await uploadVideo(site, ada, {}, await makeLongVideo())
    await runQuery(sql`UPDATE transcodings SET priority = 1 WHERE video_id = ${blocker.id}`)
    const waiting = await uploadVideo(site, bob, {}, await makeShortVideo())
    await runQuery(sql`UPDATE transcodings SET priority = -1 WHERE video_id = ${waiting.id}`)
    for (const longVideo of [waiting, blocker]) {
      expect((await site.call(`DELETE /server/transcodings/${longVideo.uuid}`, { token: root })).status).toBe(204)
      await eventually(
        async () =>
          (await site.call(`GET /videos/${longVideo.uuid}`, { token: root })).json.state.id === 7 ||
          (await progress(longVideo.uuid)).playable,
        20,
        'the end'
      )
    }
    await eventually(async () => (await ffmpegStates(blocker.uuid)).length === 0, 10, 'ffmpeg to end')
    expect((await progress(blocker.uuid)).state).toBe('failed')
  })

  test('a lost lock ends the encoding, which starts again under a new lock', async () => {
    const longVideo = await uploadVideo(site, ada, {}, await makeFootageBytes({ seconds: 12, size: '960x540', video: sparseKeyframeArgs }))
    await eventually(async () => (await progress(longVideo.uuid)).playable, 30, 'the film')
    const [first] = (await exec('pgrep', ['-f', `ffmpeg .*${longVideo.uuid}`])).stdout.trim().split('\n')
    const [terminated] = await runQuery<{ ended: boolean }>(
      sql`SELECT pg_terminate_backend(pid) AS ended FROM pg_locks
        WHERE locktype = 'advisory' AND classid = ${LOCK_CLASSES.TRANSCODING} AND objid = ${longVideo.id}`
    )
    expect(terminated!.ended).toBe(true)
    await eventually(
      async () => !(await exec('pgrep', ['-f', `ffmpeg .*${longVideo.uuid}`]).catch(() => ({ stdout: '' }))).stdout.includes(first!),
      20,
      'the first ffmpeg to end'
    )
    const { enqueueOpenTranscodings } = await import('./reconcile-transcoding.job.ts')
    await eventually(
      async () => {
        await enqueueOpenTranscodings()
        return (await rowOf(longVideo.id)).state === 'done'
      },
      60,
      'the second try'
    )
    expect(await rowOf(longVideo.id)).toMatchObject({ attempts: 0, error: null })
    expect(resolutionsOf((await site.call(`GET /videos/${longVideo.uuid}`)).json)).toEqual([540, 240, 0])
  })
})
