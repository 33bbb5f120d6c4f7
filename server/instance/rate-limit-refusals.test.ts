import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { LIMITERS } from '../../shared/rate-limits.ts'
import { config, projectFolder } from '../core/config.ts'
import { overrideInternals } from '../core/internals.ts'
import { logger } from '../core/logger.ts'
import { listRefusals, recordRefusal, removeOldRefusals, REFUSALS, stopCountingRefusals } from '../core/rate-limit-refusals.ts'
import { runQuery, sql } from '../core/sql.ts'
import { enforceSenderRateLimit } from '../fediverse/rate-limit.ts'
import { wipeRedis } from '../test/fault-injection.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'

let instance: TestInstance
let root: string
const lines: { limiter: string; from: string; count: number; request?: string }[] = []
beforeAll(async () => {
  instance = await startTestInstance(
    {
      signup: { enabled: true, limit: -1 },
      trust_proxy: ['loopback'],
      rates_limit: Object.fromEntries(
        ['login', 'signup', 'api', 'client', 'files', 'activity_pub', 'upload', 'video_password'].map(name => [
          name,
          { window: '5 minutes', max: name === 'api' ? 20 : 2 }
        ])
      )
    },
    ['web']
  )
  root = await instance.login()
  vi.spyOn(logger, 'warn').mockImplementation(((message: string, details: (typeof lines)[0]) => {
    if (message === 'Requests were refused by a rate limit') lines.push(details)
    return logger
  }) as never)
})
afterAll(async () => {
  vi.restoreAllMocks()
  await instance?.stop()
})
beforeEach(async () => {
  await stopCountingRefusals()
  await runQuery(sql`DELETE FROM rate_limit_refusals`)
  await wipeRedis(config.redis.prefix)
  lines.length = 0
  config.log.anonymize_ip = false
})

const health = async () => (await instance.call('GET /server/health', { token: root })).json
const refusals = async () => (await health()).refusals
const request = async (path: string, ip: string, options: RequestInit = {}) =>
  (await fetch(instance.url + path, { redirect: 'manual', ...options, headers: { 'x-forwarded-for': ip, ...options.headers } })).status

const SENT = { method: 'POST' }
test.each<[string, string, RequestInit]>([
  ['api', '/api/v1/videos?search=a-secret', {}],
  ['login', '/api/v1/users/token', SENT],
  ['signup', '/api/v1/users/register', SENT],
  ['upload', '/api/v1/videos/upload-resumable?upload_id=1', { method: 'PUT' }],
  ['client', '/about', {}],
  ['files', '/lazy-static/thumbnails/none.jpg', {}],
  ['activity_pub', '/.well-known/webfinger', {}]
])('what the limit %s refuses is counted, with the address, and logged without the query', async (limiter, path, options) => {
  const statuses = []
  const { max } = config.rates_limit[limiter as 'api']
  for (let number = 0; number < max + 3; number++) statuses.push(await request(path, '203.0.113.5', options))
  expect(statuses.slice(max)).toEqual([429, 429, 429])
  expect(statuses.slice(0, max)).not.toContain(429)
  const [counted, ...others] = await refusals()
  expect(others).toEqual([])
  expect(counted).toEqual({
    limiter,
    refusals: 3,
    lastAt: expect.any(String),
    addresses: [{ address: '203.0.113.5', refusals: 3, lastAt: counted.lastAt }],
    others: 0
  })
  expect(Math.abs(Date.now() - Date.parse(counted.lastAt))).toBeLessThan(20_000)
  expect(lines).toEqual([{ limiter, from: '203.0.113.5', count: 1, request: `${options.method ?? 'GET'} ${path.replace(/\?.*/, '')}` }])
})

