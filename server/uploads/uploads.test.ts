import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { makeFootageBytes } from '../test/footage.ts'
import { eventually, startTestInstance, type TestResponse, type TestInstance } from '../test/instance.ts'
import { waitForTranscoding, videoUploadForm } from '../test/upload.ts'
import { resetResumableUploads } from './resumable-upload.ts'
import { sweepUploads } from './sweep-uploads.job.ts'

let site: TestInstance
let alice: Awaited<ReturnType<TestInstance['user']>>
let bob: Awaited<ReturnType<TestInstance['user']>>
let film: Buffer<ArrayBuffer>
beforeAll(async () => {
  site = await startTestInstance({
    upload: { max_size: '1MB', max_duration: 20, max_pixels: 1_000_000, max_streams: 8, expiration: '1 hour' },
    transcoding: { resolutions: { '240p': false } }
  })
  alice = await site.user('alice')
  bob = await site.user('bob')
  film = await makeFootageBytes({ seconds: 2, size: '320x180' })
})
afterAll(async () => await site?.stop())

const counts = async () =>
  (
    await runQuery<{ videos: number; sources: number; files: number }>(
      sql`SELECT (SELECT count(*)::int FROM videos) AS videos, (SELECT count(*)::int FROM video_sources) AS sources, (SELECT count(*)::int FROM transcodings) AS files`
    )
  )[0]!
const oneShot = async (
  fields: Record<string, string | number | string[]>,
  file?: { bytes: Buffer<ArrayBuffer>; name: string },
  token: string | undefined = alice.token
): Promise<TestResponse> => await site.call('POST /videos/upload', { token, multipart: videoUploadForm(fields, file) })

