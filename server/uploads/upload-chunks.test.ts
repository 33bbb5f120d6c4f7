import { createHash } from 'node:crypto'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { config } from '../core/config.ts'
import { overrideInternals } from '../core/internals.ts'
import { runQuery, sql } from '../core/sql.ts'
import { makeFootageBytes } from '../test/footage.ts'
import { eventually, startTestInstance, type TestInstance, type TestResponse } from '../test/instance.ts'
import { startSecondProcess, type SecondProcess } from '../test/second-process.ts'
import { sweepUploads } from './sweep-uploads.job.ts'
import { UPLOADS } from './upload-internals.ts'

const SETTINGS = { upload: { keep_free: 0, max_per_user: 20 } }
let site: TestInstance
let second: SecondProcess
let alice: Awaited<ReturnType<TestInstance['user']>>
let bob: Awaited<ReturnType<TestInstance['user']>>
let film: Buffer<ArrayBuffer>
beforeAll(async () => {
  site = await startTestInstance({ ...SETTINGS, checkPublishedMedia: false }, ['web'])
  second = await startSecondProcess(site, SETTINGS)
  alice = await site.user('alice')
  bob = await site.user('bob')
  film = await makeFootageBytes({ seconds: 1, size: '320x180' })
})
afterAll(async () => {
  await second?.kill()
  await site?.stop()
})
beforeEach(async () => {
  await runQuery(sql`DELETE FROM uploads`)
  await rm(join(site.folder, 'uploads'), { recursive: true, force: true })
})

const begin = async (size = film.length, call = site.call) =>
  await call('POST /videos/upload-resumable?uploadType=resumable', {
    token: alice.token,
    headers: { 'x-upload-content-length': String(size), 'x-upload-content-type': 'video/mp4' },
    body: { name: 'In chunks', channelId: alice.channelId, filename: 'film.mp4' }
  })
const idOf = (response: TestResponse) => new URL(`http:${response.headers.get('location')}`).searchParams.get('upload_id')!
const put = async (id: string, range: string | null, bytes: Buffer = Buffer.alloc(0), { call = site.call, token = alice.token } = {}) =>
  await call(`PUT /videos/upload-resumable?uploadType=resumable&upload_id=${id}`, {
    token,
    headers: { 'content-type': 'application/octet-stream', ...(range === null ? {} : { 'content-range': range }) },
    body: new Uint8Array(bytes)
  })
const chunk = (first: number, last: number) => [`bytes ${first}-${last}/${film.length}`, film.subarray(first, last + 1)] as const
const received = async (id: string) => (await put(id, `bytes */${film.length}`)).headers.get('range')
const storedFiles = async () => await readdir(join(site.folder, 'uploads')).catch(() => [])
const storedSha = async () => {
  const [name] = await storedFiles()
  return sha(await readFile(join(site.folder, 'uploads', name!)))
}
const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** Sends a chunk bit by bit over a connection of its own, without Content-Length. */
function openChunk(id: string, range: string): { send(bytes: Buffer): void; end(): void; cut(): void; status: Promise<number> } {
  const sent = request(`${site.url}/api/v1/videos/upload-resumable?uploadType=resumable&upload_id=${id}`, {
    method: 'PUT',
    agent: false,
    headers: { authorization: `Bearer ${alice.token}`, 'content-type': 'application/octet-stream', 'content-range': range }
  })
  const status = new Promise<number>((resolve, reject) => {
    sent.on('response', response => resolve(response.resume().statusCode!))
    sent.on('error', reject)
  })
  status.catch(() => undefined)
  return { send: bytes => void sent.write(bytes), end: () => void sent.end(), cut: () => void sent.destroy(), status }
}

describe('the beginning', () => {
  it('of 120 uploads at once gives each an id of its own up to the limit, and leaves no file', async () => {
    const started = await Promise.all(
      Array.from({ length: 120 }, async (_, index) => await begin(1000, index % 2 ? site.call : second.call))
    )
    const created = started.filter(({ status }) => status === 201)
    expect(created).toHaveLength(20)
    expect(new Set(created.map(idOf)).size).toBe(20)
    for (const { status, json } of started.filter(({ status }) => status !== 201))
      expect([status, json.code]).toEqual([400, 'too_many_uploads'])
    expect(await storedFiles()).toEqual([])
  })
})

