import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cacheUse, getCachedOrCompute } from '../core/versioned-cache.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'

let site: TestInstance
beforeAll(async () => {
  site = await startTestInstance({ rates_limit: { api: { window: '10 seconds', max: 100_000 } } })
})
afterAll(async () => await site?.stop())

describe('errors', () => {
  it('are application/problem+json with status, code and detail', async () => {
    const unknown = await site.call('GET /unknown')
    expect([unknown.status, unknown.headers.get('content-type')]).toEqual([400, 'application/problem+json; charset=utf-8'])
    expect(
      (
        await site.call('POST /users/register', {
          headers: { 'content-type': 'application/json' },
          body: new TextEncoder().encode('{oops')
        })
      ).json
    ).toMatchObject({ status: 400, detail: 'The body is not valid JSON.' })
    expect((await site.call('POST /users/register', { body: { username: 'a'.repeat(200_000) } })).json).toMatchObject({
      status: 413,
      code: 'PayloadTooLargeError'
    })
    expect((await site.call('GET /users/me', { headers: { authorization: 'nonsense' } })).json).toMatchObject({
      status: 400,
      code: 'invalid_request'
    })
    expect((await site.call('GET /users/me', { token: 'bad' })).json).toMatchObject({ status: 401, code: 'invalid_token' })
    expect((await site.call('GET /videos?start=a&nsfw=maybe&isLive=x')).json).toMatchObject({
      status: 400,
      detail: 'Incorrect request parameters: start, nsfw, isLive'
    })
    expect((await site.call('GET /videos?count=101')).json['invalid-params'].count).toMatchObject({
      msg: 'Should have a number count (max: 100)',
      location: 'query'
    })
    expect((await site.call('GET /videos?sort=unknown')).status).toBe(400)
  })

  it('are never 5xx, whatever the parameters are', async () => {
    const malformedValues = [
      '%',
      '%ff',
      '\u0000',
      "' OR 1=1 --",
      '[]',
      '{}',
      'a'.repeat(5000),
      '🎬',
      '-1',
      '1e9',
      'NaN',
      'true',
      '__proto__',
      '../..'
    ]
    for (const name of [
      'start',
      'count',
      'sort',
      'nsfw',
      'categoryOneOf',
      'tagsOneOf',
      'tagsAllOf',
      'search',
      'host',
      'languageOneOf',
      'include',
      'privacyOneOf'
    ]) {
      for (const value of malformedValues) {
        for (const query of [
          `${name}=${encodeURIComponent(value)}`,
          `${name}[]=${encodeURIComponent(value)}`,
          `${name}[x][y][z]=${encodeURIComponent(value)}`
        ]) {
          const { status, text } = await site.call(`GET /videos?${query}`)
          expect([query.slice(0, 100), status < 500, text.includes('at ')]).toEqual([query.slice(0, 100), true, false])
        }
      }
    }
    for (const path of ['/%', '/%ff', '/accounts/%00', '/accounts/a%27b', '/video-channels/x@y@z', '/videos/%2e%2e'])
      expect((await site.call(`GET ${path}`)).status).toBeLessThan(500)
    for (const body of [null, [], 1, 'x', { username: null }, { username: {}, password: [] }])
      expect((await site.call('POST /users/register', { body })).status).toBeLessThan(500)
  })
})

it('allows every origin and answers preflights', async () => {
  const preflight = await site.call('OPTIONS /videos', { headers: { origin: 'http://x.example', 'access-control-request-method': 'GET' } })
  expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, '*'])
  const { headers } = await site.call('GET /videos')
  expect(headers.get('access-control-allow-origin')).toBe('*')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('x-ratelimit-limit')).toBe('100000')
})

it('answers a known ETag with 304', async () => {
  const first = await site.call('GET /videos?count=5')
  const second = await site.call('GET /videos?count=5', {
    headers: { 'if-none-match': first.headers.get('etag')!, 'cache-control': 'max-age=0' }
  })
  expect([second.status, second.text]).toEqual([304, ''])
})