describe('in one request', () => {
  it('gives the three names of the new video', async () => {
    const answer = await oneShot({ name: 'Film', channelId: alice.channelId }, { bytes: film, name: 'Fïlm.mp4' })
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.json.video).sort()).toEqual(['id', 'shortUUID', 'uuid'])
    const { json } = await site.call(`GET /videos/${answer.json.video.uuid}/source`, { token: alice.token })
    expect(json).toMatchObject({
      filename: 'Fïlm.mp4',
      inputFilename: 'Fïlm.mp4',
      size: film.length,
      width: 320,
      height: 180,
      resolution: { id: 180, label: '180p' }
    })
    expect((await site.call(`GET /videos/${answer.json.video.uuid}/source`)).status).toBe(401)
    expect((await site.call(`GET /videos/${answer.json.video.uuid}/source`, { token: bob.token })).status).toBe(403)
  })

  it('refuses what it must, clearly, and stores nothing of it', async () => {
    const poor = await site.user('poor', { videoQuota: 10, videoQuotaDaily: 10 })
    const before = await counts()
    const fine = { bytes: film, name: 'film.mp4' }
    const ours = { name: 'Some name', channelId: alice.channelId }
    const cases: [string, TestResponse, number, Record<string, unknown>][] = [
      ['nobody', await site.call('POST /videos/upload', { multipart: videoUploadForm(ours, fine) }), 401, { code: 'unauthorized_request' }],
      [
        'no file',
        await oneShot(ours),
        400,
        { 'invalid-params': { videofile: { type: 'field', msg: 'Should have a file', path: 'videofile', location: 'body' } } }
      ],
      ['no name', await oneShot({ channelId: alice.channelId }, fine), 400, { detail: 'Incorrect request parameters: name' }],
      [
        'bad privacy and category',
        await oneShot({ ...ours, privacy: 42, category: 999 }, fine),
        400,
        { detail: 'Incorrect request parameters: category, privacy' }
      ],
      [
        'a foreign channel',
        await oneShot({ ...ours, channelId: bob.channelId }, fine),
        400,
        { detail: 'Unknown video "video channel" for this account.' }
      ],
      [
        'an unknown channel',
        await oneShot({ ...ours, channelId: 99999 }, fine),
        400,
        { detail: 'Unknown video "video channel" for this instance.' }
      ],
      [
        'six tags',
        await oneShot({ ...ours, tags: ['aa', 'bb', 'cc', 'dd', 'ee', 'ff'] }, fine),
        400,
        { detail: 'Incorrect request parameters: tags' }
      ],
      [
        'a password video without password',
        await oneShot({ ...ours, privacy: 5 }, fine),
        400,
        { detail: 'Incorrect request parameters: videoPasswords' }
      ],
      ['a text file', await oneShot(ours, { bytes: Buffer.from('hello world'), name: 'a.txt' }), 415, { title: 'Unsupported Media Type' }],
      [
        "text in a video's clothes",
        await oneShot(ours, { bytes: Buffer.from('this is not a video at all, really'), name: 'fake.webm' }),
        422,
        { detail: 'Video file unreadable.' }
      ],
      [
        "nothing in a video's clothes",
        await oneShot(ours, { bytes: Buffer.alloc(0), name: 'empty.mp4' }),
        422,
        { detail: 'Video file unreadable.' }
      ],
      [
        "a playlist in a video's clothes",
        await oneShot(ours, {
          bytes: Buffer.from('#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n'),
          name: 'list.mp4'
        }),
        422,
        {}
      ],
      [
        'over quota',
        await oneShot({ ...ours, channelId: poor.channelId }, fine, poor.token),
        413,
        { code: 'quota_reached', detail: 'The user video quota is exceeded with this video.' }
      ],
      [
        'too large a file',
        await oneShot(ours, { bytes: Buffer.alloc(2 ** 20 + 1), name: 'large.mp4' }),
        413,
        { code: 'max_file_size_reached' }
      ],
      [
        'too long a film',
        await oneShot(ours, { bytes: await makeFootageBytes({ seconds: 25, size: '64x36', rate: 5, audio: null }), name: 'long.mp4' }),
        422,
        { code: 'video_too_long' }
      ],
      [
        'too large a picture',
        await oneShot(ours, { bytes: await makeFootageBytes({ seconds: 1, size: '1600x900', rate: 1, audio: null }), name: 'wide.mp4' }),
        422,
        { code: 'video_too_large' }
      ]
    ]
    for (const [what, answer, status, facts] of cases) {
      expect([what, answer.status]).toEqual([what, status])
      expect(answer.headers.get('content-type'), what).toContain('application/problem+json')
      expect(answer.json, what).toMatchObject({ status, ...facts })
      expect(answer.json.error, what).toBe(answer.json.detail)
    }
    expect(await counts()).toEqual(before)
    // The first test's film may still be having its picture taken there.
    await eventually(async () => (await readdir(join(site.folder, 'tmp'))).length === 0, 30, 'the temporary folder to be empty')
  })

  it('lets two uploads of one user at once through only if both fit', async () => {
    const thrifty = await site.user('thrifty', { videoQuota: Math.round(film.length * 1.5) })
    const answers = await Promise.all(
      [1, 2, 3].map(
        async () => await oneShot({ name: 'Film', channelId: thrifty.channelId }, { bytes: film, name: 'film.mp4' }, thrifty.token)
      )
    )
    expect(answers.map(answer => answer.status).sort()).toEqual([200, 413, 413])
    const used = (await site.call('GET /users/me/video-quota-used', { token: thrifty.token })).json
    expect(used.videoQuotaUsed).toBeGreaterThanOrEqual(film.length)
  })

  it("counts the day's quota apart", async () => {
    const daily = await site.user('daily', { videoQuotaDaily: Math.round(film.length * 1.5) })
    expect((await oneShot({ name: 'Film', channelId: daily.channelId }, { bytes: film, name: 'film.mp4' }, daily.token)).status).toBe(200)
    expect((await oneShot({ name: 'Film', channelId: daily.channelId }, { bytes: film, name: 'film.mp4' }, daily.token)).json.code).toBe(
      'quota_reached'
    )
    await runQuery(sql`UPDATE videos SET created_at = now() - interval '25 hours' WHERE channel_id = ${daily.channelId}`)
    expect((await oneShot({ name: 'Film', channelId: daily.channelId }, { bytes: film, name: 'film.mp4' }, daily.token)).status).toBe(200)
  })
})

