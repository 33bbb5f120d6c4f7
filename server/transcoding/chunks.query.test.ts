import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { splitIntoChunks } from '../media/chunk-encoder.ts'
import { testLadderSettings } from '../test/media-settings.ts'
import type { TranscodingPlan } from '../media/ladder.ts'
import { hlsFolder, storedFilePath } from '../storage/disk.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'
import { encodeLeasedChunk } from './leased-chunk.ts'
import {
  listChunks,
  deleteEncodingSplit,
  endChunkLease,
  hasEncodingSplit,
  leaseNextChunk,
  findOrCreateEncodingSplit,
  renewChunkLease
} from './chunks.query.ts'

let site: TestInstance
let channelId: number
beforeAll(async () => {
  site = await startTestInstance({ transcoding: { attempts: 2 } }, ['web'])
  channelId = (await site.user('alice')).channelId
})
afterAll(async () => await site?.stop())
beforeEach(async () => {
  await runQuery(sql`DELETE FROM videos`)
})

const plan: TranscodingPlan = {
  copyVideo: null,
  encode: [{ resolution: 240, width: 426, height: 240, fps: 30000 / 1001, maxrate: 1 }],
  audios: [],
  audioOnly: false,
  splitAudio: true,
  audioRendition: false,
  keepsFrameTimes: true,
  settings: testLadderSettings
}
/** Creates a video of 12 s that is being encoded, in three chunks. */
async function createSplitVideo({ priority = 0 } = {}): Promise<{ id: number; uuid: string; folder: string }> {
  const { id, uuid } = await seedVideo({ channelId })
  await runQuery(
    sql`INSERT INTO transcodings (video_id, state, not_before, priority, created_at, updated_at)
      VALUES (${id}, 'running', now(), ${priority}, now(), now())`
  )
  await mkdir(hlsFolder(uuid), { recursive: true })
  return { id, uuid, folder: await findOrCreateEncodingSplit({ id, uuid }, plan, splitIntoChunks(12, 4, 2)) }
}
const expireLeases = async () => await runQuery(sql`UPDATE encoding_chunks SET leased_until = now() - interval '1 second'`)
const states = async (id: number) => (await listChunks(id)).map(({ state }) => state)

it('concurrent leases get one chunk each, in order, the last without an end', async () => {
  const { id } = await createSplitVideo()
  const leased = (await Promise.all([...Array(6)].map(async () => await leaseNextChunk()))).filter(chunk => chunk !== undefined)
  expect(leased.sort((a, b) => a.number - b.number)).toEqual([
    { videoId: id, number: 0, lease: 1, start: 0, end: 4 },
    { videoId: id, number: 1, lease: 1, start: 4, end: 8 },
    { videoId: id, number: 2, lease: 1, start: 8, end: null }
  ])
  expect(await states(id)).toEqual(['running', 'running', 'running'])
})

it('chunks of a prioritized video come first; a lease for one video gets no other', async () => {
  const [first, urgent] = [await createSplitVideo(), await createSplitVideo({ priority: 1 })]
  expect((await leaseNextChunk())!.videoId).toBe(urgent.id)
  expect((await leaseNextChunk(first.id))!.videoId).toBe(first.id)
})

it('a chunk whose lease expired is leased again, up to the configured attempts', async () => {
  const { id } = await createSplitVideo()
  const lostLease = (await leaseNextChunk())!
  await expireLeases()
  const again = (await leaseNextChunk())!
  expect(again).toMatchObject({ number: 0, lease: 2 })
  expect([await renewChunkLease(lostLease), await endChunkLease(lostLease, 'done'), await endChunkLease(lostLease, 'failed')]).toEqual([
    false,
    false,
    false
  ])
  expect((await listChunks(id))[0]).toMatchObject({ state: 'running', lost: false })
  await expireLeases()
  expect((await leaseNextChunk())!).toMatchObject({ number: 0, lease: 3 })
  await expireLeases()
  expect((await leaseNextChunk())!.number).toBe(1)
  expect((await listChunks(id))[0]).toMatchObject({ lost: true })
})

