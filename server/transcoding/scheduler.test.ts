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
type Person = Awaited<ReturnType<TestInstance['user']>>
let site: TestInstance
let root: string
let ada: Person
let bob: Person
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
const sparse = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '250']
/** A film that has to be encoded, and takes a while. */
const long = async () => await makeFootageBytes({ seconds: 16, size: '960x540', video: sparse })
/** One that is copied for the first picture, with one small rung to encode. */
const short = async () =>
  await makeFootageBytes({ seconds: 3, size: '640x360', video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'] })
/** How the ffmpegs that encode a video stand: T is held. */
const states = async (uuid: string) =>
  (await exec('ps', ['-A', '-o', 'stat=,args='])).stdout
    .split('\n')
    .filter(line => /^\S+ +ffmpeg /.test(line) && line.includes(uuid) && line.includes('-f hls'))
    .map(line => line[0])
const resolutions = (video: any) => video.streamingPlaylists[0].files.map((file: any) => file.resolution.id)
const rowOf = async (id: number) =>
  (
    await runQuery<{ state: string; attempts: number; error: string | null; spent: number }>(
      sql`SELECT state, attempts, error, spent FROM transcodings WHERE video_id = ${id}`
    )
  )[0]!

describe('whose turn it is', () => {
  const seeded: number[] = []
  afterEach(async () => {
    for (const id of seeded.splice(0)) await runQuery(sql`DELETE FROM videos WHERE id = ${id}`)
  })
  /** An encoding in the queue of which no worker may take any: they are not due. */
  const open = async ({ channelId }: Person, cost: number, { priority = 0, watchable = false, state = 'waiting' } = {}) => {
    const { id } = await seedVideo({ channelId, privacy: 3, fileSizes: watchable ? [1] : [] })
    seeded.push(id)
    await runQuery(
      sql`INSERT INTO transcodings (video_id, state, not_before, cost, priority, spent, created_at, updated_at) VALUES (${id}, ${state}, now() + interval '30 minutes', ${cost}, ${priority}, ${state === 'done' ? cost / 100 : 0}, now(), now())`
    )
    return id
  }
  const order = async () => (await listOpenEncodings()).map(one => one.videoId)

  test('short films pass long ones', async () => {
    const [film, clip, middle] = [await open(ada, 9000), await open(bob, 10), await open(ada, 500)]
    expect(await order()).toEqual([clip, middle, film])
  })

  test('what nobody can watch yet goes before what somebody can', async () => {
    const [more, first] = [await open(ada, 10, { watchable: true }), await open(bob, 9000)]
    expect(await order()).toEqual([first, more])
  })

  test('whoever sends many stands behind who sends few', async () => {
    const many = []
    for (let index = 0; index < 10; index++) many.push(await open(ada, 100))
    const one = await open(bob, 450)
    expect(await order()).toEqual([...many.slice(0, 4), one, ...many.slice(4)])
  })

  test('also behind what was encoded of late', async () => {
    await open(ada, 1000, { state: 'done' })
    const [of, small] = [await open(bob, 500), await open(ada, 10)]
    expect(await order()).toEqual([of, small])
    await runQuery(sql`UPDATE transcodings SET updated_at = now() - interval '2 hours' WHERE state = 'done'`)
    expect(await order()).toEqual([small, of])
  })

  test("an administrator's word goes before all that", async () => {
    const [last, plain, first] = [
      await open(ada, 1, { priority: -1 }),
      await open(bob, 5),
      await open(ada, 9000, { priority: 1, watchable: true })
    ]
    expect(await order()).toEqual([first, plain, last])
  })

  test('owners read their place, and about how long it takes once anything has been encoded', async () => {
    const [clip, film] = [await open(bob, 1000), await open(ada, 9000)]
    expect(await progress(`${film}`, ada.token)).toMatchObject({ state: 'waiting', position: 2, startsIn: null })
    await open(bob, 400, { state: 'done' })
    expect(await progress(`${film}`, ada.token)).toMatchObject({ position: 2, startsIn: 10 })
    expect(await progress(`${clip}`, bob.token)).toMatchObject({ position: 1, startsIn: 0 })
    const { data } = (await site.call('GET /server/transcodings?state=waiting', { token: root })).json
    expect(data.map((one: any) => [one.video.id, one.position])).toEqual([
      [film, 2],
      [clip, 1]
    ])
  })

  test('administrators say what goes first, and refuse what makes no sense', async () => {
    const [film, clip] = [await open(ada, 9000), await open(bob, 10)]
    const say = async (id: number | string, priority: unknown, token = root) =>
      (await site.call(`PUT /server/transcodings/${id}`, { token, body: { priority } })).status
    expect(await say(film, 'high')).toBe(204)
    expect(await order()).toEqual([film, clip])
    expect(await say(film, 'low')).toBe(204)
    expect(await order()).toEqual([clip, film])
    expect([await say(film, 'now'), await say('nonsense', 'high'), await say(999_999, 'high'), await say(film, 'high', ada.token)]).toEqual(
      [400, 400, 404, 403]
    )
    await runQuery(sql`UPDATE transcodings SET state = 'done' WHERE video_id = ${clip}`)
    expect(await say(clip, 'high')).toBe(400)
  })
})

describe('the encodings of a worker', () => {
  test('a short film does not wait for a long one, which is held meanwhile and loses nothing', async () => {
    const film = await uploadVideo(site, ada, {}, await long())
    await eventually(async () => (await progress(film.uuid)).playable, 30, 'the long film')
    const clip = await uploadVideo(site, bob, {}, await short())
    await eventually(async () => (await states(film.uuid)).includes('T'), 20, 'the long film to be held')
    await waitForTranscoding(site, bob, clip.uuid)
    expect((await progress(film.uuid)).state).toBe('running')
    await eventually(async () => (await states(film.uuid)).every(state => state !== 'T'), 20, 'the long film to go on')
    const video = await waitForTranscoding(site, ada, film.uuid)
    expect(resolutions(video)).toEqual([540, 240, 0])
    for (const file of video.streamingPlaylists[0].files.filter((one: any) => one.hasVideo)) {
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
    expect((await rowOf(film.id)).spent).toBeGreaterThan(0)
  })

  test("an administrator's word turns those that were begun around at once, in every worker", async () => {
    const film = await uploadVideo(site, ada, {}, await long())
    await eventually(async () => (await states(film.uuid)).length > 0, 20, 'the first to begin')
    const other = await uploadVideo(site, bob, {}, await long())
    await eventually(
      async () => (await states(film.uuid)).includes('T') && (await states(other.uuid)).some(state => state !== 'T'),
      60,
      'the first to be held'
    )
    // No job can tell it now: what one process hears all of them do.
    await site.call('POST /jobs/pause', { token: root })
    try {
      expect((await site.call(`PUT /server/transcodings/${film.uuid}`, { token: root, body: { priority: 'high' } })).status).toBe(204)
      await eventually(
        async () => (await states(film.uuid)).every(state => state !== 'T') && (await states(other.uuid)).includes('T'),
        10,
        'the turn'
      )
    } finally {
      await site.call('POST /jobs/resume', { token: root })
    }
    for (const one of [film, other]) await site.call(`DELETE /videos/${one.uuid}`, { token: root })
  })

  test('without memory to spare one is encoded after the other', async () => {
    const before = config.transcoding.spare_memory
    config.transcoding.spare_memory = 2 ** 50
    try {
      const film = await uploadVideo(site, ada, {}, await makeFootageBytes({ seconds: 8, size: '640x360', video: sparse }))
      await eventually(async () => (await progress(film.uuid)).state === 'running', 30, 'the long film')
      const clip = await uploadVideo(site, bob, {}, await short())
      await waitForTranscoding(site, bob, clip.uuid)
      expect((await progress(film.uuid)).state).toBe('done')
    } finally {
      config.transcoding.spare_memory = before
    }
  })

  test('one that an administrator stops ends at once; what is finished stays, and the rest can be asked for again', async () => {
    const film = await uploadVideo(
      site,
      ada,
      {},
      await makeFootageBytes({ seconds: 25, size: '1280x720', video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'] })
    )
    await eventually(
      async () => {
        const { rungs } = await progress(film.uuid)
        return rungs.some((rung: any) => rung.state === 'done') && rungs.some((rung: any) => rung.state === 'growing')
      },
      40,
      'the smaller rung'
    )
    expect((await site.call(`DELETE /server/transcodings/${film.uuid}`, { token: ada.token })).status).toBe(403)
    expect((await site.call(`DELETE /server/transcodings/${film.uuid}`, { token: root })).status).toBe(204)
    await eventually(async () => (await states(film.uuid)).length === 0, 10, 'ffmpeg to end')
    await eventually(async () => resolutions((await site.call(`GET /videos/${film.uuid}`)).json).length === 2, 10, 'what was begun to go')
    expect(await progress(film.uuid)).toMatchObject({ state: 'failed', playable: true, error: 'An administrator stopped the encoding.' })
    const video = (await site.call(`GET /videos/${film.uuid}`)).json
    expect([video.state.id, resolutions(video)]).toEqual([1, [720, 0]])
    expect((await site.call(`DELETE /server/transcodings/${film.uuid}`, { token: root })).status).toBe(400)
    expect((await site.call(`POST /videos/${film.uuid}/transcoding`, { token: root, body: { transcodingType: 'hls' } })).status).toBe(204)
    expect(resolutions(await waitForTranscoding(site, ada, film.uuid))).toEqual([720, 240, 0])
  })

  test('one that is stopped before anything can be watched has failed, waiting or running', async () => {
    const blocker = await uploadVideo(site, ada, {}, await long())
    await runQuery(sql`UPDATE transcodings SET priority = 1 WHERE video_id = ${blocker.id}`)
    const waiting = await uploadVideo(site, bob, {}, await short())
    await runQuery(sql`UPDATE transcodings SET priority = -1 WHERE video_id = ${waiting.id}`)
    for (const film of [waiting, blocker]) {
      expect((await site.call(`DELETE /server/transcodings/${film.uuid}`, { token: root })).status).toBe(204)
      await eventually(
        async () =>
          (await site.call(`GET /videos/${film.uuid}`, { token: root })).json.state.id === 7 || (await progress(film.uuid)).playable,
        20,
        'the end'
      )
    }
    await eventually(async () => (await states(blocker.uuid)).length === 0, 10, 'ffmpeg to end')
    expect((await progress(blocker.uuid)).state).toBe('failed')
  })

  test('a lost lock ends the encoding, which is begun anew by whoever has the lock', async () => {
    const film = await uploadVideo(site, ada, {}, await makeFootageBytes({ seconds: 12, size: '960x540', video: sparse }))
    await eventually(async () => (await progress(film.uuid)).playable, 30, 'the film')
    const [first] = (await exec('pgrep', ['-f', `ffmpeg .*${film.uuid}`])).stdout.trim().split('\n')
    const [lost] = await runQuery<{ ended: boolean }>(
      sql`SELECT pg_terminate_backend(pid) AS ended FROM pg_locks WHERE locktype = 'advisory' AND classid = ${LOCK_CLASSES.TRANSCODING} AND objid = ${film.id}`
    )
    expect(lost!.ended).toBe(true)
    await eventually(
      async () => !(await exec('pgrep', ['-f', `ffmpeg .*${film.uuid}`]).catch(() => ({ stdout: '' }))).stdout.includes(first!),
      20,
      'the first ffmpeg to end'
    )
    const { enqueueOpenTranscodings } = await import('./reconcile-transcoding.job.ts')
    await eventually(
      async () => {
        await enqueueOpenTranscodings()
        return (await rowOf(film.id)).state === 'done'
      },
      60,
      'the second try'
    )
    expect(await rowOf(film.id)).toMatchObject({ attempts: 0, error: null })
    expect(resolutions((await site.call(`GET /videos/${film.uuid}`)).json)).toEqual([540, 240, 0])
  })
})
