import { afterAll, beforeAll, expect, test } from 'vitest'
import { Worker } from 'bullmq'
import { config } from '../core/config.ts'
import { openQueue } from '../core/job.ts'
import { createRedisConnection, redis } from '../core/redis.ts'
import { runQuery, sql } from '../core/sql.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'

let instance: TestInstance
let root: string
let channelId: number
beforeAll(async () => {
  // No lower limits: the test machine may have little disk space or memory.
  instance = await startTestInstance(
    { webadmin: { health: { low_disk: 0, low_memory: 0, timeout: '20 seconds' } }, upload: { keep_free: 0 } },
    ['web']
  )
  root = await instance.login()
  channelId = (await instance.user('ada')).channelId
})
afterAll(async () => await instance?.stop())

const health = async () => (await instance.call('GET /server/health', { token: root })).json
const faultCodes = async () => (await health()).faults.map((one: { code: string }) => one.code) as string[]

test('reports versions, disk, memory and faults', async () => {
  const json = await health()
  expect(json).toMatchObject({
    version: expect.stringMatching(/^\d+\.\d+/),
    node: process.version,
    ffmpeg: expect.stringMatching(/^\S+$/),
    postgres: { version: expect.stringMatching(/^\d+/) },
    redis: { version: expect.stringMatching(/^\d+\./) },
    incoming: { waiting: 0 },
    rewrittenHost: null,
    outgoing: { waiting: 0, held: 0, unsendable: 0 },
    peers: { total: 0, failing: 0, open: 0, suspended: 0, refusing: [] }
  })
  expect(json.disk.total).toBeGreaterThan(json.disk.free)
  expect(json.memory.total).toBeGreaterThan(json.memory.available)
  for (const bytes of [json.memory.process, json.postgres.bytes, json.redis.bytes, json.uptime]) expect(bytes).toBeGreaterThan(0)
  expect(json.faults).toEqual([{ code: 'no_workers', bad: true }])
})

test('counts stored bytes and encodings by state', async () => {
  await seedVideo({ channelId, sourceSize: 1000, fileSizes: [10, 20] })
  await seedVideo({ channelId, sourceSize: 77, keptSource: false })
  const [late, failed, failedBefore] = [await seedVideo({ channelId }), await seedVideo({ channelId }), await seedVideo({ channelId })]
  await runQuery(sql`
    INSERT INTO transcodings (video_id, state, attempts, not_before, resolutions, created_at, updated_at) VALUES
      (${late.id}, 'waiting', 0, now(), '{}', now(), now() - interval '2 hours'),
      (${failed.id}, 'failed', 3, now(), '{}', now(), now()),
      (${failedBefore.id}, 'failed', 3, now(), '{}', now(), now() - interval '3 days')`)
  expect(await health()).toMatchObject({
    stored: { renditions: 30, originals: 1000, uploads: 0 },
    encodings: { waiting: 1, running: 0, failed: 2, failedLately: 1, late: 1 }
  })
  expect(await faultCodes()).toEqual(['no_workers', 'encodings_failed', 'encodings_late'])
})

test('reports workers, paused and failed jobs', async () => {
  const workers = ['transcoding', 'maintenance', 'federation'].map(
    name =>
      new Worker(
        name,
        async job => {
          if (job.name === 'fall-over') throw new Error('It fell over')
        },
        { connection: createRedisConnection({ maxRetriesPerRequest: null }), prefix: `${config.redis.prefix}:queue` }
      )
  )
  await eventually(async () => (await health()).jobs.workers === 1, 20, 'the workers')
  await (await openQueue('maintenance')).add('fall-over', {})
  await eventually(async () => (await health()).jobs.failedLately === 1, 20, 'the failure')
  await instance.call('POST /jobs/pause', { token: root })
  await (await openQueue('maintenance')).add('wait', {})
  expect((await health()).jobs).toMatchObject({ workers: 1, paused: true, waiting: 1, failed: 1 })
  expect(await faultCodes()).toEqual(['jobs_paused', 'encodings_failed', 'encodings_late', 'jobs_failed'])
  await instance.call('POST /jobs/resume', { token: root })
  expect((await health()).jobs.paused).toBe(false)
  await Promise.all(workers.map(async worker => await worker.close()))
  await eventually(async () => (await health()).jobs.workers === 0, 20, 'the workers to go')
})

test('counts servers with failed deliveries, each once', async () => {
  await runQuery(sql`
    INSERT INTO peers (host, failures, open_until, suspended_at) VALUES
      ('a.example', 0, NULL, NULL), ('b.example', 2, NULL, NULL), ('c.example', 9, now() + interval '1 hour', NULL),
      ('d.example', 90, now() + interval '1 hour', now()), ('e.example', 9, now() - interval '1 hour', NULL)`)
  expect((await health()).peers).toEqual({ total: 5, failing: 2, open: 1, suspended: 1, refusing: [] })
  expect((await health()).faults).toContainEqual({ code: 'peers_troubled', bad: false, count: 2 })
})

test('is only available to administrators', async () => {
  const users = [await instance.user('plain'), await instance.user('judge', { role: 1 })]
  expect((await instance.call('GET /server/health')).json).toMatchObject({ status: 401, code: 'unauthorized_request' })
  for (const { token } of users) expect((await instance.call('GET /server/health', { token })).status).toBe(403)
})

test('answers without Redis and reports the fault', async () => {
  redis.disconnect()
  const json = await health()
  expect([json.redis, json.jobs, json.faults[0]]).toEqual([null, null, { code: 'redis_gone', bad: true }])
  await redis.connect()
  await eventually(async () => (await health()).redis !== null, 20, 'Redis')
})
