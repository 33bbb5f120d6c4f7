import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { config } from '../core/config.ts'
import { run, sql } from '../core/sql.ts'
import { cutFilm } from '../media/chunk-encoder.ts'
import { ladder } from '../test/media-fixtures.ts'
import type { Plan } from '../media/ladder.ts'
import { hlsFolder, storedPath } from '../storage/disk.ts'
import { startInstance, type Instance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'
import { encodeLeased } from './leased-chunk.ts'
import { chunksOf, dropSplit, endLease, isSplit, leaseChunk, openSplit, renewLease } from './chunks.query.ts'

let site: Instance
let channelId: number
beforeAll(async () => {
  site = await startInstance({ transcoding: { attempts: 2 } }, ['web'])
  channelId = (await site.user('alice')).channelId
})
afterAll(async () => await site?.stop())
beforeEach(async () => {
  await run(sql`DELETE FROM videos`)
})

const plan: Plan = {
  copyVideo: null,
  encode: [{ resolution: 240, width: 426, height: 240, fps: 30000 / 1001, maxrate: 1 }],
  audios: [],
  audioOnly: false,
  splitAudio: true,
  audioRendition: false,
  keepsFrameTimes: true,
  settings: ladder
}
/** A film of 12 s that is being encoded, in three chunks. */
async function film({ priority = 0 } = {}): Promise<{ id: number; uuid: string; folder: string }> {
  const { id, uuid } = await seedVideo({ channelId })
  await run(
    sql`INSERT INTO transcodings (video_id, state, not_before, priority, created_at, updated_at) VALUES (${id}, 'running', now(), ${priority}, now(), now())`
  )
  await mkdir(hlsFolder(uuid), { recursive: true })
  return { id, uuid, folder: await openSplit({ id, uuid }, plan, cutFilm(12, 4, 2)) }
}
const expire = async () => await run(sql`UPDATE encoding_chunks SET leased_until = now() - interval '1 second'`)
const states = async (id: number) => (await chunksOf(id)).map(({ state }) => state)

it('many that lease at once get a chunk each, in the order of the film, the last without an end', async () => {
  const { id } = await film()
  const leased = (await Promise.all([...Array(6)].map(async () => await leaseChunk()))).filter(one => one !== undefined)
  expect(leased.sort((a, b) => a.number - b.number)).toEqual([
    { videoId: id, number: 0, lease: 1, start: 0, end: 4 },
    { videoId: id, number: 1, lease: 1, start: 4, end: 8 },
    { videoId: id, number: 2, lease: 1, start: 8, end: null }
  ])
  expect(await states(id)).toEqual(['running', 'running', 'running'])
})

it('what an administrator put first goes first; who asks for one film gets no other', async () => {
  const [first, urgent] = [await film(), await film({ priority: 1 })]
  expect((await leaseChunk())!.videoId).toBe(urgent.id)
  expect((await leaseChunk(first.id))!.videoId).toBe(first.id)
})

it('a chunk whose worker is not heard of any more is leased again, as often as encodings are tried', async () => {
  const { id } = await film()
  const lost = (await leaseChunk())!
  await expire()
  const again = (await leaseChunk())!
  expect(again).toMatchObject({ number: 0, lease: 2 })
  expect([await renewLease(lost), await endLease(lost, 'done'), await endLease(lost, 'failed')]).toEqual([false, false, false])
  expect((await chunksOf(id))[0]).toMatchObject({ state: 'running', lost: false })
  await expire()
  expect((await leaseChunk())!).toMatchObject({ number: 0, lease: 3 })
  await expire()
  expect((await leaseChunk())!.number).toBe(1)
  expect((await chunksOf(id))[0]).toMatchObject({ lost: true })
})

it('a run that failed counts, one that was let go does not', async () => {
  const { id } = await film()
  for (let time = 0; time < 4; time++) await endLease((await leaseChunk())!, 'released')
  expect((await chunksOf(id))[0]).toMatchObject({ state: 'waiting', lost: false, lease: 4 })
  for (let time = 0; time < config.transcoding.attempts; time++) await endLease((await leaseChunk())!, 'failed')
  expect((await chunksOf(id))[0]).toMatchObject({ state: 'waiting', lost: true })
})

it('a renewed lease is kept, and a chunk that is done stays done', async () => {
  const { id } = await film()
  const mine = (await leaseChunk())!
  await expire()
  expect(await renewLease(mine)).toBe(true)
  expect((await leaseChunk())!.number).toBe(1)
  expect([await endLease(mine, 'done'), await endLease(mine, 'failed'), await renewLease(mine)]).toEqual([true, false, false])
  expect(await states(id)).toEqual(['done', 'running', 'waiting'])
})

it('a film that is stopped or waits has no chunks to lease, and those under way are not renewed', async () => {
  const { id } = await film()
  const mine = (await leaseChunk())!
  for (const state of ['failed', 'waiting']) {
    await run(sql`UPDATE transcodings SET state = ${state} WHERE video_id = ${id}`)
    expect([await leaseChunk(), await renewLease(mine)]).toEqual([undefined, false])
  }
  await run(sql`DELETE FROM videos WHERE id = ${id}`)
  expect([await isSplit(id), await renewLease(mine), await endLease(mine, 'done'), await chunksOf(id)]).toEqual([false, false, false, []])
})

it('the same plan goes on with what is done; another one, or lost files, begin anew and leave nothing of before', async () => {
  const { id, uuid, folder } = await film()
  await writeFile(join(folder, '0-1-240.mp4'), 'a chunk')
  await endLease((await leaseChunk())!, 'done')
  expect(await openSplit({ id, uuid }, { ...plan }, cutFilm(12, 4, 2))).toBe(folder)
  expect(await states(id)).toEqual(['done', 'waiting', 'waiting'])
  const other = await openSplit({ id, uuid }, { ...plan, settings: { ...ladder, crf: 20 } }, cutFilm(12, 8, 2))
  expect(other).not.toBe(folder)
  expect(await states(id)).toEqual(['waiting', 'waiting'])
  expect((await readdir(hlsFolder(uuid))).map(name => join(hlsFolder(uuid), name))).toEqual([other])
  await dropSplit({ id, uuid })
  expect([await readdir(hlsFolder(uuid)), await isSplit(id)]).toEqual([[], false])
})

it('who only helps leaves a chunk to others where there is no memory to spare', async () => {
  const { id } = await film()
  await run(
    sql`INSERT INTO video_sources (video_id, input_filename, filename, size, created_at, updated_at) VALUES (${id}, 'film.mp4', 'film.mp4', 4, now(), now())`
  )
  await mkdir(dirname(storedPath('original_video_files', 'film.mp4')), { recursive: true })
  await writeFile(storedPath('original_video_files', 'film.mp4'), 'no film')
  const before = config.transcoding.spare_memory
  const { signal } = new AbortController()
  try {
    config.transcoding.spare_memory = 2 ** 50
    expect(await encodeLeased((await leaseChunk())!, { signal, helping: true })).toBe(false)
    const [kept] = await run<{ state: string; failures: number }>(
      sql`SELECT state, failures FROM encoding_chunks WHERE video_id = ${id} AND number = 0`
    )
    expect(kept).toEqual({ state: 'waiting', failures: 0 })
    // Whose film it is tries all the same.
    expect(await encodeLeased((await leaseChunk())!, { signal })).toBe(true)
    config.transcoding.spare_memory = 0
    expect(await encodeLeased((await leaseChunk())!, { signal, helping: true })).toBe(true)
  } finally {
    config.transcoding.spare_memory = before
  }
  const [tried] = await run<{ failures: number }>(sql`SELECT failures FROM encoding_chunks WHERE video_id = ${id} AND number = 0`)
  expect(tried!.failures).toBe(2)
})