describe('Content-Range', () => {
  it('that is malformed, or does not agree with the upload or the body, is refused and writes nothing', async () => {
    const size = film.length
    const id = idOf(await begin())
    await put(id, ...chunk(0, 99))
    const body = film.subarray(100, 200)
    for (const range of [
      null,
      '',
      'bytes',
      `bytes -5-99/${size}`,
      `bytes 199-100/${size}`,
      `bytes ${size}-${size + 99}/${size}`,
      `bytes ${size - 50}-${size + 49}/${size}`,
      `bytes 100-199/${size + 1}`,
      `bytes 100-199/${size - 1}`,
      'bytes 100-199/*',
      'bytes 100-199',
      'bytes x-y/z',
      'bytes NaN-NaN/NaN',
      `bytes 1e2-199/${size}`,
      `bytes 100.0-199/${size}`,
      `bytes 0x64-199/${size}`,
      `bytes 100-199/${size}, bytes 200-299/${size}`,
      `bytes 99999999999999999999-99999999999999999999/${size}`,
      `bytes=100-199/${size}`,
      `lines 100-199/${size}`,
      // The body has 100 bytes.
      `bytes 100-198/${size}`,
      `bytes 100-200/${size}`,
      `bytes */${size}`,
      `bytes */${size + 1}`
    ]) {
      const { status, headers, json } = await put(id, range, body)
      expect([range, status, json?.code]).toEqual([range, 400, 'invalid_content_range'])
      expect(headers.get('content-type')).toContain('application/problem+json')
    }
    expect(await received(id)).toBe('bytes=0-99')
    expect(await storedSha()).toBe(sha(film.subarray(0, 100)))
  })

  it('ends a body that is longer than it announces', async () => {
    const id = idOf(await begin())
    const longer = openChunk(id, `bytes 0-99/${film.length}`)
    longer.send(film.subarray(0, 5000))
    expect(await longer.status).toBe(400)
    expect(await received(id)).toBe('bytes=0--1')
    const shorter = openChunk(id, `bytes 0-9999/${film.length}`)
    shorter.send(film.subarray(0, 50))
    shorter.end()
    expect(await shorter.status).toBe(308)
    expect(await received(id)).toBe('bytes=0-49')
  })
})

describe('the file', () => {
  it('is the one that was sent, however its chunks overlap, race and break off', async () => {
    const padded = Buffer.concat([film, Buffer.alloc(4_000_000, 'padding ')])
    const size = padded.length
    const id = idOf(await begin(size))
    const send = async (first: number, last: number, call = site.call) =>
      await put(id, `bytes ${first}-${last}/${size}`, padded.subarray(first, last + 1), { call })
    const broken = openChunk(id, `bytes 0-999999/${size}`)
    broken.send(padded.subarray(0, 300_000))
    await eventually(async () => (await put(id, `bytes */${size}`)).headers.get('range') === 'bytes=0-299999', 10, 'the bytes to be stored')
    // While one request writes, others are told to come back.
    expect((await send(0, 99)).json.code).toBe('upload_busy')
    expect((await send(300_000, 300_099, second.call)).headers.get('retry-after')).toBe('5')
    broken.cut()
    await eventually(async () => (await send(0, 400_000)).status === 308, 10, 'the broken request to end')
    const ends = [600_000, 1_500_000, 2_500_000, size - 2]
    for (const end of ends) {
      const responses = await Promise.all(
        [site.call, second.call, site.call, second.call].map(async (call, index) => await send(index * 70_000, end, call))
      )
      for (const { status } of responses) expect([308, 409]).toContain(status)
      expect(responses.some(({ status }) => status === 308)).toBe(true)
    }
    expect(await storedFiles()).toHaveLength(1)
    expect(await storedSha()).toBe(sha(padded.subarray(0, size - 1)))
    const last = await Promise.all([site.call, second.call, site.call].map(async call => await send(size - 10, size - 1, call)))
    const [{ json }] = last.filter(({ status }) => status === 200) as [TestResponse]
    const [source] = await runQuery<{ filename: string }>(
      sql`SELECT filename FROM video_sources JOIN videos ON videos.id = video_id WHERE uuid = ${json.video.uuid}`
    )
    expect(sha(await readFile(join(site.folder, 'original-video-files', source!.filename)))).toBe(sha(padded))
    expect(await storedFiles()).toEqual([])
  })

  it('is written by nobody else once a writer went silent, until its right has expired', async () => {
    const before = { ...UPLOADS }
    overrideInternals(UPLOADS, { writerLease: 400 })
    try {
      const id = idOf(await begin())
      const silent = openChunk(id, `bytes 0-9999/${film.length}`)
      silent.send(film.subarray(0, 100))
      await eventually(async () => (await received(id)) === 'bytes=0-99', 10, 'the bytes to be stored')
      await eventually(async () => (await put(id, ...chunk(100, 4999), { call: second.call })).status === 308, 10, 'the right to expire')
      silent.send(Buffer.alloc(5000, 'x'))
      expect(await silent.status).toBe(409)
      expect(await storedSha()).toBe(sha(film.subarray(0, 5000)))
    } finally {
      overrideInternals(UPLOADS, { writerLease: before.writerLease })
    }
  })

  it('keeps what arrived before a request went silent', async () => {
    config.upload.idle_timeout = 300
    try {
      const id = idOf(await begin())
      const silent = openChunk(id, `bytes 0-9999/${film.length}`)
      silent.send(film.subarray(0, 100))
      expect(await silent.status).toBe(408)
      expect((await put(id, ...chunk(100, 199))).headers.get('range')).toBe('bytes=0-199')
      expect(await storedSha()).toBe(sha(film.subarray(0, 200)))
    } finally {
      config.upload.idle_timeout = 60_000
    }
  })

  it('ends where the disk would keep less than upload.keep_free', async () => {
    const id = idOf(await begin())
    config.upload.keep_free = Number.MAX_SAFE_INTEGER
    try {
      expect((await put(id, ...chunk(0, 999))).json.code).toBe('insufficient_storage')
    } finally {
      config.upload.keep_free = 0
    }
    expect((await put(id, ...chunk(0, 999))).status).toBe(308)
  })

  it('goes with an upload that is cancelled while a chunk arrives', async () => {
    const before = { ...UPLOADS }
    overrideInternals(UPLOADS, { writerLease: 400 })
    try {
      const id = idOf(await begin())
      const sending = openChunk(id, `bytes 0-9999/${film.length}`)
      sending.send(film.subarray(0, 100))
      await eventually(async () => (await received(id)) === 'bytes=0-99', 10, 'the bytes to be stored')
      expect((await site.call(`DELETE /videos/upload-resumable?upload_id=${id}`, { token: alice.token })).status).toBe(204)
      await new Promise(resolve => setTimeout(resolve, 150))
      sending.send(film.subarray(100, 200))
      expect(await sending.status).toBe(409)
      expect(await storedFiles()).toEqual([])
    } finally {
      overrideInternals(UPLOADS, { writerLease: before.writerLease })
    }
  })
})

