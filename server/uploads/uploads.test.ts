import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { makeFootageBytes } from '../test/footage.ts'
import { eventually, startTestInstance, type TestResponse, type TestInstance } from '../test/instance.ts'
import { waitForTranscoding, videoUploadForm } from '../test/upload.ts'
import { sweepUploads } from './sweep-uploads.job.ts'

let site: TestInstance
let alice: Awaited<ReturnType<TestInstance['user']>>
let bob: Awaited<ReturnType<TestInstance['user']>>
let videoFile: Buffer<ArrayBuffer>
beforeAll(async () => {
  site = await startTestInstance({
    upload: { max_size: '1MB', max_duration: 20, max_pixels: 1_000_000, max_streams: 8, expiration: '1 hour' },
    transcoding: { resolutions: { '240p': false } }
  })
  alice = await site.user('alice')
  bob = await site.user('bob')
  videoFile = await makeFootageBytes({ seconds: 2, size: '320x180' })
})
afterAll(async () => await site?.stop())

const countRows = async () =>
  (
    await runQuery<{ videos: number; sources: number; files: number }>(
      sql`SELECT (SELECT count(*)::int FROM videos) AS videos, (SELECT count(*)::int FROM video_sources) AS sources,
        (SELECT count(*)::int FROM transcodings) AS files`
    )
  )[0]!
const upload = async (
  fields: Record<string, string | number | string[]>,
  file?: { bytes: Buffer<ArrayBuffer>; name: string },
  token: string | undefined = alice.token
): Promise<TestResponse> => await site.call('POST /videos/upload', { token, multipart: videoUploadForm(fields, file) })

