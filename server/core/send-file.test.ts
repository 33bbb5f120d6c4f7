import { randomBytes } from 'node:crypto'
import { appendFile, mkdtemp, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express, { type ErrorRequestHandler } from 'express'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { config, loadConfig, replaceConfig } from './config.ts'
import { Problem } from './problem.ts'
import { sendComposedFile, sendStoredFile } from './send-file.ts'

const SIZE = 3 * 1024 * 1024 + 123
const LONG_SIZE = 24 * 1024 * 1024
const CACHE = 'public, max-age=60'
const bytes = randomBytes(SIZE)
let folder: string
let server: Server
let url: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bobine-send-'))
  loadConfig({ overrides: { storage: { root: folder } } })
  await writeFile(join(folder, 'film.mp4'), bytes)
  await writeFile(join(folder, 'long.mp4'), Buffer.alloc(LONG_SIZE, 7))
  await writeFile(join(folder, 'nothing.vtt'), '')
  const app = express()
  const head = Buffer.from('head')
  app.get(
    '/parts',
    async (request, response) =>
      await sendComposedFile(request, response.type('video/mp4'), CACHE, {
        head,
        size: head.length + 3000,
        etag: 'parts',
        at: new Date(0),
        parts: [
          { file: join(folder, 'film.mp4'), at: 1000, length: 2000 },
          { file: join(folder, 'film.mp4'), at: 0, length: 1000 }
        ]
      })
  )
  app.get(
    '/growing/:name',
    async (request, response) => await sendStoredFile(request, response, join(folder, request.params.name), CACHE, { appendOnly: true })
  )
  app.get('/:name', async (request, response) => await sendStoredFile(request, response, join(folder, request.params.name), CACHE))
  const sendProblem: ErrorRequestHandler = (error, _request, response, next) => {
    if (response.headersSent || !(error instanceof Problem)) return next(error)
    response
      .status(error.status)
      .set(error.extra.headers ?? {})
      .end()
  }
  app.use(sendProblem)
  // Otherwise express logs such errors to the console.
  app.set('env', 'test')
  await new Promise<void>(resolve => {
    server = app.listen(0, '127.0.0.1', () => resolve())
  })
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true, force: true })
})

async function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<IncomingMessage & { body: Buffer }> {
  return await new Promise((resolve, reject) => {
    httpRequest(url + path, { headers, method }, async answer => {
      try {
        const pieces: Buffer[] = []
        for await (const piece of answer) pieces.push(piece as Buffer)
        resolve(Object.assign(answer, { body: Buffer.concat(pieces) }))
      } catch (error) {
        reject(error)
      }
    })
      .on('error', reject)
      .end()
  })
}

test.each([
  ['the whole file', undefined, 0, SIZE],
  ['the beginning', 'bytes=0-0', 0, 1],
  ['a range across large chunks', 'bytes=1000000-2999999', 1_000_000, 3_000_000],
  ['the end', 'bytes=-5', SIZE - 5, SIZE],
  ['an open range', `bytes=${SIZE - 70_000}-`, SIZE - 70_000, SIZE],
  ['a range beyond the end', 'bytes=5-99999999', 5, SIZE]
])('%s is sent as it is stored', async (_, range, from, to) => {
  const answer = await get('/film.mp4', range === undefined ? {} : { range })
  expect([
    answer.statusCode,
    answer.headers['content-range'],
    answer.headers['content-length'],
    answer.headers['content-type'],
    answer.headers['cache-control'],
    answer.headers['accept-ranges']
  ]).toEqual([
    range === undefined ? 200 : 206,
    range === undefined ? undefined : `bytes ${from}-${to - 1}/${SIZE}`,
    String(to - from),
    'video/mp4',
    CACHE,
    'bytes'
  ])
  expect(answer.body.equals(bytes.subarray(from, to))).toBe(true)
})