describe('in pieces', () => {
  const begin = async (more: Record<string, unknown> = {}, headers: Record<string, string> = {}, token = alice.token) =>
    await site.call('POST /videos/upload-resumable?uploadType=resumable', {
      token,
      headers: { 'x-upload-content-length': String(film.length), 'x-upload-content-type': 'video/mp4', ...headers },
      body: {
        name: 'Resumable video',
        channelId: alice.channelId,
        privacy: 1,
        filename: 'film.mp4',
        tags: ['two', 'resumable'],
        originallyPublishedAt: '2020-01-02T03:04:05.000Z',
        ...more
      }
    })
  const id = (answer: TestResponse) => new URL(`http:${answer.headers.get('location')}`).searchParams.get('upload_id')!
  const put = async (uploadId: string, range: string, bytes: Buffer = Buffer.alloc(0), token = alice.token) =>
    await site.call(`PUT /videos/upload-resumable?uploadType=resumable&upload_id=${encodeURIComponent(uploadId)}`, {
      token,
      headers: { 'content-type': 'application/octet-stream', 'content-range': range },
      body: new Uint8Array(bytes)
    })
  const half = () => Math.floor(film.length / 2)

  it('says where to go on, takes a piece twice, and makes the video with the last one', async () => {
    const begun = await begin()
    expect([begun.status, begun.headers.get('location')]).toEqual([
      201,
      expect.stringMatching(/^\/\/127\.0\.0\.1:\d+\/api\/v1\/videos\/upload-resumable\?uploadType=resumable&upload_id=/)
    ])
    const upload = id(begun)
    const size = film.length
    const asked = await put(upload, `bytes */${size}`)
    expect([asked.status, asked.headers.get('range')]).toEqual([308, 'bytes=0--1'])
    for (let i = 0; i < 2; i++) {
      const first = await put(upload, `bytes 0-${half() - 1}/${size}`, film.subarray(0, half()))
      expect([first.status, first.headers.get('range')]).toEqual([308, `bytes=0-${half() - 1}`])
    }
    const listed = (await site.call('GET /users/me/uploads', { token: alice.token })).json.data
    expect(listed).toEqual([
      expect.objectContaining({ uploadId: upload, filename: 'film.mp4', name: 'Resumable video', size, received: half() })
    ])
    expect((await site.call('GET /users/me/uploads', { token: bob.token })).json.data).toEqual([])
    // Another user's token opens nothing, and leaves everything as it was.
    expect((await put(upload, `bytes ${half()}-${size - 1}/${size}`, film.subarray(half()), bob.token)).json).toMatchObject({
      status: 403,
      error: { code: 'Forbidden' }
    })
    const last = await put(upload, `bytes ${half()}-${size - 1}/${size}`, film.subarray(half()))
    expect([last.status, Object.keys(last.json.video).sort()]).toEqual([200, ['id', 'shortUUID', 'uuid']])
    expect((await put(upload, `bytes ${half()}-${size - 1}/${size}`, film.subarray(half()))).json).toMatchObject({
      status: 404,
      error: { code: 'FileNotFound' }
    })
    const video = await waitForTranscoding(site, alice, last.json.video.uuid)
    expect(video).toMatchObject({
      name: 'Resumable video',
      tags: ['two', 'resumable'],
      originallyPublishedAt: '2020-01-02T03:04:05.000Z',
      duration: 2
    })
    expect((await site.call('GET /users/me/uploads', { token: alice.token })).json.data).toEqual([])
  })

  it('goes on after the server was restarted in the middle', async () => {
    const upload = id(await begin())
    await put(upload, `bytes 0-${half() - 1}/${film.length}`, film.subarray(0, half()))
    // What a new process knows: nothing but rows and files.
    resetResumableUploads()
    const asked = await put(upload, `bytes */${film.length}`)
    expect([asked.status, asked.headers.get('range')]).toEqual([308, `bytes=0-${half() - 1}`])
    expect((await put(upload, `bytes ${half()}-${film.length - 1}/${film.length}`, film.subarray(half()))).status).toBe(200)
  })

  it('writes no hole: a piece from too far on is answered with how far the file goes', async () => {
    const upload = id(await begin())
    await put(upload, 'bytes 0-999/' + film.length, film.subarray(0, 1000))
    const gap = await put(upload, `bytes 2000-2999/${film.length}`, film.subarray(2000, 3000))
    expect([gap.status, gap.headers.get('range')]).toEqual([308, 'bytes=0-999'])
    const rest = await put(upload, `bytes 1000-${film.length - 1}/${film.length}`, film.subarray(1000))
    expect(rest.status).toBe(200)
    await waitForTranscoding(site, alice, rest.json.video.uuid)
  })

  it('makes one video of a last piece that comes twice at once', async () => {
    const upload = id(await begin())
    const answers = await Promise.all([1, 2, 3].map(async () => await put(upload, `bytes 0-${film.length - 1}/${film.length}`, film)))
    expect(answers.filter(answer => answer.status === 200)).toHaveLength(1)
    for (const answer of answers.filter(one => one.status !== 200)) expect([404, 409]).toContain(answer.status)
  })

  it('takes pictures at the beginning and uses them at the end', async () => {
    const png = await sharp({ create: { width: 640, height: 360, channels: 3, background: '#0a0' } })
      .png()
      .toBuffer()
    const form = videoUploadForm({ name: 'With a picture', channelId: alice.channelId, privacy: 1, filename: 'tiny.mp4', tags: ['aaa'] })
    form.set('thumbnailfile', new Blob([new Uint8Array(png)]), 'p.png')
    const begun = await site.call('POST /videos/upload-resumable', {
      token: alice.token,
      headers: { 'x-upload-content-length': String(film.length), 'x-upload-content-type': 'video/mp4' },
      multipart: form
    })
    expect(begun.status).toBe(201)
    const { json } = await put(id(begun), `bytes 0-${film.length - 1}/${film.length}`, film)
    const video = await waitForTranscoding(site, alice, json.video.uuid)
    const { dominant } = await sharp(Buffer.from(await (await fetch(site.url + video.thumbnailPath)).arrayBuffer())).stats()
    expect(dominant.g).toBeGreaterThan(dominant.r + 50)
  })

  it('is refused at the beginning where it could not end well', async () => {
    const poor = await site.user('poor2', { videoQuota: 10 })
    expect((await begin({}, { 'x-upload-content-length': '' })).json).toMatchObject({
      status: 400,
      detail: expect.stringContaining('x-upload-content-length')
    })
    expect((await begin({ name: undefined })).json.detail).toBe('Incorrect request parameters: name')
    expect((await begin({ filename: undefined })).json.detail).toBe('Incorrect request parameters: filename')
    expect((await begin({ filename: 'a.txt' })).status).toBe(415)
    expect((await begin({ channelId: poor.channelId }, {}, poor.token)).json.code).toBe('quota_reached')
    expect((await begin({}, { 'x-upload-content-length': '99999999' })).json.code).toBe('max_file_size_reached')
    expect((await begin({ channelId: bob.channelId })).status).toBe(400)
    expect((await site.call('POST /videos/upload-resumable', { body: {} })).status).toBe(401)
  })

  it('throws away what turns out to be no video', async () => {
    const upload = id(await begin())
    const garbage = Buffer.alloc(film.length, 7)
    expect((await put(upload, `bytes 0-${film.length - 1}/${film.length}`, garbage)).json).toMatchObject({
      status: 422,
      detail: 'Video file unreadable.'
    })
    expect((await put(upload, `bytes */${film.length}`)).status).toBe(403)
  })

  it('refuses other sizes, unknown uploads and nonsense ranges', async () => {
    const upload = id(await begin())
    expect((await put(upload, `bytes 0-9/${film.length * 2}`, film.subarray(0, 10))).status).toBe(409)
    expect((await put('unknown', 'bytes 0-9/10', film.subarray(0, 10))).json).toMatchObject({ status: 403 })
    expect((await put('../../../etc/passwd', 'bytes 0-9/10', film.subarray(0, 10))).status).toBe(403)
    for (const range of ['bytes x-y/z', 'bytes -5-9/10', `bytes ${film.length}-${film.length + 10}/${film.length}`, 'lines 0-9/10'])
      expect((await put(upload, range, film.subarray(0, 10))).status).toBeLessThan(500)
    expect((await site.call('PUT /videos/upload-resumable', { token: alice.token })).status).toBe(400)
  })

  it('can be cancelled, twice, by its owner', async () => {
    const upload = id(await begin())
    const cancel = async (token: string) =>
      (await site.call(`DELETE /videos/upload-resumable?uploadType=resumable&upload_id=${upload}`, { token })).status
    expect([await cancel(bob.token), await cancel(alice.token), await cancel(alice.token)]).toEqual([403, 204, 204])
    expect((await put(upload, `bytes */${film.length}`)).status).toBe(403)
  })

  it('is swept when abandoned, with its bytes and pictures, and not before', async () => {
    await runQuery(sql`DELETE FROM uploads`)
    const old = id(await begin())
    const young = id(await begin())
    for (const upload of [old, young]) await put(upload, `bytes 0-99/${film.length}`, film.subarray(0, 100))
    await runQuery(sql`UPDATE uploads SET expires_at = now() - interval '1 second' WHERE id = ${old}`)
    const before = (await readdir(join(site.folder, 'uploads'))).length
    await sweepUploads.run({}, { progress: () => undefined, signal: new AbortController().signal })
    expect((await readdir(join(site.folder, 'uploads'))).length).toBe(before - 1)
    expect([(await put(old, `bytes */${film.length}`)).status, (await put(young, `bytes */${film.length}`)).status]).toEqual([403, 308])
  })

  it('counts unfinished uploads', async () => {
    await runQuery(sql`DELETE FROM uploads`)
    const before = config.upload.max_per_user
    config.upload.max_per_user = 2
    try {
      expect([(await begin()).status, (await begin()).status, (await begin()).json.code]).toEqual([201, 201, 'too_many_uploads'])
    } finally {
      config.upload.max_per_user = before
    }
    const tight = await site.user('tight', { videoQuota: Math.round(film.length * 1.5) })
    const once = async () => await begin({ channelId: tight.channelId }, {}, tight.token)
    expect([(await once()).status, (await once()).json.code]).toEqual([201, 'quota_reached'])
  })

  it('leaves no file behind that nothing names', async () => {
    const rows = await runQuery<{ filename: string }>(sql`SELECT filename FROM video_sources WHERE filename IS NOT NULL`)
    for (const { filename } of rows) expect((await stat(join(site.folder, 'original-video-files', filename))).size).toBeGreaterThan(0)
  })
})
