import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineJob, openQueue } from '../core/job.ts'
import { Worker } from 'bullmq'
import { config } from '../core/config.ts'
import { createRedisConnection } from '../core/redis.ts'
import { runQuery, sql } from '../core/sql.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { findJsonShapeDifferences } from '../test/json-shape.ts'

const recorded = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8'))
defineJob({ name: 'count-sheep', queue: 'maintenance', payload: z.unknown(), run: async () => {} })
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
  expect(await list('', '?jobType=email')).toEqual({ total: 0, data: [] })
  expect((await instance.call('GET /jobs?jobType=nothing', { token: root })).status).toBe(400)
})

describe('timers', () => {
  afterEach(async () => {
    for (const name of ['videos-views-stats', 'sweep-uploads']) await (await openQueue('maintenance')).removeJobScheduler(name)
  })

  test('that wait for their next run are no jobs, except that of views, as recorded', async () => {
    const before = await list('/delayed')
    for (const name of ['videos-views-stats', 'sweep-uploads'])
      await (await openQueue('maintenance')).upsertJobScheduler(name, { every: 3_600_000, offset: 1 }, { name, data: {} })
    const [added] = (await list('/delayed')).data
    expect(types(await list('/delayed')).sort()).toEqual([...types(before), 'videos-views-stats'].sort())
    expect(added).toMatchObject({ state: 'delayed', type: 'videos-views-stats', data: {} })
    expect((await list('', '?jobType=sweep-uploads')).total).toBe(0)
    expect((await list('/delayed')).total).toBe(before.total + 1)
  })
})