it('failed attempts count, released ones do not', async () => {
  const { id } = await createSplitVideo()
  for (let time = 0; time < 4; time++) await endChunkLease((await leaseNextChunk())!, 'released')
  expect((await listChunks(id))[0]).toMatchObject({ state: 'waiting', lost: false, lease: 4 })
  for (let time = 0; time < config.transcoding.attempts; time++) await endChunkLease((await leaseNextChunk())!, 'failed')
  expect((await listChunks(id))[0]).toMatchObject({ state: 'waiting', lost: true })
})

it('a renewed lease does not expire, and a finished chunk stays done', async () => {
  const { id } = await createSplitVideo()
  const lease = (await leaseNextChunk())!
  await expireLeases()
  expect(await renewChunkLease(lease)).toBe(true)
  expect((await leaseNextChunk())!.number).toBe(1)
  expect([await endChunkLease(lease, 'done'), await endChunkLease(lease, 'failed'), await renewChunkLease(lease)]).toEqual([
    true,
    false,
    false
  ])
  expect(await states(id)).toEqual(['done', 'running', 'waiting'])
})

it('without a running encoding no chunk is leased and no lease is renewed', async () => {
  const { id } = await createSplitVideo()
  const lease = (await leaseNextChunk())!
  for (const state of ['failed', 'waiting']) {
    await runQuery(sql`UPDATE transcodings SET state = ${state} WHERE video_id = ${id}`)
    expect([await leaseNextChunk(), await renewChunkLease(lease)]).toEqual([undefined, false])
  }
  await runQuery(sql`DELETE FROM videos WHERE id = ${id}`)
  expect([await hasEncodingSplit(id), await renewChunkLease(lease), await endChunkLease(lease, 'done'), await listChunks(id)]).toEqual([
    false,
    false,
    false,
    []
  ])
})

it('the same plan reuses finished chunks; another one starts again and deletes the old chunks', async () => {
  const { id, uuid, folder } = await createSplitVideo()
  await writeFile(join(folder, '0-1-240.mp4'), 'a chunk')
  await endChunkLease((await leaseNextChunk())!, 'done')
  expect(await findOrCreateEncodingSplit({ id, uuid }, { ...plan }, splitIntoChunks(12, 4, 2))).toBe(folder)
  expect(await states(id)).toEqual(['done', 'waiting', 'waiting'])
  const otherFolder = await findOrCreateEncodingSplit(
    { id, uuid },
    { ...plan, settings: { ...testLadderSettings, crf: 20 } },
    splitIntoChunks(12, 8, 2)
  )
  expect(otherFolder).not.toBe(folder)
  expect(await states(id)).toEqual(['waiting', 'waiting'])
  expect((await readdir(hlsFolder(uuid))).map(name => join(hlsFolder(uuid), name))).toEqual([otherFolder])
  await deleteEncodingSplit({ id, uuid })
  expect([await readdir(hlsFolder(uuid)), await hasEncodingSplit(id)]).toEqual([[], false])
})

it('a helping worker releases the chunk if there is no spare memory', async () => {
  const { id } = await createSplitVideo()
  await runQuery(
    sql`INSERT INTO video_sources (video_id, input_filename, filename, size, created_at, updated_at)
      VALUES (${id}, 'film.mp4', 'film.mp4', 4, now(), now())`
  )
  await mkdir(dirname(storedFilePath('original_video_files', 'film.mp4')), { recursive: true })
  await writeFile(storedFilePath('original_video_files', 'film.mp4'), 'no film')
  const previous = config.transcoding.spare_memory
  const { signal } = new AbortController()
  try {
    config.transcoding.spare_memory = 2 ** 50
    expect(await encodeLeasedChunk((await leaseNextChunk())!, { signal, helping: true })).toBe(false)
    const [chunk] = await runQuery<{ state: string; failures: number }>(
      sql`SELECT state, failures FROM encoding_chunks WHERE video_id = ${id} AND number = 0`
    )
    expect(chunk).toEqual({ state: 'waiting', failures: 0 })
    // The worker that owns the encoding tries in any case.
    expect(await encodeLeasedChunk((await leaseNextChunk())!, { signal })).toBe(true)
    config.transcoding.spare_memory = 0
    expect(await encodeLeasedChunk((await leaseNextChunk())!, { signal, helping: true })).toBe(true)
  } finally {
    config.transcoding.spare_memory = previous
  }
  const [chunk] = await runQuery<{ failures: number }>(sql`SELECT failures FROM encoding_chunks WHERE video_id = ${id} AND number = 0`)
  expect(chunk!.failures).toBe(2)
})