describe('the response of a finished upload', () => {
  it('is repeated by every process for a day, for its owner, and not for a video that was deleted', async () => {
    const size = film.length
    const id = idOf(await begin())
    expect((await put(id, ...chunk(0, 999))).status).toBe(308)
    const finished = await put(id, ...chunk(1000, size - 1), { call: second.call })
    expect(finished.status).toBe(200)
    for (const call of [site.call, second.call]) {
      for (const [range, bytes] of [chunk(1000, size - 1), chunk(0, size - 1), [`bytes */${size}`, Buffer.alloc(0)] as const]) {
        const again = await put(id, range, bytes, { call })
        expect([again.status, again.json]).toEqual([200, finished.json])
      }
    }
    expect((await put(id, ...chunk(1000, size - 1), { token: bob.token })).json).toMatchObject({
      status: 403,
      error: { code: 'Forbidden' }
    })
    expect((await put(id, 'bytes 0-9/10', film.subarray(0, 10))).json).toMatchObject({ status: 404, error: { code: 'FileNotFound' } })
    expect((await site.call('GET /users/me/uploads', { token: alice.token })).json.data).toEqual([])
    const run = async () => await sweepUploads.run({}, { progress: () => undefined, signal: new AbortController().signal })
    await run()
    expect((await put(id, `bytes */${size}`)).status).toBe(200)
    await runQuery(sql`UPDATE uploads SET expires_at = expires_at - interval '1 day' WHERE id = ${id}`)
    expect((await put(id, `bytes */${size}`)).status).toBe(404)
    await runQuery(sql`UPDATE uploads SET expires_at = expires_at + interval '1 day' WHERE id = ${id}`)
    expect((await site.call(`DELETE /videos/${finished.json.video.uuid}`, { token: alice.token })).status).toBe(204)
    expect((await put(id, `bytes */${size}`)).json).toMatchObject({ status: 404, error: { code: 'FileNotFound' } })
  })

  it('comes to a query where the process died between the last byte and the video', async () => {
    const id = idOf(await begin())
    const [row] = await runQuery<{ filename: string }>(sql`SELECT filename FROM uploads WHERE id = ${id}`)
    await put(id, ...chunk(0, 9))
    await writeFile(join(site.folder, 'uploads', row!.filename), film)
    const responses = await Promise.all(
      [site.call, second.call].map(async call => await put(id, `bytes */${film.length}`, undefined, { call }))
    )
    expect(responses.filter(({ status }) => status === 200).length).toBeGreaterThan(0)
    expect(await runQuery(sql`SELECT id FROM uploads WHERE video_id IS NOT NULL`)).toEqual([{ id }])
  })
})