test("wrong passwords of videos and users, other servers' deliveries and unfinished uploads are counted, too", async () => {
  const ada = await instance.user('ada')
  const video = await seedVideo({ channelId: ada.channelId, privacy: 5 })
  for (let number = 0; number < 4; number++)
    await request(`/api/v1/videos/${video.uuid}`, '203.0.113.6', { headers: { 'x-peertube-video-password': 'guess' } })
  for (let number = 0; number < 3; number++)
    await request('/api/v1/users/me', '203.0.113.7', {
      method: 'DELETE',
      headers: { authorization: `Bearer ${ada.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ currentPassword: 'guess' })
    })
  const { max } = config.federation.inbox.per_host
  for (let number = 0; number < max + 2; number++) {
    const act = () => enforceSenderRateLimit({ host: 'loud.example' })
    if (number < max) act()
    else expect(act).toThrow('Too many messages')
  }
  const { max_per_user } = config.upload
  const { max_waiting } = config.federation.inbox
  config.upload.max_per_user = 0
  config.federation.inbox.max_waiting = 2
  try {
    const started = await instance.call('POST /videos/upload-resumable', {
      token: ada.token,
      body: { name: 'Film', channelId: ada.channelId, filename: 'film.mp4' },
      headers: { 'x-forwarded-for': '203.0.113.8', 'x-upload-content-length': '1000', 'x-upload-content-type': 'video/mp4' }
    })
    expect(started.json.code).toBe('too_many_uploads')
    const statuses = []
    for (let number = 0; number < 4; number++)
      statuses.push(
        await request('/inbox', '203.0.113.9', {
          method: 'POST',
          headers: { 'content-type': 'application/activity+json', signature: 'keyId="https://innocent.example/key"' },
          body: JSON.stringify({ id: `https://innocent.example/${number}`, type: 'Like', actor: 'https://innocent.example/a', object: 'x' })
        })
      )
    expect(statuses).toEqual([401, 401, 429, 429])
  } finally {
    config.upload.max_per_user = max_per_user
    config.federation.inbox.max_waiting = max_waiting
  }
  const listed = await refusals()
  expect(
    Object.fromEntries(
      listed.map((one: { limiter: string; refusals: number; addresses: { address: string }[] }) => [
        one.limiter,
        [one.refusals, ...one.addresses.map(({ address }) => address)]
      ])
    )
  ).toEqual({
    video_password: [2, '203.0.113.6'],
    login: [1, '203.0.113.7'],
    inbox: [2, 'loud.example'],
    // Not the host that the deliveries claim to come from: nothing has verified it.
    inbox_capacity: [2, '203.0.113.9'],
    unfinished_uploads: [1, '203.0.113.8']
  })
})

test('addresses are anonymized as in the log', async () => {
  config.log.anonymize_ip = true
  for (const ip of ['203.0.113.5', '203.0.113.77', '::ffff:203.0.113.78', '2001:db8:1:2::7', '2001:db8:1:99::8'])
    recordRefusal({ limiter: 'login', ip })
  const [counted] = await refusals()
  expect(counted.addresses.map((one: { address: string; refusals: number }) => [one.address, one.refusals])).toEqual([
    ['203.0.113.0', 3],
    ['2001:db8:1::', 2]
  ])
  expect(lines.map(({ from }) => from)).toEqual(['203.0.113.0', '2001:db8:1::'])
  expect(JSON.stringify(await runQuery(sql`SELECT * FROM rate_limit_refusals`))).not.toMatch(/113\.[57]|1:2:|:99/)
})

test('one line for each limiter and address a minute says how many there were', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  try {
    for (let number = 0; number < 50; number++) recordRefusal({ limiter: 'login', ip: '203.0.113.5' })
    recordRefusal({ limiter: 'api', ip: '203.0.113.5' })
    recordRefusal({ limiter: 'login', ip: '203.0.113.6' })
    expect(lines.map(({ limiter, from, count }) => [limiter, from, count])).toEqual([
      ['login', '203.0.113.5', 1],
      ['api', '203.0.113.5', 1],
      ['login', '203.0.113.6', 1]
    ])
    vi.setSystemTime(Date.now() + REFUSALS.logInterval - 1)
    recordRefusal({ limiter: 'login', ip: '203.0.113.5' })
    expect(lines.length).toBe(3)
    vi.setSystemTime(Date.now() + 1)
    recordRefusal({ limiter: 'login', ip: '203.0.113.5' })
    expect(lines[3]).toMatchObject({ from: '203.0.113.5', count: 51 })
  } finally {
    vi.useRealTimers()
  }
  for (let number = 0; number < 7; number++) recordRefusal({ limiter: 'login', ip: '203.0.113.5' })
  // What no line has told yet is told when the process stops.
  await stopCountingRefusals()
  expect(lines.slice(4)).toMatchObject([{ from: '203.0.113.5', count: 7 }])
})

test('an attack from many addresses fills neither memory, database, log nor the answer', async () => {
  const before = process.memoryUsage().heapUsed
  for (let number = 0; number < 200_000; number++)
    recordRefusal({ limiter: 'files', ip: `2001:db8:${(number >> 8).toString(16)}:${(number & 255).toString(16)}::1` })
  for (let number = 0; number < 200; number++) recordRefusal({ limiter: 'files', ip: '2001:db8:0:7::9' })
  recordRefusal({ limiter: 'inbox', host: 'x'.repeat(100_000) })
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * 2 ** 20)
  expect(lines.length).toBe(REFUSALS.maxAddresses + 2)
  const listed = await refusals()
  expect(listed[0]).toMatchObject({ limiter: 'files', refusals: 200_200, others: 200_200 - 201 - 9 })
  expect(listed[0].addresses.length).toBe(10)
  expect(listed[0].addresses[0]).toMatchObject({ address: '2001:db8:0:7::/64', refusals: 201 })
  expect(listed[1].addresses[0].address.length).toBeLessThan(300)
  const [row] = await runQuery<{ count: number }>(sql`SELECT count(*)::int AS count FROM rate_limit_refusals`)
  expect(row!.count).toBe(REFUSALS.maxAddresses + 2)
})

