import { statSync } from 'node:fs'
import { mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { config } from '../core/config.ts'
import { overrideInternals } from '../core/internals.ts'
import { runQuery, sql } from '../core/sql.ts'
import { makeFootageBytes } from '../test/footage.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { openUpload, type OpenUpload } from '../test/open-upload.ts'
import { startSecondProcess, type SecondProcess } from '../test/second-process.ts'
import { sweepUploads } from './sweep-uploads.job.ts'
import { UPLOADS } from './upload-internals.ts'

const MB = 1_000_000
const SECOND_DISK = '/dev/shm'
const hasSecondDisk = ![statSync(tmpdir()).dev, undefined].includes(statSync(SECOND_DISK, { throwIfNoEntry: false })?.dev)
const SETTINGS = { upload: { max_per_user: 6, keep_free: 0, max_size: '1GB', image_max_size: '1MB' } }
let site: TestInstance
let second: SecondProcess
let root: { token: string; channelId: number }
beforeAll(async () => {
  site = await startTestInstance({ ...SETTINGS, checkPublishedMedia: false }, ['web'])
  second = await startSecondProcess(site, { ...SETTINGS, internals: { uploads: { reservationLease: 2000, renewInterval: 100 } } })
  root = await site.user('rich')
})
afterAll(async () => {
  await second?.kill()
  await site?.stop()
})

const opened: OpenUpload[] = []
const open = (
  ...[user, size, options, url = site.url]: [...(Parameters<typeof openUpload> extends [string, ...infer R] ? R : never), string?]
) => {
  const upload = openUpload(url, user, size, options)
  opened.push(upload)
  return upload
}
const reservations = async () =>
  await runQuery<{ size: number; received: number }>(sql`SELECT size::float, received::float FROM upload_reservations ORDER BY size`)
/** Bytes in `storage.tmp`. */
const storedBytes = async () => {
  const folder = join(site.folder, 'tmp')
  const sizes = (await readdir(folder).catch(() => [])).map(
    async name =>
      await stat(join(folder, name)).then(
        found => found.size,
        () => 0
      )
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
const isAtRest = async () => (await reservations()).length === 0 && (await readdir(join(site.folder, 'tmp')).catch(() => [])).length === 0
const freeBytes = async (folder = site.folder) => {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}
const begin = async (user: { token: string; channelId: number }, size: number, call = site.call) =>
  await call('POST /videos/upload-resumable?uploadType=resumable', {
    token: user.token,
    headers: { 'x-upload-content-length': String(size), 'x-upload-content-type': 'video/mp4' },
    body: { name: 'Resumable', channelId: user.channelId, filename: 'film.mp4' }
  })

afterEach(async () => {
  for (const upload of opened.splice(0)) upload.cut()
  config.upload.keep_free = 0
  config.upload.idle_timeout = 60_000
  await eventually(isAtRest, 10, 'all requests to end')
  await runQuery(sql`DELETE FROM uploads`)
})

describe('before the first byte', () => {
  it('a body that is surely beyond the quota or the largest file is refused, and the sender gets the answer while it sends', async () => {
    const poor = await site.user('poor', { videoQuota: MB })
    for (const [user, size, code] of [
      [poor, 50 * MB, 'quota_reached'],
      [root, 1100 * MB, 'max_file_size_reached']
    ] as const) {
      const upload = open(user, size)
      void upload.send(40 * MB)
      expect(await upload.response).toMatchObject({ status: 413, connection: 'close', json: { status: 413, code } })
      expect(await storedBytes()).toBe(0)
    }
    const answer = await fetch(`${site.url}/api/v1/videos/upload`, {
      method: 'POST',
      headers: { authorization: `Bearer ${poor.token}`, 'content-type': 'multipart/form-data; boundary=x' },
      body: new Uint8Array(60 * MB)
    })
    expect([answer.status, (await answer.json()).code]).toEqual([413, 'quota_reached'])
  })

  it('who is not logged in, is blocked or has a wrong token writes nothing', async () => {
    const blocked = await site.user('blocked')
    await site.call(`POST /users/${blocked.id}/block`, { token: await site.login() })
    for (const token of [undefined, 'wrong', blocked.token]) {
      const upload = open({ token, channelId: root.channelId }, 50 * MB)
      void upload.send(5 * MB)
      expect(await upload.response).toMatchObject({ status: 401, connection: 'close' })
      expect(await storedBytes()).toBe(0)
    }
  })

  it('the disk keeps upload.keep_free: neither videos nor pictures take of it', async () => {
    config.upload.keep_free = (await freeBytes()) + 100 * MB
    const channel = (await site.call('GET /users/me', { token: root.token })).json.videoChannels[0].name
    for (const [path, field] of [
      ['/videos/upload', 'videofile'],
      ['/users/me/avatar/pick', 'avatarfile'],
      [`/video-channels/${channel}/banner/pick`, 'bannerfile'],
      ['/video-playlists', 'thumbnailfile']
    ] as const) {
      const upload = open(root, 100_000, { path, field, name: 'a.png' })
      void upload.send(50_000)
      expect([path, await upload.response]).toMatchObject([path, { status: 507, json: { code: 'insufficient_storage' } }])
    }
    expect((await begin(root, 1000)).json.code).toBe('insufficient_storage')
    expect(await storedBytes()).toBe(0)
  })
})

describe('while it arrives', () => {
  it.each([true, false])('no more than the quota is written (Content-Length: %s), by all requests of a user together', async announced => {
    const user = await site.user(`thrifty${Number(announced)}`, { videoQuota: MB })
    const uploads = [1, 2, 3, 4].map(number => open(user, 2 * MB, { announced }, number % 2 ? site.url : second.url))
    let most = 0
    const watch = setInterval(() => void storedBytes().then(bytes => (most = Math.max(most, bytes))), 5)
    await Promise.all(uploads.map(async upload => await upload.send(2 * MB)))
    for (const { status, json } of await Promise.all(uploads.map(async upload => await upload.response)))
      expect([status, json.code]).toEqual([413, 'quota_reached'])
    clearInterval(watch)
    expect(most).toBeLessThanOrEqual(MB)
  })

  it('a file that fits the quota is not refused for what the form has beside it', async () => {
    const user = await site.user('exact', { videoQuota: MB })
    for (const [size, expected] of [
      [MB, 422],
      [MB + 1, 413]
    ] as const) {
      const upload = open(user, size, { fields: { description: 'long '.repeat(1000) } })
      await upload.send(size)
      upload.finish()
      // Refused for what it is, only after it has arrived.
      expect((await upload.response).status).toBe(expected)
    }
  })

  it('an image is ended at its own limit, not at that of videos', async () => {
    const upload = open(root, 20 * MB, { field: 'thumbnailfile', name: 'a.png' })
    void upload.send(10 * MB)
    expect(await upload.response).toMatchObject({ status: 400, json: { 'invalid-params': { thumbnailfile: {} } } })
  })

  it('without Content-Length the disk ends it, and everything written is removed', async () => {
    config.upload.keep_free = (await freeBytes()) - 8 * MB
    const upload = open(root, 100 * MB, { announced: false })
    void upload.send(100 * MB)
    expect(await upload.response).toMatchObject({ status: 507, json: { code: 'insufficient_storage' } })
    await eventually(isAtRest, 10, 'the file to be removed')
  })

  it('a request that goes silent is ended with 408, and its file removed', async () => {
    config.upload.idle_timeout = 300
    const upload = open(root, MB)
    await upload.send(100_000)
    expect(await upload.response).toMatchObject({ status: 408, connection: 'close', json: { code: 'upload_stalled' } })
    await eventually(isAtRest, 10, 'the file to be removed')
  })
})

describe('at its end', () => {
  it('who has been blocked meanwhile publishes nothing', async () => {
    const user = await site.user('unruly')
    const film = await makeFootageBytes({ seconds: 1, size: '320x180' })
    const upload = open(user, film.length)
    await upload.send(film.subarray(0, 1000))
    await eventually(async () => (await reservations()).length === 1, 10, 'the upload to begin')
    await site.call(`POST /users/${user.id}/block`, { token: await site.login() })
    await upload.send(film.subarray(1000))
    upload.finish()
    expect(await upload.response).toMatchObject({ status: 401, json: { code: 'invalid_token' } })
    expect(await runQuery(sql`SELECT id FROM videos`)).toEqual([])
  })
})

describe('what uploads have reserved', () => {
  it('counts for one user: requests and resumable uploads in all processes together, also when they race', async () => {
    const user = await site.user('racing', { videoQuota: 10 * MB })
    const started = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => await begin(user, 3 * MB, index % 2 ? site.call : second.call))
    )
    expect(started.filter(({ status }) => status === 201)).toHaveLength(3)
    expect(new Set(started.filter(({ status }) => status !== 201).map(({ json }) => json.code))).toEqual(new Set(['quota_reached']))
    // Surely too large for the megabyte that is left.
    const upload = open(user, 5 * MB, {}, second.url)
    expect((await upload.response).json.code).toBe('quota_reached')
    await runQuery(sql`DELETE FROM uploads`)
    const held = open(user, 9 * MB)
    await eventually(async () => (await reservations()).length === 1, 10, 'the reservation')
    expect((await begin(user, 3 * MB, second.call)).json.code).toBe('quota_reached')
    held.cut()
    await eventually(async () => (await begin(user, 3 * MB, second.call)).status === 201, 10, 'the space to be given back')
  })

  it('limits how many are unfinished, of both kinds and in all processes, also when they race', async () => {
    const uploads = [1, 2, 3, 4].map(number => open(root, MB, {}, number % 2 ? site.url : second.url))
    await eventually(async () => (await reservations()).length === 4, 10, 'the reservations')
    const started = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => await begin(root, 1000, index % 2 ? site.call : second.call))
    )
    expect(started.map(({ status }) => status).sort()).toEqual([201, 201, ...Array.from({ length: 18 }, () => 400)])
    expect(new Set(started.filter(({ status }) => status === 400).map(({ json }) => json.code))).toEqual(new Set(['too_many_uploads']))
    expect((await open(root, MB).response).json.code).toBe('too_many_uploads')
    // Nothing is left of those that were refused.
    expect(await readdir(join(site.folder, 'uploads')).catch(() => [])).toEqual([])
    for (const upload of uploads) upload.cut()
  })

  it('counts against the disk as far as it has not arrived, of all users', async () => {
    const users = await Promise.all(['ann', 'ben', 'cleo', 'dan'].map(async name => await site.user(name)))
    config.upload.keep_free = (await freeBytes()) - 250 * MB
    const started = await Promise.all(users.map(async user => await begin(user, 100 * MB)))
    expect(started.map(({ status }) => status).sort()).toEqual([201, 201, 507, 507])
    expect((await open(users[0]!, 100 * MB).response).json.code).toBe('insufficient_storage')
  })

  it.skipIf(!hasSecondDisk)('counts only against the disk that it goes to', async () => {
    const { uploads } = config.storage
    const { max_size } = config.upload
    config.storage.uploads = await mkdtemp(join(SECOND_DISK, 'bobine-uploads-'))
    try {
      const free = await freeBytes(SECOND_DISK)
      config.upload.keep_free = Math.max(0, free - 100 * MB)
      const room = free - config.upload.keep_free
      config.upload.max_size = -1
      open(root, Math.max(2 * room, Math.floor(((await freeBytes()) - config.upload.keep_free) / 2)))
      await eventually(async () => (await reservations()).length === 1, 10, 'the reservation')
      expect((await begin(root, Math.floor(room * 0.6))).status).toBe(201)
      expect((await begin(root, Math.floor(room * 0.6))).json.code).toBe('insufficient_storage')
    } finally {
      config.upload.max_size = max_size
      await rm(config.storage.uploads, { recursive: true })
      config.storage.uploads = uploads
    }
  })

  it('is asked for again when it was lost while bytes arrive', async () => {
    const { renewInterval, reservationLease } = UPLOADS
    overrideInternals(UPLOADS, { renewInterval: 50, reservationLease: 400 })
    try {
      const user = await site.user('stalled', { videoQuota: 5 * MB })
      const upload = open(user, 4 * MB)
      await upload.send(MB)
      await eventually(async () => (await reservations()).length === 1, 10, 'the reservation')
      await runQuery(sql`DELETE FROM upload_reservations`)
      await eventually(async () => (await reservations()).length === 1, 10, 'the reservation to come back')
      await runQuery(sql`DELETE FROM upload_reservations`)
      await runQuery(sql`UPDATE users SET video_quota = 1000 WHERE id = ${user.id}`)
      await new Promise(resolve => setTimeout(resolve, 300))
      await upload.send(MB)
      expect((await upload.response).json.code).toBe('quota_reached')
    } finally {
      overrideInternals(UPLOADS, { renewInterval, reservationLease })
    }
  })

  it('is given back when the file has become no video, and forgotten when its process dies', async () => {
    const user = await site.user('unlucky', { videoQuota: 5 * MB })
    for (let attempt = 0; attempt < 3; attempt++) {
      const upload = open(user, 4 * MB)
      await upload.send(4 * MB)
      upload.finish()
      expect((await upload.response).status).toBe(422)
      await eventually(async () => (await reservations()).length === 0, 10, 'the reservation to be given back')
    }
    const upload = open(user, 4 * MB, {}, second.url)
    await upload.send(MB)
    await eventually(async () => ((await reservations())[0]?.received ?? 0) >= MB, 10, 'the bytes to be noted')
    // Held for longer than the lease, as it is renewed.
    await new Promise(resolve => setTimeout(resolve, 2200))
    expect((await begin(user, 4 * MB)).json.code).toBe('quota_reached')
    await second.kill()
    await eventually(async () => (await begin(user, 4 * MB)).status === 201, 10, 'the reservation to expire')
    expect(await reservations()).toHaveLength(1)
    await sweepUploads.run({}, { progress: () => undefined, signal: new AbortController().signal })
    expect(await reservations()).toEqual([])
    // What the dead process wrote is left to the sweep of orphans.
    await rm(join(site.folder, 'tmp'), { recursive: true })
  })
})