describe('in one request', () => {
  it('returns the three identifiers of the new video', async () => {
    const response = await upload({ name: 'Film', channelId: alice.channelId }, { bytes: videoFile, name: 'Fïlm.mp4' })
    expect(response.status).toBe(200)
    expect(Object.keys(response.json.video).sort()).toEqual(['id', 'shortUUID', 'uuid'])
    const { json } = await site.call(`GET /videos/${response.json.video.uuid}/source`, { token: alice.token })
    expect(json).toMatchObject({
      filename: 'Fïlm.mp4',
      inputFilename: 'Fïlm.mp4',
      size: videoFile.length,
      width: 320,
      height: 180,
      resolution: { id: 180, label: '180p' }
    })
    expect((await site.call(`GET /videos/${response.json.video.uuid}/source`)).status).toBe(401)
    expect((await site.call(`GET /videos/${response.json.video.uuid}/source`, { token: bob.token })).status).toBe(403)
  })

  it('refuses invalid uploads with a problem document, and stores nothing', async () => {
    const limited = await site.user('poor', { videoQuota: 10, videoQuotaDaily: 10 })
    const before = await countRows()
    const validFile = { bytes: videoFile, name: 'film.mp4' }
    const validFields = { name: 'Some name', channelId: alice.channelId }
    const cases: [string, TestResponse, number, Record<string, unknown>][] = [
      [
        'no token',
        await site.call('POST /videos/upload', { multipart: videoUploadForm(validFields, validFile) }),
        401,
        { code: 'unauthorized_request' }
      ],
      [
        'no file',
        await upload(validFields),
        400,
        { 'invalid-params': { videofile: { type: 'field', msg: 'Should have a file', path: 'videofile', location: 'body' } } }
      ],
      ['no name', await upload({ channelId: alice.channelId }, validFile), 400, { detail: 'Incorrect request parameters: name' }],
      [
        'bad privacy and category',
        await upload({ ...validFields, privacy: 42, category: 999 }, validFile),
        400,
        { detail: 'Incorrect request parameters: category, privacy' }
      ],
      [
        'a channel of another user',
        await upload({ ...validFields, channelId: bob.channelId }, validFile),
        400,
        { detail: 'Unknown video "video channel" for this account.' }
      ],
      [
        'an unknown channel',
        await upload({ ...validFields, channelId: 99999 }, validFile),
        400,
        { detail: 'Unknown video "video channel" for this instance.' }
      ],
      [
        'six tags',
        await upload({ ...validFields, tags: ['aa', 'bb', 'cc', 'dd', 'ee', 'ff'] }, validFile),
        400,
        { detail: 'Incorrect request parameters: tags' }
      ],
      [
        'a password video without password',
        await upload({ ...validFields, privacy: 5 }, validFile),
        400,
        { detail: 'Incorrect request parameters: videoPasswords' }
      ],
      [
        'a text file',
        await upload(validFields, { bytes: Buffer.from('hello world'), name: 'a.txt' }),
        415,
        { title: 'Unsupported Media Type' }
      ],
      [
        'text named as a video',
        await upload(validFields, { bytes: Buffer.from('this is not a video at all, really'), name: 'fake.webm' }),
        422,
        { code: 'text_file' }
      ],
      [
        'an empty file named as a video',
        await upload(validFields, { bytes: Buffer.alloc(0), name: 'empty.mp4' }),
        422,
        { detail: 'Video file unreadable.' }
      ],
      [
        'a playlist named as a video',
        await upload(validFields, {
          bytes: Buffer.from('#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n'),
          name: 'list.mp4'
        }),
        422,
        {}
      ],
      [
        'over quota',
        await upload({ ...validFields, channelId: limited.channelId }, validFile, limited.token),
        413,
        { code: 'quota_reached', detail: 'The user video quota is exceeded with this video.' }
      ],
      [
        'too large a file',
        await upload(validFields, { bytes: Buffer.alloc(2 ** 20 + 1), name: 'large.mp4' }),
        413,
        { code: 'max_file_size_reached' }
      ],
      [
        'too long a video',
        await upload(validFields, {
          bytes: await makeFootageBytes({ seconds: 25, size: '64x36', rate: 5, audio: null }),
          name: 'long.mp4'
        }),
        422,
        { code: 'video_too_long' }
      ],
      [
        'too many pixels',
        await upload(validFields, {
          bytes: await makeFootageBytes({ seconds: 1, size: '1600x900', rate: 1, audio: null }),
          name: 'wide.mp4'
        }),
        422,
        { code: 'video_too_large' }
      ]
    ]
    for (const [label, response, status, expected] of cases) {
      expect([label, response.status]).toEqual([label, status])
      expect(response.headers.get('content-type'), label).toContain('application/problem+json')
      expect(response.json, label).toMatchObject({ status, ...expected })
      expect(response.json.error, label).toBe(response.json.detail)
    }
    expect(await countRows()).toEqual(before)
    // The thumbnail of the first test's video may still be written there.
    await eventually(async () => (await readdir(join(site.folder, 'tmp'))).length === 0, 30, 'the temporary folder to be empty')
  })

  it('accepts concurrent uploads of one user only as far as they fit the quota together', async () => {
    const thrifty = await site.user('thrifty', { videoQuota: Math.round(videoFile.length * 1.5) })
    const responses = await Promise.all(
      [1, 2, 3].map(
        async () => await upload({ name: 'Film', channelId: thrifty.channelId }, { bytes: videoFile, name: 'film.mp4' }, thrifty.token)
      )
    )
    expect(responses.map(response => response.status).sort()).toEqual([200, 413, 413])
    const used = (await site.call('GET /users/me/video-quota-used', { token: thrifty.token })).json
    expect(used.videoQuotaUsed).toBeGreaterThanOrEqual(videoFile.length)
  })

  it('checks the daily quota separately', async () => {
    const daily = await site.user('daily', { videoQuotaDaily: Math.round(videoFile.length * 1.5) })
    expect((await upload({ name: 'Film', channelId: daily.channelId }, { bytes: videoFile, name: 'film.mp4' }, daily.token)).status).toBe(
      200
    )
    expect(
      (await upload({ name: 'Film', channelId: daily.channelId }, { bytes: videoFile, name: 'film.mp4' }, daily.token)).json.code
    ).toBe('quota_reached')
    await runQuery(sql`UPDATE videos SET created_at = now() - interval '25 hours' WHERE channel_id = ${daily.channelId}`)
    expect((await upload({ name: 'Film', channelId: daily.channelId }, { bytes: videoFile, name: 'film.mp4' }, daily.token)).status).toBe(
      200
    )
  })
})

