import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openQueue } from '../core/job.ts'
import { Worker } from 'bullmq'
import { config } from '../core/config.ts'
import { createRedisConnection } from '../core/redis.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { findJsonShapeDifferences } from '../test/json-shape.ts'

const recorded = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8'))
let instance: TestInstance
let root: string
let worker: Worker
beforeAll(async () => {
  instance = await startTestInstance({}, ['web'])
  root = await instance.login()
  for (const number of [1, 2, 3]) await (await openQueue('maintenance')).add('count-sheep', { number })
  // Jobs are ordered by their timestamps in milliseconds.
  await sleep(5)
  await (await openQueue('transcoding')).add('fall-over', { videoId: 7 }, { attempts: 1, priority: 5 })
  await sleep(5)
  await (await openQueue('maintenance')).add('wait-long', {}, { delay: 3_600_000 })
})
afterAll(async () => {
  await worker?.close()
  await instance?.stop()
})

const list = async (path = '', query = '') => (await instance.call(`GET /jobs${path}${query}`, { token: root })).json
const types = (page: { data: { type: string }[] }) => page.data.map(one => one.type)

test('jobs of all queues and states, newest first, with the recorded shape', async () => {
  const all = await list()
  expect(all.total).toBe(5)
  expect(types(all)).toEqual(['wait-long', 'fall-over', 'count-sheep', 'count-sheep', 'count-sheep'])
  for (const job of all.data) expect(findJsonShapeDifferences(recorded.job, job)).toEqual([])
  expect(all.data[1]).toMatchObject({
    state: 'prioritized',
    type: 'fall-over',
    data: { videoId: 7 },
    priority: 5,
    progress: 0,
    error: null,
    finishedOn: null,
    processedOn: null
  })
  expect(types(await list('', '?sort=createdAt&count=1'))).toEqual(['count-sheep'])
})

test('jobs are filtered by state and type, and paged', async () => {
  expect(types(await list('/delayed'))).toEqual(['wait-long'])
  expect(await list('/active')).toEqual({ total: 0, data: [] })
  const sheep = await list('', '?jobType=count-sheep&start=1&count=1')
  expect(sheep.total).toBe(3)
  expect(sheep.data).toMatchObject([{ data: { number: 2 }, state: 'waiting' }])
  expect(await list('', '?jobType=nothing')).toEqual({ total: 0, data: [] })
})

test('a paused queue starts no job until it is resumed', async () => {
  expect((await instance.call('POST /jobs/pause', { token: root })).status).toBe(204)
  const done: number[] = []
  worker = new Worker(
    'maintenance',
    async job => {
      done.push(job.data.number as number)
    },
    { connection: createRedisConnection({ maxRetriesPerRequest: null }), prefix: `${config.redis.prefix}:queue` }
  )
  await worker.waitUntilReady()
  expect((await list('/paused')).total).toBe(3)
  expect((await list('/waiting')).total).toBe(0)
  expect(done).toEqual([])
  expect((await instance.call('POST /jobs/resume', { token: root })).status).toBe(204)
  await eventually(async () => done.length === 3, 10, 'the jobs to run')
  await eventually(async () => (await list('/completed')).total === 3, 10, 'the jobs to be complete')
  const [job] = (await list('/completed')).data
  expect(Date.parse(job.finishedOn)).toBeGreaterThanOrEqual(Date.parse(job.createdAt))
})

test('a failed job has its error', async () => {
  const failing = new Worker(
    'transcoding',
    async () => {
      throw new Error('It fell over')
    },
    { connection: createRedisConnection({ maxRetriesPerRequest: null }), prefix: `${config.redis.prefix}:queue` }
  )
  await eventually(async () => (await list('/failed')).total === 1, 10, 'the job to fail')
  await failing.close()
  expect((await list('/failed')).data[0]).toMatchObject({
    type: 'fall-over',
    state: 'failed',
    error: expect.stringMatching(/^Error: It fell over/)
  })
})

test('an unknown state and users who are no administrators are refused', async () => {
  expect(await list('/nope')).toMatchObject({
    status: 400,
    detail: 'Incorrect request parameters: state',
    'invalid-params': { state: { value: 'nope', msg: 'Invalid value', location: 'params' } }
  })
  expect((await list('', '?count=101')).status).toBe(400)
  const { token } = await instance.user('user1')
  const moderator = await instance.user('mod1', { role: 1 })
  for (const key of ['GET /jobs', 'GET /jobs/failed', 'POST /jobs/pause', 'POST /jobs/resume']) {
    expect((await instance.call(key)).json, key).toMatchObject({ status: 401, code: 'unauthorized_request' })
    expect((await instance.call(key, { token })).status, key).toBe(403)
    expect((await instance.call(key, { token: moderator.token })).status, key).toBe(403)
  }
})
