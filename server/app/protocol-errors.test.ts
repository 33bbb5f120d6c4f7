import { connect } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestInstance, type TestInstance } from '../test/instance.ts'

let site: TestInstance
beforeAll(async () => {
  site = await startTestInstance({}, ['web'])
})
afterAll(async () => await site?.stop())

async function sendRaw(text: string): Promise<string> {
  return await new Promise(resolve => {
    const socket = connect(Number(new URL(site.url).port), '127.0.0.1', () => socket.write(text))
    let received = ''
    socket.on('data', chunk => {
      received += chunk.toString()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(received))
  })
}

it.each([
  ['no HTTP', 400, 'nonsense\r\n\r\n'],
  ['an unknown method', 400, 'FROB / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a header without a name', 400, 'GET / HTTP/1.1\r\n: x\r\n\r\n'],
  ['two lengths', 400, 'POST /api/v1/users/token HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
  ['a length and chunks', 400, 'POST /inbox HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['a chunk without a size', 400, 'POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ['an address that is too long', 431, `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
  ['headers that are too long', 431, `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`],
  ['an unknown expectation', 417, 'GET /api/v1/config HTTP/1.1\r\nHost: x\r\nExpect: nothing\r\nConnection: close\r\n\r\n']
])('%s is answered by a problem document', async (_, status, text) => {
  const received = await sendRaw(text)
  // Of several answers on one connection the last one.
  const last = received.slice(received.lastIndexOf('HTTP/1.1 '))
  expect(last).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(last).toMatch(/^Content-Type: application\/problem\+json/im)
  expect(JSON.parse(last.slice(last.indexOf('\r\n\r\n') + 4))).toMatchObject({ status, type: 'about:blank' })
  expect((await site.call('GET /ping')).status).toBe(200)
})
