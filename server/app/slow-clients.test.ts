import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { config } from '../core/config.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'

let site: TestInstance
beforeAll(async () => {
  site = await startTestInstance(
    {
      http: { headers_timeout: '600 ms', body_timeout: '700 ms', request_timeout: '2500 ms', keep_alive_timeout: '1 second' },
      rates_limit: { signup: { window: '1 hour', max: 5 } },
      internals: { unreadBody: { time: 500 } }
    },
    ['web']
  )
})
afterAll(async () => await site?.stop())

/** Writes `beginning`, then a byte every `every` ms (0: nothing more); resolves on close with the received text and the duration in ms. */
async function drip(beginning: string, every: number): Promise<{ text: string; took: number }> {
  const startedAt = Date.now()
  return await new Promise(resolve => {
    const socket = connect(Number(new URL(site.url).port), '127.0.0.1', () => socket.write(beginning))
    let text = ''
    const timer = every > 0 ? setInterval(() => socket.write('x'), every) : undefined
    socket.on('data', chunk => {
      text += chunk.toString()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearInterval(timer)
      resolve({ text, took: Date.now() - startedAt })
    })
  })
}

it('the server uses the configured timeouts of headers, requests and idle connections', async () => {
  const servers = new Set<Server>()
  const addServer = (message: unknown) => void servers.add((message as { server: Server }).server)
  subscribe('http.server.request.start', addServer)
  await site.call('GET /config')
  unsubscribe('http.server.request.start', addServer)
  expect(
    [...servers].map(({ headersTimeout, requestTimeout, keepAliveTimeout }) => [headersTimeout, requestTimeout, keepAliveTimeout])
  ).toEqual([[600, 2500, 1000]])
})

it('a client that sends its headers or body byte by byte, or stops sending, is disconnected', async () => {
  const head = 'POST /api/v1/users/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n'
  const [slowHead, silentHead, slowBody, silentBody, upload] = await Promise.all([
    drip(`${head}X-Slow: `, 50),
    drip('GET / HT', 0),
    drip(`${head}\r\n`, 50),
    drip(`${head}\r\n{`, 0),
    drip(head.replace('users/token', 'videos/upload').replace('application/json', 'multipart/form-data; boundary=x') + '\r\n--x\r\n', 50)
  ])
  for (const { text, took } of [slowHead!, silentHead!]) {
    expect(text).toMatch(/^(HTTP\/1.1 408 |$)/)
    expect(took).toBeLessThan(20_000)
  }
  for (const { text, took } of [slowBody!, silentBody!, upload!]) {
    expect(text).toMatch(/^(HTTP\/1.1 4\d\d |$)/)
    expect(took).toBeLessThan(20_000)
  }
  expect((await site.call('GET /config')).status).toBe(200)
})

const post = (path: string, type: string, headers = '') =>
  `POST /api/v1${path} HTTP/1.1\r\nHost: x\r\n${headers}Content-Type: ${type}\r\nContent-Length: 10000\r\n\r\n`
const bodyOf = (text: string) => JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as { status: number; code: string }

it.each([
  ['a JSON body', '/users/register', 'application/json', '{"username":"'],
  ['a form', '/users/token', 'application/x-www-form-urlencoded', 'username='],
  ['a form where JSON is usual', '/server/logs/client', 'application/x-www-form-urlencoded', 'message=']
])('%s that arrives slowly is answered 408 when its time is up, and the connection is closed', async (_, path, type, beginning) => {
  for (const every of [20, 0]) {
    const { text, took } = await drip(post(path, type) + beginning, every)
    expect(text).toMatch(/^HTTP\/1.1 408 [^]*\r\nConnection: close\r\n/i)
    expect(text).toMatch(/Content-Type: application\/problem\+json/i)
    expect(bodyOf(text)).toMatchObject({ status: 408, code: 'request_timeout' })
    expect(took).toBeGreaterThan(600)
    // Before the time of the whole request, on a machine that is slow, too.
    expect(took).toBeLessThan(10_000)
  }
})

it('a form with files has the time of the whole request', async () => {
  const token = await site.login()
  const { took } = await drip(
    post('/video-playlists', 'multipart/form-data; boundary=x', `Authorization: Bearer ${token}\r\n`) +
      '--x\r\nContent-Disposition: form-data; name="displayName"\r\n\r\nx',
    50
  )
  expect(took).toBeGreaterThan(1500)
})

it('a client that was answered before it sent its body is disconnected', async () => {
  for (const [path, status] of [
    ['/users/me', 401],
    ['/nowhere', 400]
  ] as const) {
    const { text, took } = await drip(post(path, 'application/json').replace('POST', status === 401 ? 'PUT' : 'POST') + '{', 50)
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(took).toBeLessThan(10_000)
  }
})

it('a body is read only of who is within the limit of requests and logged in', async () => {
  const malformed = { headers: { 'content-type': 'application/json' }, body: new TextEncoder().encode('{oops') }
  expect((await site.call('PUT /users/me', malformed)).status).toBe(401)
  expect((await site.call('PUT /users/me', { ...malformed, token: await site.login() })).status).toBe(400)
  // Every try counts, those of the tests before, too.
  const tries = []
  for (let i = 0; i <= config.rates_limit.signup.max; i++) tries.push((await site.call('POST /users/register', malformed)).status)
  expect(new Set(tries)).toEqual(new Set([400, 429]))
  const { text, took } = await drip(post('/users/register', 'application/json') + '{', 0)
  expect(text).toMatch(/^HTTP\/1.1 429 /)
  expect(took).toBeLessThan(10_000)
})