test('byte ranges of several files are sent as one body, whichever range crosses them', async () => {
  const whole = Buffer.concat([Buffer.from('head'), bytes.subarray(1000, 3000), bytes.subarray(0, 1000)])
  for (const [from, to] of [
    [0, 3004],
    [0, 4],
    [3, 5],
    [4, 2004],
    [2003, 2005],
    [3003, 3004],
    [2, 3003]
  ] as const) {
    expect((await get('/parts', { range: `bytes=${from}-${to - 1}` })).body.equals(whole.subarray(from, to))).toBe(true)
  }
})

test('validators give 304, and If-Range with another validator gives the whole file', async () => {
  const { headers } = await get('/film.mp4', {}, 'HEAD')
  expect(headers['content-length']).toBe(String(SIZE))
  const status = async (asked: Record<string, string>) => (await get('/film.mp4', asked)).statusCode
  expect(await status({ 'if-none-match': headers.etag! })).toBe(304)
  expect(await status({ 'if-modified-since': headers['last-modified']! })).toBe(304)
  expect(await status({ 'if-none-match': headers.etag!, range: 'bytes=0-1' })).toBe(304)
  expect(await status({ 'if-none-match': '"another"' })).toBe(200)
  expect(await status({ 'if-range': headers.etag!, range: 'bytes=0-1' })).toBe(206)
  expect(await status({ 'if-range': '"another"', range: 'bytes=0-1' })).toBe(200)
})

test('a missing range gives 416 and a missing file 404, both without Cache-Control', async () => {
  const beyond = await get('/film.mp4', { range: `bytes=${SIZE}-` })
  expect([beyond.statusCode, beyond.headers['content-range'], beyond.headers['cache-control']]).toEqual([416, `bytes */${SIZE}`, undefined])
  const missing = await get('/missing.mp4')
  expect([missing.statusCode, missing.headers['cache-control']]).toEqual([404, undefined])
  expect((await get('/')).statusCode).toBe(404)
  const empty = await get('/nothing.vtt')
  expect([empty.statusCode, empty.headers['content-length'], empty.body.length]).toEqual([200, '0', 0])
})

test('X-Accel-Redirect names the file for the reverse proxy if it is below storage.root', async () => {
  const before = config
  replaceConfig({ ...before, http: { ...before.http, hand_over: '/stored/' } })
  try {
    await writeFile(join(folder, 'ä film.mp4'), 'film')
    const handedOver = await get(`/${encodeURIComponent('ä film.mp4')}`, { range: 'bytes=1-2' })
    expect([
      handedOver.statusCode,
      handedOver.headers['x-accel-redirect'],
      handedOver.headers['content-type'],
      handedOver.headers['cache-control'],
      handedOver.body.length
    ]).toEqual([200, '/stored/%C3%A4%20film.mp4', 'video/mp4', CACHE, 0])
    expect((await get('/missing.mp4')).statusCode).toBe(404)
    // A composed file cannot be sent by the proxy.
    expect((await get('/parts')).body.length).toBe(3004)
    replaceConfig({
      ...before,
      storage: { ...before.storage, root: join(folder, 'elsewhere') },
      http: { ...before.http, hand_over: '/stored/' }
    })
    expect((await get('/film.mp4')).body.equals(bytes)).toBe(true)
  } finally {
    replaceConfig(before)
  }
})

test('two hundred clients that never read use little memory and leave no file open when they disconnect', async () => {
  const open = async () => (await readdir('/proc/self/fd')).length
  const before = await open()
  const memory = process.memoryUsage.rss()
  const waiting = await Promise.all(
    Array.from(
      { length: 200 },
      async () =>
        await new Promise<IncomingMessage>((resolve, reject) => {
          httpRequest(`${url}/long.mp4`, { agent: false }, answer => resolve(answer.pause()))
            .on('error', reject)
            .end()
        })
    )
  )
  expect((process.memoryUsage.rss() - memory) / 1024 / 1024).toBeLessThan(200)
  // Others are served meanwhile.
  expect((await get('/film.mp4')).body.equals(bytes)).toBe(true)
  for (const answer of waiting) answer.destroy()
  await expect.poll(open, { timeout: 10_000 }).toBeLessThanOrEqual(before + 3)
  expect((await get('/long.mp4')).body.length).toBe(LONG_SIZE)
})

