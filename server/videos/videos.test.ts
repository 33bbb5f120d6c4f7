import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { config } from '../core/config.ts'
import { unlimitedProbeLimits } from '../test/media-settings.ts'
import { probeMedia } from '../media/probe.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { waitForTranscoding, uploadVideo, videoUploadForm } from '../test/upload.ts'
import { transaction } from '../core/transaction.ts'
import { setVideoImages } from './video-images.ts'

let site: TestInstance
let root: string
let alice: Awaited<ReturnType<TestInstance['user']>>
let bob: Awaited<ReturnType<TestInstance['user']>>
let moderator: Awaited<ReturnType<TestInstance['user']>>
beforeAll(async () => {
  site = await startTestInstance({
    storyboards: { enabled: true },
    instance: { default_nsfw_policy: 'display' },
    transcoding: { resolutions: { '360p': false, '480p': false, '720p': false, '1080p': false } },
    schedule: { check_interval: '200 ms' }
  })
  root = await site.login()
  alice = await site.user('alice')
  bob = await site.user('bob')
  moderator = await site.user('mod', { role: 1 })
})
afterAll(async () => await site?.stop())

describe('a published video', () => {
  it('has the fields its owner set, in the format of PeerTube’s API', async () => {
    const uploaded = await uploadVideo(site, alice, {
      name: 'Full video',
      category: 2,
      licence: 4,
      language: 'en',
      nsfw: 'false',
      tags: ['tag one', 'two'],
      description: 'A **full** description',
      support: 'Support text',
      commentsPolicy: 1,
      downloadEnabled: 'true',
      waitTranscoding: 'false',
      originallyPublishedAt: '2020-01-02T03:04:05.000Z'
    })
    await waitForTranscoding(site, alice, uploaded.uuid)
    const { json: video } = await site.call(`GET /videos/${uploaded.uuid}`)
    expect(video).toMatchObject({
      id: uploaded.id,
      uuid: uploaded.uuid,
      shortUUID: uploaded.shortUUID,
      url: `${site.url}/videos/watch/${uploaded.uuid}`,
      name: 'Full video',
      category: { id: 2, label: 'Films' },
      licence: { id: 4, label: 'Attribution - Non Commercial' },
      language: { id: 'en', label: 'English' },
      privacy: { id: 1, label: 'Public' },
      nsfw: false,
      description: 'A **full** description',
      truncatedDescription: 'A **full** description',
      isLocal: true,
      duration: 2,
      aspectRatio: 1.7778,
      views: 0,
      likes: 0,
      dislikes: 0,
      isLive: false,
      embedPath: `/videos/embed/${uploaded.uuid}`,
      originallyPublishedAt: '2020-01-02T03:04:05.000Z',
      tags: ['tag one', 'two'],
      support: 'Support text',
      descriptionPath: `/api/v1/videos/${uploaded.uuid}/description`,
      commentsEnabled: true,
      commentsPolicy: { id: 1, label: 'Enabled' },
      downloadEnabled: true,
      waitTranscoding: false,
      state: { id: 1, label: 'Published' },
      files: [{ resolution: { id: 180, label: '180p' }, playlistUrl: null, hasAudio: true, hasVideo: true }],
      blacklisted: false,
      account: { name: 'alice', host: site.url.slice(7) },
      channel: { name: 'alice_channel', ownerAccount: { name: 'alice' } }
    })
    const [playlist] = video.streamingPlaylists
    expect(playlist.playlistUrl).toMatch(
      new RegExp(`^${site.url}/static/streaming-playlists/hls/${uploaded.uuid}/[0-9a-f-]{36}-master\\.m3u8$`)
    )
    expect(playlist.files.map((file: any) => [file.resolution.id, file.hasVideo, file.hasAudio])).toEqual([
      [180, true, false],
      [0, false, true]
    ])
    for (const file of playlist.files)
      expect((await fetch(file.fileUrl, { method: 'HEAD' })).headers.get('content-length')).toBe(String(file.size))
    for (const path of [video.thumbnailPath, video.previewPath]) {
      const image = await fetch(site.url + path)
      expect(image.headers.get('content-type')).toBe('image/jpeg')
      expect(image.headers.get('cache-control')).toContain('max-age=172800')
    }
    const hashes = (await (await fetch(playlist.segmentsSha256Url)).json()) as Record<string, object>
    expect(Object.keys(hashes).sort()).toEqual(playlist.files.map((file: any) => file.fileUrl.split('/').at(-1)).sort())
    const storyboards = (await site.call(`GET /videos/${uploaded.uuid}/storyboards`)).json.storyboards
    expect(storyboards[0]).toMatchObject({ spriteDuration: 1, spriteWidth: 192 })
    expect((await fetch(site.url + storyboards[0].storyboardPath)).status).toBe(200)
    const metadata = await site.call(`GET ${new URL(playlist.files[0].metadataUrl).pathname.slice('/api/v1'.length)}`)
    expect(metadata.json.streams[0].codec_name).toBe('h264')
  })

  it('has playlists of type VOD, also where an earlier version left them at EVENT', async () => {
    const uploaded = await uploadVideo(site, alice)
    const {
      streamingPlaylists: [playlist]
    } = await waitForTranscoding(site, alice, uploaded.uuid)
    const { playlistUrl } = playlist.files[0]
    const path = join(site.folder, 'streaming-playlists/hls', uploaded.uuid, playlistUrl.split('/').at(-1))
    const text = await readFile(path, 'utf8')
    expect(text).toContain('#EXT-X-PLAYLIST-TYPE:VOD')
    await writeFile(path, text.replace(':VOD', ':EVENT'))
    expect(await (await fetch(playlistUrl)).text()).toBe(text)
    await writeFile(path, text)
  })

  it('has playlists that are sent compressed, except for range requests', async () => {
    const uploaded = await uploadVideo(site, alice)
    const {
      streamingPlaylists: [playlist]
    } = await waitForTranscoding(site, alice, uploaded.uuid)
    const get = async (url: string, headers: Record<string, string>) => await fetch(url, { headers })
    for (const { playlistUrl } of [playlist, ...playlist.files]) {
      const plain = await get(playlistUrl, { 'accept-encoding': 'identity' })
      expect([plain.headers.get('content-encoding'), plain.headers.get('vary'), plain.headers.get('cache-control')]).toEqual([
        null,
        'Accept-Encoding',
        'no-cache'
      ])
      expect(plain.headers.get('content-type')).toMatch(/^application\/vnd\.apple\.mpegurl/)
      const text = await plain.text()
      expect(text).toMatch(/^#EXTM3U/)
      for (const encoding of ['br', 'gzip']) {
        const compressed = await get(playlistUrl, { 'accept-encoding': encoding })
        expect([compressed.headers.get('content-encoding'), await compressed.text()]).toEqual([encoding, text])
        // Not with fetch, which adds `cache-control: no-cache` to conditional requests.
        const revalidated = await request(playlistUrl, {
          headers: { 'accept-encoding': encoding, 'if-none-match': compressed.headers.get('etag')! }
        })
        await revalidated.body.dump()
        expect(revalidated.statusCode).toBe(304)
      }
      const end = await get(playlistUrl, { 'accept-encoding': 'br, gzip', range: 'bytes=-20' })
      expect([end.status, end.headers.get('content-encoding'), await end.text()]).toEqual([206, null, text.slice(-20)])
    }
    const missing = await get(playlist.playlistUrl.replace('master', 'nothing'), { 'accept-encoding': 'br' })
    expect([missing.status, missing.headers.get('content-encoding'), missing.headers.get('content-type')]).toEqual([
      404,
      null,
      expect.stringContaining('application/problem+json')
    ])
  })

  it('is found by numeric id, UUID and short UUID only', async () => {
    const uploaded = await uploadVideo(site, alice)
    await waitForTranscoding(site, alice, uploaded.uuid)
    for (const id of [uploaded.id, uploaded.uuid, uploaded.shortUUID])
      expect((await site.call(`GET /videos/${id}`)).json.uuid).toBe(uploaded.uuid)
    for (const id of [99999, '00000000-0000-4000-8000-000000000000', 'aaaaaaaaaaaaaaaaaaaaaa']) {
      const response = await site.call(`GET /videos/${id}`)
      expect(response.status).toBe(404)
      expect(response.json).toMatchObject({
        status: 404,
        title: 'Not Found',
        detail: 'Video not found',
        error: 'Video not found',
        type: 'about:blank'
      })
    }
    const malformed = await site.call('GET /videos/not%20an%20id')
    expect(malformed.status).toBe(400)
    expect(malformed.headers.get('content-type')).toContain('application/problem+json')
    expect(malformed.json['invalid-params'].id).toEqual({
      type: 'field',
      value: 'not an id',
      msg: 'Should have a valid video id (id, short UUID or UUID)',
      path: 'id',
      location: 'params'
    })
    for (const id of ['99999999999999999999', '%00', '..%2f..%2fetc%2fpasswd', "1'--", '-1'])
      expect([400, 404]).toContain((await site.call(`GET /videos/${id}`)).status)
  })

  it('has an edit in the next response, in spite of caches', async () => {
    const uploaded = await uploadVideo(site, alice)
    for (let i = 0; i < 20; i++) {
      await site.call(`GET /videos/${uploaded.uuid}`)
      expect((await site.call(`PUT /videos/${uploaded.uuid}`, { token: alice.token, body: { name: `Name ${i}` } })).status).toBe(204)
      expect((await site.call(`GET /videos/${uploaded.uuid}`)).json.name).toBe(`Name ${i}`)
      expect((await site.call('GET /videos?count=100')).json.data.find((video: any) => video.id === uploaded.id)?.name ?? `Name ${i}`).toBe(
        `Name ${i}`
      )
    }
  })
})

describe('editing', () => {
  it('changes the given fields only', async () => {
    const uploaded = await uploadVideo(site, alice, { description: 'before', tags: ['one', 'two'] })
    const png = await sharp({ create: { width: 1000, height: 600, channels: 3, background: '#a33' } })
      .png()
      .toBuffer()
    const form = videoUploadForm({ name: 'After', tags: ['three'], nsfw: 'true' })
    form.set('thumbnailfile', new Blob([new Uint8Array(png)]), 'image.png')
    expect((await site.call(`PUT /videos/${uploaded.uuid}`, { token: alice.token, multipart: form })).status).toBe(204)
    const { json } = await site.call(`GET /videos/${uploaded.uuid}`, { token: alice.token })
    expect(json).toMatchObject({ name: 'After', description: 'before', tags: ['three'], nsfw: true })
    const thumbnail = sharp(Buffer.from(await (await fetch(site.url + json.thumbnailPath)).arrayBuffer()))
    expect(await thumbnail.metadata()).toMatchObject({ format: 'jpeg', width: 280, height: 157 })
    expect(
      (await site.call(`PUT /videos/${uploaded.uuid}`, { token: alice.token, body: { description: null, tags: [], category: 3 } })).status
    ).toBe(204)
    expect((await site.call(`GET /videos/${uploaded.uuid}`, { token: alice.token })).json).toMatchObject({
      description: null,
      tags: [],
      category: { id: 3 },
      name: 'After'
    })
  })

  it('keeps the thumbnail its owner chose when an automatic one is created later', async () => {
    const uploaded = await uploadVideo(site, alice)
    const form = videoUploadForm({})
    const png = await sharp({ create: { width: 1000, height: 600, channels: 3, background: '#a33' } })
      .png()
      .toBuffer()
    form.set('thumbnailfile', new Blob([new Uint8Array(png)]), 'image.png')
    expect((await site.call(`PUT /videos/${uploaded.uuid}`, { token: alice.token, multipart: form })).status).toBe(204)
    const paths = async () => {
      const { json } = await site.call(`GET /videos/${uploaded.uuid}`, { token: alice.token })
      return [json.thumbnailPath, json.previewPath]
    }
    const chosenPaths = await paths()
    const automaticImage = join(site.folder, 'tmp/late.jpg')
    await writeFile(automaticImage, png)
    await transaction(
      async tx =>
        await setVideoImages(uploaded.id, [{ kind: 'thumbnail', path: automaticImage, width: 280, height: 157, automatic: true }], tx)
    )
    expect([await paths(), existsSync(automaticImage)]).toEqual([chosenPaths, false])
  })

  it('can be in every language of the list, and in no other', async () => {
    const { uuid } = await uploadVideo(site, alice)
    const setLanguage = async (language: unknown) =>
      (await site.call(`PUT /videos/${uuid}`, { token: alice.token, body: { language } })).status
    const { json: languages } = await site.call('GET /videos/languages')
    for (const code of ['pt-PT', 'sq', 'sh', 'tlh', 'avk', 'es-419', 'ca-valencia', 'fse', 'gcf', 'jbo', 'tok']) {
      expect([code, await setLanguage(code)]).toEqual([code, 204])
      expect(languages[code]).not.toBe(code)
      expect((await site.call(`GET /videos/${uuid}`)).json.language).toEqual({ id: code, label: languages[code] })
    }
    for (const code of ['xx', 'de-CH', 'PT-PT', 'constructor', 'x'.repeat(36), ['fr'], 7])
      expect([code, await setLanguage(code)]).toEqual([code, 400])
    expect(await setLanguage(null)).toBe(204)
  })

  it('answers 400 naming every invalid field, and changes nothing', async () => {
    const uploaded = await uploadVideo(site, alice)
    const response = await site.call(`PUT /videos/${uploaded.uuid}`, {
      token: alice.token,
      body: { name: 'x'.repeat(121), tags: ['a', 'b', 'c', 'd', 'e', 'f'], language: 5, originallyPublishedAt: 'never', support: 'fine' }
    })
    expect(response.status).toBe(400)
    expect(Object.keys(response.json['invalid-params']).sort()).toEqual(['language', 'name', 'originallyPublishedAt', 'tags'])
    expect(response.json['invalid-params'].name.msg).toBe('Should have a video name between 3 and 120 characters long')
    expect((await site.call(`GET /videos/${uploaded.uuid}`)).json).toMatchObject({ name: 'A film', support: null })
    const form = videoUploadForm({ name: 'Half changed' })
    form.set('thumbnailfile', new Blob(['not a picture']), 'image.png')
    const refused = await site.call(`PUT /videos/${uploaded.uuid}`, { token: alice.token, multipart: form })
    expect(refused.status).toBe(400)
    expect(refused.json['invalid-params'].thumbnailfile.location).toBe('body')
    expect((await site.call(`GET /videos/${uploaded.uuid}`)).json.name).toBe('A film')
  })

  it('is allowed to the owner and to moderators only', async () => {
    const uploaded = await uploadVideo(site, alice)
    expect((await site.call(`PUT /videos/${uploaded.uuid}`, { body: { name: 'Stranger' } })).json).toMatchObject({
      status: 401,
      code: 'unauthorized_request'
    })
    expect((await site.call(`PUT /videos/${uploaded.uuid}`, { token: bob.token, body: { name: 'Other' } })).json).toMatchObject({
      status: 403,
      detail: 'Cannot manage a video of another user.'
    })
    expect((await site.call(`DELETE /videos/${uploaded.uuid}`, { token: bob.token })).status).toBe(403)
    expect((await site.call(`PUT /videos/${uploaded.uuid}`, { token: moderator.token, body: { name: 'Moderated' } })).status).toBe(204)
    expect((await site.call(`PUT /videos/${uploaded.uuid}`, { token: alice.token, body: { channelId: bob.channelId } })).json.detail).toBe(
      'Unknown video "video channel" for this account.'
    )
  })

  it('publishes a scheduled video at the scheduled time', async () => {
    const uploaded = await uploadVideo(site, alice, {
      privacy: 3,
      'scheduleUpdate[updateAt]': new Date(Date.now() + 6000).toISOString(),
      'scheduleUpdate[privacy]': 1
    })
    expect((await site.call(`GET /videos/${uploaded.uuid}`)).status).toBe(401)
    expect((await site.call(`GET /videos/${uploaded.uuid}`, { token: alice.token })).json.scheduledUpdate.privacy).toBe(1)
    await eventually(async () => (await site.call(`GET /videos/${uploaded.uuid}`)).status === 200, 20, 'the scheduled publication')
    expect((await site.call(`GET /videos/${uploaded.uuid}`, { token: alice.token })).json.scheduledUpdate).toBeUndefined()
  })
})

describe('deleting', () => {
  it('removes rows and files, also during the encoding', async () => {
    const encoded = await uploadVideo(site, alice)
    await waitForTranscoding(site, alice, encoded.uuid)
    const encoding = await uploadVideo(site, alice)
    for (const { uuid } of [encoded, encoding]) {
      expect((await site.call(`DELETE /videos/${uuid}`, { token: alice.token })).status).toBe(204)
      expect((await site.call(`GET /videos/${uuid}`)).status).toBe(404)
      await eventually(async () => !existsSync(join(site.folder, 'streaming-playlists/hls', uuid)), 20, 'the removal of the files')
    }
    expect((await site.call(`DELETE /videos/${encoded.uuid}`, { token: alice.token })).status).toBe(404)
  })
})

describe('access control', () => {
  type AccessCase = { privacy: number; anonymous: number; other: number }
  const cases: AccessCase[] = [
    { privacy: 1, anonymous: 200, other: 200 },
    { privacy: 2, anonymous: 200, other: 200 },
    { privacy: 3, anonymous: 401, other: 403 },
    { privacy: 4, anonymous: 401, other: 200 },
    { privacy: 5, anonymous: 403, other: 403 }
  ]
  it.each(cases)('privacy $privacy', async ({ privacy, anonymous, other }) => {
    const uploaded = await uploadVideo(site, alice, {
      privacy,
      description: 'secret words',
      ...(privacy === 5 ? { videoPasswords: ['open sesame', 'second'] } : {})
    })
    const details = await waitForTranscoding(site, alice, uploaded.uuid)
    const [playlist] = details.streamingPlaylists
    const paths = [
      `/videos/${uploaded.uuid}`,
      `/videos/${uploaded.uuid}/description`,
      `/videos/${uploaded.uuid}/storyboards`,
      `/videos/${uploaded.uuid}/metadata/${playlist.files[0].id}`
    ]
    for (const path of paths) {
      for (const [token, status] of [
        [undefined, anonymous],
        [bob.token, other],
        [alice.token, 200],
        [moderator.token, 200],
        [root, 200]
      ] as const) {
        const response = await site.call(`GET ${path}`, { token })
        expect([path, response.status]).toEqual([path, status])
        if (status !== 200) expect(response.text).not.toContain('secret words')
      }
    }
    // Files: at the private URL as well as at the public one.
    const files = [
      playlist.playlistUrl,
      playlist.segmentsSha256Url,
      playlist.files[0].fileUrl,
      playlist.files[0].playlistUrl,
      playlist.files[0].fileDownloadUrl
    ]
    for (const url of files.flatMap(url => [url, url.replace('/hls/private/', '/hls/')])) {
      const isProtected = privacy > 2
      expect([url, (await fetch(url)).status]).toEqual([url, isProtected ? 403 : 200])
      expect((await fetch(url, { headers: { authorization: `Bearer ${bob.token}` } })).status).toBe(other === 200 ? 200 : 403)
      expect((await fetch(url, { headers: { authorization: `Bearer ${alice.token}` } })).status).toBe(200)
    }
    expect(playlist.playlistUrl.includes('/private/')).toBe(privacy > 2)
    // Lists: public videos, and internal ones for users of this instance.
    const isListed = async (token?: string) =>
      (await site.call('GET /videos?count=100', { token })).json.data.some((video: any) => video.id === uploaded.id)
    expect([await isListed(), await isListed(bob.token)]).toEqual([privacy === 1, privacy === 1 || privacy === 4])
    // A numeric id can be guessed, so it does not give access to an unlisted video.
    expect((await site.call(`GET /videos/${uploaded.id}`)).status).toBe(privacy === 2 ? 401 : anonymous)
  })

  it('a password gives access to a password protected video until the password is removed', async () => {
    const uploaded = await uploadVideo(site, alice, { privacy: 5, videoPasswords: ['secret1', 'secret2'] })
    await waitForTranscoding(site, alice, uploaded.uuid)
    const getWithPassword = async (password?: string) =>
      await site.call(`GET /videos/${uploaded.uuid}`, { headers: password ? { 'x-peertube-video-password': password } : {} })
    expect((await getWithPassword()).json).toMatchObject({ status: 403, code: 'video_requires_password' })
    expect((await getWithPassword('bad')).json).toMatchObject({ status: 403, code: 'incorrect_video_password' })
    const { json: video } = await getWithPassword('secret1')
    const {
      json: {
        files: { token, expires }
      }
    } = await site.call(`POST /videos/${uploaded.uuid}/token`, { headers: { 'x-peertube-video-password': 'secret1' } })
    expect(Date.parse(expires)).toBeGreaterThan(Date.now() + 7 * 3600_000)
    const master = `${video.streamingPlaylists[0].playlistUrl}?videoFileToken=${token}&reinjectVideoFileToken=true`
    const text = await (await fetch(master)).text()
    expect(text).toContain(`.m3u8?videoFileToken=${token}&reinjectVideoFileToken=true`)
    const media = await (
      await fetch(
        new URL(
          text.split('\n').find(line => line && !line.startsWith('#'))!,
          master
        )
      )
    ).text()
    const segment = new URL(/URI="([^"]+)"/.exec(media)![1]!, master)
    expect((await fetch(segment, { headers: { range: 'bytes=0-9' } })).status).toBe(206)
    const passwords = (await site.call(`GET /videos/${uploaded.uuid}/passwords`, { token: alice.token })).json
    expect(passwords.data.map((entry: any) => entry.password)).toEqual(['secret2', 'secret1'])
    expect((await site.call(`GET /videos/${uploaded.uuid}/passwords`, { token: bob.token })).status).toBe(403)
    expect((await site.call(`DELETE /videos/${uploaded.uuid}/passwords/${passwords.data[1].id}`, { token: alice.token })).status).toBe(204)
    expect((await fetch(segment)).status).toBe(403)
    expect((await getWithPassword('secret1')).status).toBe(403)
    expect((await getWithPassword('secret2')).status).toBe(200)
    expect((await site.call(`DELETE /videos/${uploaded.uuid}/passwords/${passwords.data[0].id}`, { token: alice.token })).status).toBe(400)
  })

  it('a file token is valid for its video only, and not after its user was blocked', async () => {
    const carol = await site.user('carol')
    const uploaded = await uploadVideo(site, alice, { privacy: 4 })
    const details = await waitForTranscoding(site, alice, uploaded.uuid)
    const { json } = await site.call(`POST /videos/${uploaded.uuid}/token`, { token: carol.token })
    const url = `${details.streamingPlaylists[0].playlistUrl}?videoFileToken=${json.files.token}`
    expect((await fetch(url)).status).toBe(200)
    expect((await fetch(url.slice(0, -2) + 'xx')).status).toBe(403)
    expect((await fetch(url.replace(/videoFileToken=.*/, 'videoFileToken=bad'))).status).toBe(403)
    const other = await uploadVideo(site, alice, { privacy: 3 })
    const otherUrl = (await waitForTranscoding(site, alice, other.uuid)).streamingPlaylists[0].playlistUrl
    expect((await fetch(`${otherUrl}?videoFileToken=${json.files.token}`)).status).toBe(403)
    await site.call(`POST /users/${carol.id}/block`, { token: root, body: {} })
    expect((await fetch(url)).status).toBe(403)
    expect((await site.call(`POST /videos/${uploaded.uuid}/token`)).status).toBe(401)
  })

  it('answers 429 after too many wrong passwords', async () => {
    const uploaded = await uploadVideo(site, alice, { privacy: 5, videoPasswords: ['right one'] })
    const statuses = new Set<number>()
    const { config } = await import('../core/config.ts')
    const defaultMax = config.rates_limit.video_password.max
    config.rates_limit.video_password.max = 5
    try {
      for (let i = 0; i < 8; i++)
        statuses.add((await site.call(`GET /videos/${uploaded.uuid}`, { headers: { 'x-peertube-video-password': `wrong ${i}` } })).status)
      expect([...statuses]).toEqual([403, 429])
      expect((await site.call(`GET /videos/${uploaded.uuid}`, { headers: { 'x-peertube-video-password': 'right one' } })).status).toBe(429)
    } finally {
      config.rates_limit.video_password.max = defaultMax
    }
  })
})

