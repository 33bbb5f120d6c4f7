import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { logger } from '../core/logger.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'

let site: TestInstance
let token: string
let uuid: string
const logged = [vi.spyOn(logger, 'error'), vi.spyOn(logger, 'warn')]
const rejected: unknown[] = []
const noteRejection = (reason: unknown) => void rejected.push(reason)
beforeAll(async () => {
  process.on('unhandledRejection', noteRejection)
  site = await startTestInstance({ checkPublishedMedia: false }, ['web'])
  const ada = await site.user('ada')
  token = ada.token
  ;({ uuid } = await seedVideo({ channelId: ada.channelId, fileSizes: [40_000_000] }))
  const folder = join(site.folder, 'streaming-playlists/hls', uuid)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${uuid}-0.mp4`), Buffer.alloc(40_000_000))
})
afterAll(async () => {
  process.off('unhandledRejection', noteRejection)
  await site?.stop()
})
beforeEach(() => logged.forEach(spy => spy.mockClear()))

/** Sends a request, and resets the connection after the first bytes of the answer, or after `patience` ms. */
async function leave(text: string, patience: number): Promise<number> {
  return await new Promise(resolve => {
    let received = 0
    const socket = connect(Number(new URL(site.url).port), '127.0.0.1', () => socket.write(text))
    const timer = setTimeout(() => socket.resetAndDestroy(), patience)
    socket.on('data', chunk => {
      received += chunk.length
      socket.resetAndDestroy()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(received)
    })
  })
}

const head = (line: string, headers = '') => `${line} HTTP/1.1\r\nHost: x\r\n${headers}`
const json = () => `Authorization: Bearer ${token}\r\nContent-Type: application/json\r\n`

it.each([
  ['within its headers', () => head('GET /api/v1/videos')],
  ['within a JSON body', () => `${head('PUT /api/v1/users/me', json())}Content-Length: 1000\r\n\r\n{"displayName":`],
  ['within a chunk', () => `${head('PUT /api/v1/users/me', json())}Transfer-Encoding: chunked\r\n\r\n10\r\n{"dis`],
  [
    'within a form',
    () => `${head('POST /api/v1/users/token', 'Content-Type: application/x-www-form-urlencoded\r\n')}Content-Length: 1000\r\n\r\na=`
  ],
  [
    'within a delivery',
    () =>
      `${head('POST /inbox', 'Content-Type: application/activity+json\r\nSignature: keyId="https://left.example/key"\r\n')}Content-Length: 1000\r\n\r\n{`
  ],
  ['within the answer of a list', () => `${head('GET /api/v1/videos')}\r\n`],
  ['within a page', () => `${head('GET /', 'Accept: text/html\r\n')}\r\n`],
  ['within a file', () => `${head(`GET /static/streaming-playlists/hls/${uuid}/${uuid}-0.mp4`)}\r\n`],
  [
    'within a part of a file',
    () => `${head(`GET /static/streaming-playlists/hls/${uuid}/${uuid}-0.mp4`, 'Range: bytes=10-30000000\r\n')}\r\n`
  ]
])('a client that leaves %s is no error', async (what, request) => {
  for (let time = 0; time < 3; time++) {
    const file = what.includes('file')
    const received = await leave(request(), file ? 30_000 : 50)
    if (file) expect(received).toBeGreaterThan(0)
  }
  expect((await site.call('GET /ping')).status).toBe(200)
  await new Promise(resolve => setTimeout(resolve, 100))
  expect(logged.flatMap(spy => spy.mock.calls)).toEqual([])
  expect(rejected).toEqual([])
})