test('a growing file is sent up to its current size, and a replaced one is noticed soon', async () => {
  const name = join(folder, 'growing.mp4')
  await writeFile(name, Buffer.alloc(1000, 1))
  expect((await get('/growing.mp4', { range: 'bytes=0-99' })).headers['content-range']).toBe('bytes 0-99/1000')
  await appendFile(name, Buffer.alloc(1000, 2))
  const added = await get('/growing.mp4', { range: 'bytes=1000-1999' })
  expect([added.statusCode, added.headers['content-range'], added.body.equals(Buffer.alloc(1000, 2))]).toEqual([
    206,
    'bytes 1000-1999/2000',
    true
  ])
  expect((await get('/growing.mp4')).body.length).toBe(2000)
  expect((await get('/growing.mp4', { range: 'bytes=2000-2001' })).statusCode).toBe(416)
  await rm(name)
  await writeFile(name, 'another')
  await expect.poll(async () => (await get('/growing.mp4')).body.toString(), { timeout: 5000 }).toBe('another')
})

test('a part of a growing file stays valid: who has one gets the next, not the whole file', async () => {
  const name = join(folder, 'appended.mp4')
  await writeFile(name, Buffer.alloc(1000, 1))
  const first = await get('/growing/appended.mp4', { range: 'bytes=0-99' })
  const whole = await get('/growing/appended.mp4')
  await appendFile(name, Buffer.alloc(1000, 2))
  const next = async () => await get('/growing/appended.mp4', { range: 'bytes=1000-1099', 'if-range': first.headers.etag! })
  expect([(await next()).statusCode, (await next()).body]).toEqual([206, Buffer.alloc(100, 2)])
  expect((await next()).headers.etag).toBe(first.headers.etag)
  // What was the whole file is not any more.
  expect((await get('/growing/appended.mp4', { 'if-none-match': whole.headers.etag! })).body.length).toBe(2000)
  expect((await get('/growing/appended.mp4', { 'if-none-match': first.headers.etag! })).body.length).toBe(2000)
  expect((await get('/growing/appended.mp4', { range: 'bytes=1000-1099', 'if-range': whole.headers.etag! })).statusCode).toBe(200)
  expect((await get('/growing/appended.mp4', { range: 'bytes=1000-1099', 'if-range': '"another"' })).statusCode).toBe(200)

  // A proxy has its own validators, of size and time: it gets only what no longer grows, and no request with a validator of ours.
  const before = config
  replaceConfig({ ...before, http: { ...before.http, hand_over: '/stored/' } })
  try {
    expect((await get('/growing/appended.mp4', { range: 'bytes=0-9' })).headers['x-accel-redirect']).toBeUndefined()
    const longAgo = new Date(Date.now() - 120_000)
    await utimes(name, longAgo, longAgo)
    await expect
      .poll(async () => (await get('/growing/appended.mp4', { range: 'bytes=0-9' })).headers['x-accel-redirect'], { timeout: 5000 })
      .toBe('/stored/appended.mp4')
    expect([(await next()).statusCode, (await next()).body.length]).toEqual([206, 100])
  } finally {
    replaceConfig(before)
  }
})

test('a file that is truncated while it is sent aborts its response and no other', async () => {
  await writeFile(join(folder, 'shrinking.mp4'), Buffer.alloc(LONG_SIZE, 1))
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest(`${url}/shrinking.mp4`, { agent: false }, one => resolve(one.pause()))
      .on('error', reject)
      .end()
  })
  await truncate(join(folder, 'shrinking.mp4'), 1000)
  await expect(
    (async () => {
      for await (const piece of answer) expect(piece).toBeDefined()
    })()
  ).rejects.toThrow()
  expect((await get('/film.mp4')).statusCode).toBe(200)
})
