import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestInstance, type TestInstance } from '../test/instance.ts'

let site: TestInstance
beforeAll(async () => {
  site = await startTestInstance({ http: { headers_timeout: '600 ms', request_timeout: '1500 ms', keep_alive_timeout: '1 second' } }, [
    'web'
  ])
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
  ).toEqual([[600, 1500, 1000]])
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