describe('cached responses', () => {
  it('are computed again after any commit, and only then', async () => {
    let computations = 0
    const readCounter = async () => (await getCachedOrCompute('test:counter', async () => Buffer.from(String(++computations)))).toString()
    // Retried: background work of the instance may commit in between.
    const unchangedAcross = async (between: () => Promise<unknown>) => {
      for (let attempt = 0; attempt < 100; attempt++) {
        const before = await readCounter()
        await between()
        if ((await readCounter()) === before) return before
      }
      throw new Error('It is computed again every time')
    }
    const before = await unchangedAcross(async () => undefined)
    await runQuery(sql`UPDATE users SET updated_at = now()`)
    expect(Number(await readCounter())).toBeGreaterThan(Number(before))
    await unchangedAcross(async () => await runQuery(sql`SELECT count(*) FROM users`))
    await expect(unchangedAcross(async () => await runQuery(sql`UPDATE users SET updated_at = now()`))).rejects.toThrow('every time')
  })

  it('contain every commit in the next response under load', async () => {
    const read = async () =>
      Number(
        (
          await getCachedOrCompute('test:name', async () => {
            const [row] = await runQuery<{ views: string }>(sql`SELECT admin_flags AS views FROM users WHERE id = 1`)
            return Buffer.from(String(row!.views))
          })
        ).toString()
      )
    let written = 0
    let finished = false
    const readers = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (!finished) {
          const before = written
          const seen = await read()
          expect(seen).toBeGreaterThanOrEqual(before)
        }
      })
    )
    for (let i = 1; i <= 100; i++) {
      await runQuery(sql`UPDATE users SET admin_flags = ${i} WHERE id = 1`)
      written = i
    }
    finished = true
    await readers
  })

  it('do not cache errors', async () => {
    let tries = 0
    const readOrFail = async () =>
      await getCachedOrCompute('test:failing', async () => {
        if (++tries === 1) throw new Error('once')
        return Buffer.from('fine')
      })
    await expect(readOrFail()).rejects.toThrow('once')
    expect((await readOrFail()).toString()).toBe('fine')
  })
})

describe('responses from the cache', () => {
  const headersOf = (headers: Headers) =>
    Object.fromEntries([...headers].filter(([name]) => !['date', 'x-ratelimit-remaining', 'x-ratelimit-reset'].includes(name)))

  it('have the same body and headers as computed ones, and are counted by the rate limit', async () => {
    await runQuery(sql`UPDATE users SET updated_at = now()`)
    const computed = await site.call('GET /videos?count=7')
    const cached = await site.call('GET /videos?count=7')
    expect(cached.text).toBe(computed.text)
    expect(headersOf(cached.headers)).toEqual(headersOf(computed.headers))
    expect(Number(computed.headers.get('x-ratelimit-remaining')) - Number(cached.headers.get('x-ratelimit-remaining'))).toBe(1)
    await runQuery(sql`UPDATE users SET updated_at = now()`)
    const again = await site.call('GET /videos?count=7')
    expect(Number(cached.headers.get('x-ratelimit-remaining')) - Number(again.headers.get('x-ratelimit-remaining'))).toBe(1)
  })

  it('are not used for requests with credentials or of another method', async () => {
    const token = await site.login()
    await site.call('GET /users')
    expect((await site.call('GET /videos?count=8')).status).toBe(200)
    expect((await site.call('GET /videos?count=8', { token: 'bad' })).status).toBe(401)
    expect((await site.call('GET /videos?count=8', { token })).status).toBe(200)
    expect((await fetch(`${site.url}/api/v1/videos?count=8`, { method: 'HEAD' })).headers.get('content-length')).not.toBeNull()
  })
})

it('pages are cached once, whatever else stands in their address', async () => {
  const addresses = ['//', '//search?search=cats', '//offline', '//about', '//my/videos/1', '//nothing']
  const spellings = (address: string, number: number) => [
    `${address}${address.includes('?') ? '&' : '?'}x=${number}`,
    ...(address === '//my/videos/1' ? [`//my/videos/${number}`] : []),
    ...(address === '//nothing' ? [`//nothing/${number}`, `//NOTHING${number}.php`] : []),
    ...(address === '//search?search=cats' ? [`//Search/?x=${number}&search=%63ats`] : [])
  ]
  const texts = new Map<string, string>()
  for (const address of addresses) texts.set(address, (await site.call(`GET ${address}`)).text)
  const { entries } = cacheUse()
  for (const address of addresses) {
    for (let number = 2; number < 12; number++)
      for (const spelling of spellings(address, number)) expect((await site.call(`GET ${spelling}`)).text).toBe(texts.get(address))
  }
  expect(cacheUse().entries).toBe(entries)
  expect(new Set(texts.values()).size).toBeGreaterThan(4)
})