describe('what the federation has still to do', () => {
  const host = 'peer.example'
  const activity = { id: 'https://here.example/1', type: 'Like', object: "https://peer.example/<b>'; DROP TABLE outgoing" }
  beforeAll(async () => {
    const [actor] = await runQuery<{ id: number; url: string }>(sql`SELECT id, url FROM actors WHERE preferred_username = 'root' LIMIT 1`)
    await runQuery(sql`
      INSERT INTO outgoing (id, actor, type, activity, body, audience, lane, subject, fanned_out_at, not_before, set_aside_at) VALUES
        (101, ${actor!.url}, 'Like', ${JSON.stringify(activity)}::jsonb, NULL, '{}', 0, 's1', NULL, now(), NULL),
        (102, ${actor!.url}, 'View', ${JSON.stringify(activity)}::jsonb, NULL, '{}', 2, 's2', NULL, now() + interval '1 hour', NULL),
        (103, ${actor!.url}, 'Flag', '{}', '{"type":"Flag","content":"\\u0000"}', '{}', 1, 's3', now(), now(), NULL),
        (104, ${actor!.url}, 'Like', '{}', NULL, '{}', 0, 's4', NULL, now(), now())`)
    await runQuery(
      sql`INSERT INTO peers (host, open_until, last_error) VALUES (${host}, NULL, NULL), ('down.example', now() + interval '1 hour', 'gone')`
    )
    await runQuery(sql`
      INSERT INTO deliveries (id, outgoing_id, inbox_url, host, lane, subject, leased_until, not_before, expires_at, attempts) VALUES
        (201, 103, 'https://peer.example/inbox', ${host}, 1, 's3', NULL, now(), NULL, 0),
        (202, 103, 'https://peer.example/inbox2', ${host}, 1, 's3', now() + interval '1 minute', now(), NULL, 0),
        (203, 103, 'https://peer.example/inbox3', ${host}, 1, 's3', NULL, now() + interval '1 hour', NULL, 0),
        (204, 103, 'https://down.example/inbox', 'down.example', 1, 's3', NULL, now(), NULL, 3),
        (205, 103, 'https://peer.example/inbox5', ${host}, 1, 's3', NULL, now(), now() - interval '1 hour', 0)`)
    await runQuery(sql`
      INSERT INTO incoming (id, activity_id, digest, type, actor, signer, proof, host, subject, lane, body, leased_until, not_before, done_at) VALUES
        (301, 'https://peer.example/a1', '', 'Create', 'a', 'a', 'http', ${host}, 's', 0, '{oops', NULL, now(), NULL),
        (302, 'https://peer.example/a2', '', 'Create', 'a', 'a', 'http', ${host}, 's', 0, '{}', now() + interval '1 minute', now(), NULL),
        (303, 'https://peer.example/a3', '', 'Create', 'a', 'a', 'http', ${host}, 's', 0, NULL, NULL, now(), now())`)
    await runQuery(
      sql`INSERT INTO wanted_follows (id, actor_id, handle, attempts) VALUES (401, ${actor!.id}, 'channel@peer.example', 0), (402, ${actor!.id}, 'never@peer.example', 2)`
    )
    await runQuery(
      sql`INSERT INTO object_refreshes (url, attempts) VALUES ('https://peer.example/videos/1', 0), ('https://peer.example/videos/2', 1)`
    )
  })
  afterAll(async () => {
    for (const table of [sql`outgoing`, sql`incoming`, sql`wanted_follows`, sql`object_refreshes`, sql`peers`])
      await runQuery(sql`DELETE FROM ${table}`)
  })
  const ids = async (path: string, query = '?count=100') =>
    (await list(path, query)).data
      .map((job: { id: string }) => job.id)
      .filter((id: string) => /^[a-z]/.test(id))
      .sort()

  test('is listed as jobs of PeerTube, by state', async () => {
    expect(await ids('/waiting')).toEqual([
      'delivery-201',
      'follow-401',
      'incoming-301',
      'outgoing-101',
      'refresh-https://peer.example/videos/1'
    ])
    expect(await ids('/active')).toEqual(['delivery-202', 'incoming-302'])
    expect(await ids('/delayed')).toEqual(['delivery-203', 'delivery-204', 'outgoing-102'])
    for (const state of ['failed', 'completed', 'paused', 'prioritized']) expect(await ids(`/${state}`), state).toEqual([])
  })

  test('has the recorded shape and says what is to be done', async () => {
    const all = (await list('', '?count=100')).data
    const job = (id: string) => all.find((one: { id: string }) => one.id === id)
    for (const one of all) expect(findJsonShapeDifferences(recorded.job, one), one.id).toEqual([])
    expect(job('outgoing-101')).toMatchObject({ type: 'activitypub-http-broadcast', data: { contextType: 'Like', body: activity } })
    expect(job('delivery-201')).toMatchObject({
      type: 'activitypub-http-unicast',
      data: {
        uri: 'https://peer.example/inbox',
        contextType: 'Flag',
        signatureActorId: expect.any(Number),
        body: { type: 'Flag', content: '\0' }
      },
      error: null
    })
    expect(job('delivery-204').error).toBe('gone')
    expect(job('incoming-301')).toMatchObject({ type: 'activitypub-http-fetcher', data: { uri: 'https://peer.example/a1', body: '{oops' } })
    expect(job('follow-401')).toMatchObject({ type: 'activitypub-follow', data: { name: 'channel', host } })
    expect(job('refresh-https://peer.example/videos/1').type).toBe('activitypub-refresher')
  })

  test('is filtered, sorted and paged together with the jobs of the queues', async () => {
    const unicast = await list('', '?jobType=activitypub-http-unicast')
    expect([unicast.total, new Set(types(unicast))]).toEqual([4, new Set(['activitypub-http-unicast'])])
    for (const sort of ['createdAt', '-createdAt']) {
      const all = await list('', `?sort=${sort}&count=100`)
      const times = all.data.map((one: { createdAt: string }) => Date.parse(one.createdAt) * (sort === 'createdAt' ? 1 : -1))
      expect(times).toEqual([...times].sort((a, b) => a - b))
      const pages = await Promise.all(
        [...Array(all.total).keys()].map(async start => (await list('', `?sort=${sort}&start=${start}&count=1`)).data[0])
      )
      expect(pages).toEqual(all.data)
    }
  })

  test('is nothing after it is done', async () => {
    await runQuery(sql`DELETE FROM deliveries`)
    await runQuery(sql`UPDATE outgoing SET fanned_out_at = now()`)
    await runQuery(sql`UPDATE incoming SET done_at = now()`)
    await runQuery(sql`DELETE FROM wanted_follows WHERE attempts = 0`)
    await runQuery(sql`DELETE FROM object_refreshes WHERE attempts = 0`)
    for (const state of ['waiting', 'active', 'delayed']) expect(await ids(`/${state}`), state).toEqual([])
  })
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