describe('files', () => {
  it('support range requests; unknown paths get 404', async () => {
    const uploaded = await uploadVideo(site, alice)
    const {
      streamingPlaylists: [playlist]
    } = await waitForTranscoding(site, alice, uploaded.uuid)
    const { fileUrl, fileDownloadUrl, size } = playlist.files[0]
    const part = await fetch(fileUrl, { headers: { range: 'bytes=10-19' } })
    expect([part.status, part.headers.get('content-range'), (await part.arrayBuffer()).byteLength]).toEqual([
      206,
      `bytes 10-19/${size}`,
      10
    ])
    expect(part.headers.get('access-control-allow-origin')).toBe('*')
    const beyond = await fetch(fileUrl, { headers: { range: `bytes=${size}-` } })
    expect([beyond.status, ((await beyond.json()) as any).code]).toEqual([416, 'RangeNotSatisfiableError'])
    expect((await fetch(playlist.playlistUrl)).headers.get('content-type')).toContain('application/vnd.apple.mpegurl')
    const folder = fileUrl.slice(0, fileUrl.lastIndexOf('/'))
    for (const path of [
      `${folder}/unknown.mp4`,
      `${folder}/..%2f..%2f..%2fpackage.json`,
      `${folder}/.hidden.mp4`,
      `${site.url}/lazy-static/thumbnails/..%2f..%2fx.jpg`,
      `${site.url}/static/streaming-playlists/hls/not-a-uuid/x.mp4`,
      `${site.url}/lazy-static/previews/unknown.jpg`
    ]) {
      expect([path, (await fetch(path)).status]).toEqual([path, 404])
    }
    expect((await fetch(fileUrl, { method: 'POST' })).status).toBe(405)
    await site.call(`PUT /videos/${uploaded.uuid}`, { token: alice.token, body: { downloadEnabled: false } })
    expect((await fetch(fileDownloadUrl)).status).toBe(403)
    expect((await fetch(fileDownloadUrl, { headers: { authorization: `Bearer ${alice.token}` } })).status).toBe(200)
  })

  it('are downloaded as one MP4 with video and audio, composed on request, with range support', async () => {
    const uploaded = await uploadVideo(site, alice, { name: 'Whole film' })
    const {
      streamingPlaylists: [playlist]
    } = await waitForTranscoding(site, alice, uploaded.uuid)
    const [{ fileDownloadUrl: url, fileUrl }] = playlist.files
    const response = await fetch(url)
    const whole = Buffer.from(await response.arrayBuffer())
    expect(response.headers.get('content-disposition')).toContain('attachment; filename="Whole film-180p-hls.mp4"')
    expect([
      response.status,
      response.headers.get('content-type'),
      Number(response.headers.get('content-length')),
      response.headers.get('accept-ranges')
    ]).toEqual([200, 'video/mp4', whole.length, 'bytes'])
    const { container, video, audios, duration } = await probeMedia(await downloadFile(url, uploaded.uuid), unlimitedProbeLimits)
    expect([container.includes('mp4'), video?.frames, audios.length]).toEqual([true, 50, 1])
    expect(duration).toBeCloseTo(2, 1)
    const etag = response.headers.get('etag')!
    const middle = Math.floor(whole.length / 2)
    for (const [range, from, to] of [
      ['bytes=0-99', 0, 100],
      [`bytes=${middle}-`, middle, whole.length],
      ['bytes=-500', whole.length - 500, whole.length],
      ['bytes=700-7000', 700, 7001]
    ] as const) {
      const part = await fetch(url, { headers: { range, 'if-range': etag } })
      expect([range, part.status, part.headers.get('content-range')]).toEqual([range, 206, `bytes ${from}-${to - 1}/${whole.length}`])
      expect(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(from, to))).toBe(true)
    }
    const statusAndLength = async (headers: Record<string, string>, method = 'GET') => {
      const response = await fetch(url, { headers, method })
      await response.body?.cancel()
      return [response.status, response.headers.get('content-length')]
    }
    expect(await statusAndLength({}, 'HEAD')).toEqual([200, String(whole.length)])
    expect((await statusAndLength({ range: `bytes=${whole.length}-` }))[0]).toBe(416)
    // Not with fetch, which adds `cache-control: no-cache` to conditional requests.
    expect((await request(url, { headers: { 'if-none-match': etag } })).statusCode).toBe(304)
    for (const ignored of [{ range: 'bytes=0-9', 'if-range': '"another"' }, { range: 'bytes=0-1,50-60' }, { range: 'pages=1-2' }] as Record<
      string,
      string
    >[])
      expect([ignored, await statusAndLength(ignored)]).toEqual([ignored, [200, String(whole.length)]])
    // The same file without Content-Disposition, and the audio alone.
    const folder = fileUrl.slice(0, fileUrl.lastIndexOf('/'))
    const inline = await fetch(`${folder}/180.mp4`)
    expect([inline.headers.get('content-disposition'), Buffer.from(await inline.arrayBuffer()).equals(whole)]).toEqual([null, true])
    const audio = await fetch(url.replace('-180-', '-0-'))
    expect([audio.headers.get('content-type'), audio.headers.get('content-disposition')]).toEqual([
      'audio/mp4',
      expect.stringContaining('-hls.m4a')
    ])
    await audio.body?.cancel()
    for (const missing of ['90.mp4', '99999.mp4', '180.m4a'])
      expect([missing, (await fetch(`${folder}/${missing}`)).status]).toEqual([missing, 404])
    // A response that the client cancels must leave no file open.
    const cancelled = await fetch(url)
    await cancelled.body!.cancel()
    await site.call(`PUT /videos/${uploaded.uuid}`, { token: alice.token, body: { privacy: 3 } })
    expect((await fetch(`${folder.replace('/hls/', '/hls/private/')}/180.mp4`)).status).toBe(403)
    const {
      json: { files }
    } = await site.call(`POST /videos/${uploaded.uuid}/token`, { token: alice.token })
    const authorized = await fetch(`${folder.replace('/hls/', '/hls/private/')}/180.mp4?videoFileToken=${files.token}`)
    expect([authorized.status, authorized.headers.get('cache-control')?.startsWith('private')]).toEqual([200, true])
    await authorized.body?.cancel()
  })

  it('are listed as one MP4 each, with their size, where web videos are enabled', async () => {
    config.transcoding.web_videos.enabled = false
    const uploaded = await uploadVideo(site, alice, { name: 'For old clients' })
    expect((await waitForTranscoding(site, alice, uploaded.uuid)).files).toEqual([])
    const isListed = async (query: string) =>
      (await site.call(`GET /videos?search=&${query}`)).json.data.some((video: any) => video.uuid === uploaded.uuid)
    const documentLinks = async () =>
      (
        (await (
          await fetch(`${site.url}/videos/watch/${uploaded.uuid}`, { headers: { accept: 'application/activity+json' } })
        ).json()) as any
      ).url
    expect([await isListed('hasWebVideoFiles=true'), await isListed('hasWebVideoFiles=false')]).toEqual([false, true])
    expect((await documentLinks()).filter((link: any) => link.mediaType === 'video/mp4')).toEqual([])
    const refused = await site.call(`POST /videos/${uploaded.uuid}/transcoding`, {
      token: await site.login(),
      body: { transcodingType: 'web-video' }
    })
    expect([refused.status, refused.json.detail]).toEqual([400, 'Web videos are not enabled on this instance.'])
    config.transcoding.web_videos.enabled = true
    try {
      const {
        json: { files }
      } = await site.call(`GET /videos/${uploaded.uuid}`)
      expect(files).toMatchObject([
        { resolution: { id: 180, label: '180p' }, playlistUrl: null, hasAudio: true, hasVideo: true, width: 320, height: 180 }
      ])
      const response = await fetch(files[0].fileUrl)
      expect([response.status, response.headers.get('content-type'), (await response.arrayBuffer()).byteLength]).toEqual([
        200,
        'video/mp4',
        files[0].size
      ])
      expect((await probeMedia(await downloadFile(files[0].fileUrl, uploaded.uuid), unlimitedProbeLimits)).video?.frames).toBe(50)
      expect([await isListed('hasWebVideoFiles=true'), await isListed('hasWebVideoFiles=false')]).toEqual([true, false])
      expect((await documentLinks()).filter((link: any) => link.mediaType === 'video/mp4')).toMatchObject([
        { type: 'Link', href: files[0].fileUrl, height: 180, size: files[0].size }
      ])
      // The MP4s of a private video need authorization, too.
      await site.call(`PUT /videos/${uploaded.uuid}`, { token: alice.token, body: { privacy: 3 } })
      const [file] = (await site.call(`GET /videos/${uploaded.uuid}`, { token: alice.token })).json.files
      expect(file.fileUrl).toContain('/private/')
      expect((await fetch(file.fileUrl)).status).toBe(403)
      expect((await fetch(file.fileUrl, { headers: { authorization: `Bearer ${alice.token}` } })).status).toBe(200)
    } finally {
      config.transcoding.web_videos.enabled = true
    }
  })
})

/** Downloads a file into the folder of the instance; returns its path. */
async function downloadFile(url: string, name: string): Promise<string> {
  const path = join(site.folder, `${name}.mp4`)
  await writeFile(path, Buffer.from(await (await fetch(url)).arrayBuffer()))
  return path
}