describe('in chunks', () => {
  const begin = async (overrides: Record<string, unknown> = {}, headers: Record<string, string> = {}, token = alice.token) =>
    await site.call('POST /videos/upload-resumable?uploadType=resumable', {
      token,
      headers: { 'x-upload-content-length': String(videoFile.length), 'x-upload-content-type': 'video/mp4', ...headers },
      body: {
        name: 'Resumable video',
        channelId: alice.channelId,
        privacy: 1,
        filename: 'film.mp4',
        tags: ['two', 'resumable'],
        originallyPublishedAt: '2020-01-02T03:04:05.000Z',
        ...overrides
      }
    })
  const uploadIdOf = (response: TestResponse) => new URL(`http:${response.headers.get('location')}`).searchParams.get('upload_id')!
  const putChunk = async (uploadId: string, range: string, bytes: Buffer = Buffer.alloc(0), token = alice.token) =>
    await site.call(`PUT /videos/upload-resumable?uploadType=resumable&upload_id=${encodeURIComponent(uploadId)}`, {
      token,
      headers: { 'content-type': 'application/octet-stream', 'content-range': range },
      body: new Uint8Array(bytes)
    })
  const halfLength = () => Math.floor(videoFile.length / 2)

  it('answers with the received range, accepts a repeated chunk, and creates the video with the last one', async () => {
    const created = await begin()
    expect([created.status, created.headers.get('location')]).toEqual([
      201,
      expect.stringMatching(/^\/\/127\.0\.0\.1:\d+\/api\/v1\/videos\/upload-resumable\?uploadType=resumable&upload_id=/)
    ])
    const upload = uploadIdOf(created)
    const size = videoFile.length
    const status = await putChunk(upload, `bytes */${size}`)
    expect([status.status, status.headers.get('range')]).toEqual([308, 'bytes=0--1'])
    for (let i = 0; i < 2; i++) {
      const first = await putChunk(upload, `bytes 0-${halfLength() - 1}/${size}`, videoFile.subarray(0, halfLength()))
      expect([first.status, first.headers.get('range')]).toEqual([308, `bytes=0-${halfLength() - 1}`])
    }
    const unfinished = (await site.call('GET /users/me/uploads', { token: alice.token })).json.data
    expect(unfinished).toEqual([
      expect.objectContaining({ uploadId: upload, filename: 'film.mp4', name: 'Resumable video', size, received: halfLength() })
    ])
    expect((await site.call('GET /users/me/uploads', { token: bob.token })).json.data).toEqual([])
    // A request with another user's token is refused and changes nothing.
    expect(
      (await putChunk(upload, `bytes ${halfLength()}-${size - 1}/${size}`, videoFile.subarray(halfLength()), bob.token)).json
    ).toMatchObject({
      status: 403,
      error: { code: 'Forbidden' }
    })
    const last = await putChunk(upload, `bytes ${halfLength()}-${size - 1}/${size}`, videoFile.subarray(halfLength()))
    expect([last.status, Object.keys(last.json.video).sort()]).toEqual([200, ['id', 'shortUUID', 'uuid']])
    const video = await waitForTranscoding(site, alice, last.json.video.uuid)
    expect(video).toMatchObject({
      name: 'Resumable video',
      tags: ['two', 'resumable'],
      originallyPublishedAt: '2020-01-02T03:04:05.000Z',
      duration: 2
    })
    expect((await site.call('GET /users/me/uploads', { token: alice.token })).json.data).toEqual([])
  })

  it('does not write a chunk that would leave a gap, and answers with the received range', async () => {
    const upload = uploadIdOf(await begin())
    await putChunk(upload, 'bytes 0-999/' + videoFile.length, videoFile.subarray(0, 1000))
    const gap = await putChunk(upload, `bytes 2000-2999/${videoFile.length}`, videoFile.subarray(2000, 3000))
    expect([gap.status, gap.headers.get('range')]).toEqual([308, 'bytes=0-999'])
    const rest = await putChunk(upload, `bytes 1000-${videoFile.length - 1}/${videoFile.length}`, videoFile.subarray(1000))
    expect(rest.status).toBe(200)
    await waitForTranscoding(site, alice, rest.json.video.uuid)
  })

  it('creates one video if the last chunk is sent several times at once', async () => {
    const upload = uploadIdOf(await begin())
    const responses = await Promise.all(
      [1, 2, 3].map(async () => await putChunk(upload, `bytes 0-${videoFile.length - 1}/${videoFile.length}`, videoFile))
    )
    expect(responses.filter(response => response.status === 200).length).toBeGreaterThan(0)
    // Whoever comes late gets the same response again.
    expect(new Set(responses.filter(response => response.status === 200).map(response => response.json.video.uuid)).size).toBe(1)
    for (const response of responses.filter(response => response.status !== 200)) expect(response.json.code).toBe('upload_busy')
  })

  it('uses the images of the first request when the video is created', async () => {
    const png = await sharp({ create: { width: 640, height: 360, channels: 3, background: '#0a0' } })
      .png()
      .toBuffer()
    const form = videoUploadForm({ name: 'With a picture', channelId: alice.channelId, privacy: 1, filename: 'tiny.mp4', tags: ['aaa'] })
    form.set('thumbnailfile', new Blob([new Uint8Array(png)]), 'p.png')
    const created = await site.call('POST /videos/upload-resumable', {
      token: alice.token,
      headers: { 'x-upload-content-length': String(videoFile.length), 'x-upload-content-type': 'video/mp4' },
      multipart: form
    })
    expect(created.status).toBe(201)
    const { json } = await putChunk(uploadIdOf(created), `bytes 0-${videoFile.length - 1}/${videoFile.length}`, videoFile)
    const video = await waitForTranscoding(site, alice, json.video.uuid)
    const { dominant } = await sharp(Buffer.from(await (await fetch(site.url + video.thumbnailPath)).arrayBuffer())).stats()
    expect(dominant.g).toBeGreaterThan(dominant.r + 50)
  })

  it('is refused with the first request if the upload would be refused at its end', async () => {
    const limited = await site.user('poor2', { videoQuota: 10 })
    expect((await begin({}, { 'x-upload-content-length': '' })).json).toMatchObject({
      status: 400,
      detail: expect.stringContaining('x-upload-content-length')
    })
    expect((await begin({ name: undefined })).json.detail).toBe('Incorrect request parameters: name')
    expect((await begin({ filename: undefined })).json.detail).toBe('Incorrect request parameters: filename')
    expect((await begin({ filename: 'a.txt' })).status).toBe(415)
    expect((await begin({ channelId: limited.channelId }, {}, limited.token)).json.code).toBe('quota_reached')
    expect((await begin({}, { 'x-upload-content-length': '99999999' })).json.code).toBe('max_file_size_reached')
    expect((await begin({ channelId: bob.channelId })).status).toBe(400)
    expect((await site.call('POST /videos/upload-resumable', { body: {} })).status).toBe(401)
  })

  it('is discarded if the file is no video', async () => {
    const upload = uploadIdOf(await begin())
    const garbage = Buffer.alloc(videoFile.length, 7)
    expect((await putChunk(upload, `bytes 0-${videoFile.length - 1}/${videoFile.length}`, garbage)).json).toMatchObject({
      status: 422,
      detail: 'Video file unreadable.'
    })
    expect((await putChunk(upload, `bytes */${videoFile.length}`)).status).toBe(403)
  })

  it('refuses other sizes and unknown uploads', async () => {
    const upload = uploadIdOf(await begin())
    expect((await putChunk(upload, `bytes 0-9/${videoFile.length * 2}`, videoFile.subarray(0, 10))).json.code).toBe('invalid_content_range')
    expect((await putChunk('unknown', 'bytes 0-9/10', videoFile.subarray(0, 10))).json).toMatchObject({ status: 403 })
    expect((await putChunk('../../../etc/passwd', 'bytes 0-9/10', videoFile.subarray(0, 10))).status).toBe(403)
    expect((await site.call('PUT /videos/upload-resumable', { token: alice.token })).status).toBe(400)
  })

  it('can be cancelled, twice, by its owner', async () => {
    const upload = uploadIdOf(await begin())
    const cancel = async (token: string) =>
      (await site.call(`DELETE /videos/upload-resumable?uploadType=resumable&upload_id=${upload}`, { token })).status
    expect([await cancel(bob.token), await cancel(alice.token), await cancel(alice.token)]).toEqual([403, 204, 204])
    expect((await putChunk(upload, `bytes */${videoFile.length}`)).status).toBe(403)
  })

  it('is swept with its files after it has expired, and not before', async () => {
    await runQuery(sql`DELETE FROM uploads`)
    const old = uploadIdOf(await begin())
    const young = uploadIdOf(await begin())
    for (const upload of [old, young]) await putChunk(upload, `bytes 0-99/${videoFile.length}`, videoFile.subarray(0, 100))
    await runQuery(sql`UPDATE uploads SET expires_at = now() - interval '1 second' WHERE id = ${old}`)
    const before = (await readdir(join(site.folder, 'uploads'))).length
    await sweepUploads.run({}, { progress: () => undefined, signal: new AbortController().signal })
    expect((await readdir(join(site.folder, 'uploads'))).length).toBe(before - 1)
    expect([
      (await putChunk(old, `bytes */${videoFile.length}`)).status,
      (await putChunk(young, `bytes */${videoFile.length}`)).status
    ]).toEqual([403, 308])
  })

  it('counts unfinished uploads towards their limit and the quota', async () => {
    await runQuery(sql`DELETE FROM uploads`)
    const before = config.upload.max_per_user
    config.upload.max_per_user = 2
    try {
      expect([(await begin()).status, (await begin()).status, (await begin()).json.code]).toEqual([201, 201, 'too_many_uploads'])
    } finally {
      config.upload.max_per_user = before
    }
    const tight = await site.user('tight', { videoQuota: Math.round(videoFile.length * 1.5) })
    const beginOnce = async () => await begin({ channelId: tight.channelId }, {}, tight.token)
    expect([(await beginOnce()).status, (await beginOnce()).json.code]).toEqual([201, 'quota_reached'])
  })

  it('has stored the file of every video source', async () => {
    const rows = await runQuery<{ filename: string }>(sql`SELECT filename FROM video_sources WHERE filename IS NOT NULL`)
    for (const { filename } of rows) expect((await stat(join(site.folder, 'original-video-files', filename))).size).toBeGreaterThan(0)
  })
})