test('addresses that change every minute fill no more rows of an hour, those of the next hour have their own', async () => {
  const interval = REFUSALS.interval
  overrideInternals(REFUSALS, { interval: 10 })
  vi.useFakeTimers({ toFake: ['Date'], now: Math.floor(Date.now() / 3_600_000) * 3_600_000 })
  const rows = async () =>
    await runQuery<{ rows: number; refusals: number }>(
      sql`SELECT count(*)::int AS rows, sum(refusals)::int AS refusals FROM rate_limit_refusals GROUP BY hour ORDER BY hour`
    )
  const saved = async (expected: object[]) => await vi.waitFor(async () => expect(await rows()).toEqual(expected), 10_000)
  try {
    for (let minute = 0; minute < 5; minute++) {
      for (let number = 0; number < 150; number++) recordRefusal({ limiter: 'files', ip: `198.51.${minute}.${number}` })
      await saved([{ rows: REFUSALS.maxAddresses + 1, refusals: 150 * (minute + 1) }])
      vi.setSystemTime(Date.now() + 2 * REFUSALS.logInterval)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    vi.setSystemTime(Date.now() + 3_600_000)
    // The counts of the hour before are forgotten on a timer; a new address has an entry of its own then.
    await vi.waitFor(async () => {
      recordRefusal({ limiter: 'files', ip: '203.0.113.5' })
      await listRefusals()
      const [row] = await runQuery<{ hours: number }>(
        sql`SELECT count(*)::int AS hours FROM rate_limit_refusals WHERE address = '203.0.113.5'`
      )
      expect(row!.hours).toBe(1)
    }, 10_000)
  } finally {
    vi.useRealTimers()
    overrideInternals(REFUSALS, { interval })
  }
})

test('every source that refuses too many requests reports it, and every limiter is reported', () => {
  const sources = readdirSync(join(projectFolder, 'server'), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.startsWith('test/'))
    .map(path => [path, readFileSync(join(projectFolder, 'server', path), 'utf8')] as const)
  const refusing = sources.filter(([, text]) =>
    /(Problem|Error)\(\s*429\b|\btooManyRequests\(|'too_many_uploads'|\brateLimit\(\{/.test(text)
  )
  const expected = ['core/attempt-limit.ts', 'core/request-rate-limit.ts', 'fediverse/rate-limit.ts', 'uploads/reserve-space.ts']
  expect(
    refusing
      .map(([path]) => path)
      .filter(path => path !== 'instance/error-codes.ts')
      .toSorted()
  ).toEqual(expected)
  for (const path of expected) expect(sources.find(([known]) => known === path)![1], path).toContain('recordRefusal({')
  // Addresses are made keys of a limit by one function.
  expect(sources.filter(([, text]) => /ipKeyGenerator|\bisIPv6\b/.test(text)).map(([path]) => path)).not.toContain(
    'views/watch-sessions.ts'
  )
  const reported = sources.flatMap(([, text]) => [...text.matchAll(/(?:limiter: |attemptLimit\()'(\w+)'/g)].map(([, name]) => name))
  const classes = Object.keys(config.rates_limit)
  expect(LIMITERS.filter(name => !reported.includes(name) && !classes.includes(name))).toEqual([])
  expect(classes.filter(name => !(LIMITERS as readonly string[]).includes(name))).toEqual([])
})

test('what was refused in other processes and hours before is added, what is older than a day is not, and is removed', async () => {
  await runQuery(sql`INSERT INTO rate_limit_refusals VALUES
    (date_trunc('hour', now() - interval '3 hours'), 'login', '203.0.113.5', 40, now() - interval '3 hours'),
    (date_trunc('hour', now() - interval '25 hours'), 'login', '203.0.113.5', 1000, now() - interval '25 hours')`)
  recordRefusal({ limiter: 'login', ip: '203.0.113.5' })
  await listRefusals()
  recordRefusal({ limiter: 'login', ip: '203.0.113.5' })
  expect((await refusals())[0]).toMatchObject({ refusals: 42, addresses: [{ address: '203.0.113.5', refusals: 42 }] })
  await removeOldRefusals()
  expect(await runQuery(sql`SELECT sum(refusals)::int AS sum FROM rate_limit_refusals`)).toEqual([{ sum: 42 }])
})

test('whoever may not see the health does not see it', async () => {
  const { token } = await instance.user('judge', { role: 1 })
  expect((await instance.call('GET /server/health', { token })).status).toBe(403)
})
