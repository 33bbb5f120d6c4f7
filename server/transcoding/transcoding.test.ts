import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { config } from '../core/config.ts'
import { redis } from '../core/redis.ts'
import { runQuery, sql } from '../core/sql.ts'
import { makeFootageBytes, measurePitch, makeMultiAudioFootage, makeFootageWithSubtitlesAndChapters } from '../test/footage.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { waitForTranscoding, readRealOrGeneratedFootage, uploadVideo } from '../test/upload.ts'
import { enqueueOpenTranscodings } from './reconcile-transcoding.job.ts'

const exec = promisify(execFile)
let site: TestInstance
let alice: Awaited<ReturnType<TestInstance['user']>>
let root: string
beforeAll(async () => {
  site = await startTestInstance({
    transcoding: { retry_delay: '200 ms', reconcile_interval: '1 hour', resolutions: { '360p': false, '1080p': false } }
  })
  alice = await site.user('alice')
  root = await site.login()
})
afterAll(async () => await site?.stop())

const getVideo = async (uuid: string, token?: string) => (await site.call(`GET /videos/${uuid}`, { token })).json
const progress = async (uuid: string) => (await site.call(`GET /videos/${uuid}/transcoding`, { token: alice.token })).json
const readMasterPlaylist = async (playlistUrl: string) => {
  const master = await (await fetch(playlistUrl)).text()
  return { master, names: master.split('\n').filter(line => line.endsWith('.m3u8')), audio: /TYPE=AUDIO.*URI="([^"]+)"/.exec(master)?.[1] }
}
/** The number of frames a player would show for a URL. */
async function countFrames(url: string): Promise<number> {
  const { stdout } = await exec('ffprobe', [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-count_frames',
    '-show_entries',
    'stream=nb_read_frames',
    '-of',
    'csv=p=0',
    url
  ])
  return Number(stdout.trim().split('\n')[0])
}

describe('playback during the encoding', () => {
  it('is possible while the ladder is being encoded, and complete afterwards', async () => {
    const videoFile = await readRealOrGeneratedFootage()
    const { uuid } = await uploadVideo(site, alice, {}, videoFile)
    const early = await eventually(
      async () => {
        const video = await getVideo(uuid)
        return video.state.id === 1 && video.streamingPlaylists.length > 0 && video
      },
      30,
      'the first moment it can be played'
    )
    const during = await progress(uuid)
    expect(during).toMatchObject({ state: 'running', playable: true })
    expect(during.rungs.some((rung: any) => rung.state !== 'done')).toBe(true)
    const first = await readMasterPlaylist(early.streamingPlaylists[0].playlistUrl)
    expect(first.names.length).toBeGreaterThan(0)
    expect(first.audio).toBeDefined()
    const growing = await (await fetch(new URL(first.names[0]!, early.streamingPlaylists[0].playlistUrl))).text()
    expect(growing).toContain('#EXT-X-PLAYLIST-TYPE:EVENT')
    expect(growing).toContain('#EXT-X-BYTERANGE')
    const video = await waitForTranscoding(site, alice, uuid)
    const [playlist] = video.streamingPlaylists
    expect(playlist.playlistUrl).toBe(early.streamingPlaylists[0].playlistUrl)
    expect(playlist.files.map((file: any) => file.resolution.id)).toEqual([720, 480, 240, 0])
    const { master, names } = await readMasterPlaylist(playlist.playlistUrl)
    expect(names).toHaveLength(3)
    expect(master).toMatch(/CODECS="avc1\.[0-9a-f]{6},mp4a\.40\.2"/)
    const source = Number(
      (
        await exec('ffprobe', [
          '-v',
          'error',
          '-select_streams',
          'v:0',
          '-count_frames',
          '-show_entries',
          'stream=nb_read_frames',
          '-of',
          'csv=p=0',
          await saveToFile(videoFile)
        ])
      ).stdout
        .trim()
        .split('\n')[0]
    )
    for (const name of names) {
      const text = await (await fetch(new URL(name, playlist.playlistUrl))).text()
      expect(text).toContain('#EXT-X-ENDLIST')
      expect(await countFrames(new URL(name, playlist.playlistUrl).href)).toBe(source)
    }
    expect(await progress(uuid)).toMatchObject({ state: 'done', percent: 100, error: null })
    expect(
      await runQuery(
        sql`SELECT 1 FROM video_sources s JOIN videos v ON v.id = s.video_id WHERE v.uuid = ${uuid} AND s.filename IS NOT NULL`
      )
    ).toEqual([])
    const folder = join(site.folder, 'streaming-playlists/hls', uuid)
    // Four renditions of two files, the master playlist, the hashes: no other file is left.
    expect((await readdir(folder)).length).toBe(10)
  })

  it('lists small renditions, with the audio, before the large ones of a video that has to be encoded', async () => {
    const { uuid } = await uploadVideo(
      site,
      alice,
      {},
      await makeFootageBytes({ seconds: 8, size: '1280x720', rate: 30, extension: 'mkv', video: ['-c:v', 'mpeg4', '-q:v', '2'] })
    )
    const early = await eventually(
      async () => {
        const video = await getVideo(uuid)
        return video.state.id === 1 && video.streamingPlaylists.length > 0 && video
      },
      30,
      'the first moment it can be played'
    )
    expect(early.streamingPlaylists[0].files.map((file: any) => file.resolution.id)).toEqual([240, 0])
    const { playlistUrl } = early.streamingPlaylists[0]
    const { names, audio } = await readMasterPlaylist(playlistUrl)
    expect(names).toHaveLength(1)
    expect(await (await fetch(new URL(audio!, playlistUrl))).text()).toContain('#EXTINF')
    expect((await progress(uuid)).rungs.map(({ resolution, state }: any) => [resolution, state === 'waiting'])).toEqual([
      [720, true],
      [480, true],
      [240, false],
      [0, false]
    ])
    const [playlist] = (await waitForTranscoding(site, alice, uuid)).streamingPlaylists
    expect(playlist.files.map((file: any) => file.resolution.id)).toEqual([720, 480, 240, 0])
    for (const name of (await readMasterPlaylist(playlist.playlistUrl)).names)
      expect(await countFrames(new URL(name, playlist.playlistUrl).href)).toBe(240)
    // The first rendition is kept, not replaced.
    expect((await readMasterPlaylist(playlist.playlistUrl)).names).toContain(names[0])
  })

  it('copies a stream that browsers can play', async () => {
    const videoFile = await makeFootageBytes({ seconds: 6, size: '1280x720' })
    const { uuid } = await uploadVideo(site, alice, {}, videoFile)
    const video = await waitForTranscoding(site, alice, uuid)
    const top = video.streamingPlaylists[0].files[0]
    const { stdout } = await exec('ffprobe', [
      '-v',
      'error',
      '-select_streams',
      'v:0',
      '-show_entries',
      'packet=size',
      '-of',
      'csv=p=0',
      top.playlistUrl
    ])
    const { stdout: original } = await exec('ffprobe', [
      '-v',
      'error',
      '-select_streams',
      'v:0',
      '-show_entries',
      'packet=size',
      '-of',
      'csv=p=0',
      await saveToFile(videoFile)
    ])
    expect(stdout.trim().split('\n')).toHaveLength(original.trim().split('\n').length)
    expect(video.streamingPlaylists[0].files.map((file: any) => file.resolution.id)).toEqual([720, 480, 240, 0])
  })

  it("waits for the whole ladder with waitTranscoding, in PeerTube's states", async () => {
    const { uuid } = await uploadVideo(site, alice, { waitTranscoding: 'true' }, await makeFootageBytes({ seconds: 4, size: '1280x720' }))
    expect(await getVideo(uuid)).toMatchObject({ state: { id: 2, label: 'To transcode' }, waitTranscoding: true, streamingPlaylists: [] })
    expect((await site.call('GET /videos?count=100')).json.data.some((video: any) => video.uuid === uuid)).toBe(false)
    expect(
      (await site.call('GET /users/me/videos', { token: alice.token })).json.data.find((video: any) => video.uuid === uuid).state.id
    ).toBe(2)
    await eventually(async () => (await getVideo(uuid)).state.id === 1, 140, 'the publication')
    expect((await getVideo(uuid)).streamingPlaylists[0].files.map((file: any) => file.resolution.id)).toEqual([720, 480, 240, 0])
    expect((await site.call('GET /videos?count=100')).json.data.some((video: any) => video.uuid === uuid)).toBe(true)
  })

  it.each([
    ['no audio', { seconds: 2, size: '640x480', audio: null }, [480, 240]],
    [
      'VP9 and Opus in WebM',
      {
        seconds: 2,
        size: '426x240',
        extension: 'webm',
        video: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8'],
        audio: ['-c:a', 'libopus']
      },
      [240, 0]
    ],
    ['audio alone', { seconds: 2, extension: 'mp3', video: ['-vn'], audio: ['-c:a', 'libmp3lame'] }, [360, 0]]
  ])('accepts %s', async (_what, options, resolutions) => {
    const bytes = await makeFootageBytes(options as never)
    const { uuid } = await uploadVideo(site, alice, {}, bytes)
    const video = await waitForTranscoding(site, alice, uuid)
    expect(video.streamingPlaylists[0].files.map((file: any) => file.resolution.id)).toEqual(resolutions)
    expect(video.thumbnailPath).not.toBeNull()
  })

  it('keeps every audio track with its language, the default first, in the playlist and in the progressive MP4', async () => {
    const { uuid } = await uploadVideo(site, alice, {}, await makeMultiAudioFootage())
    const [playlist] = (await waitForTranscoding(site, alice, uuid)).streamingPlaylists
    // The API lists one audio rendition; players find all of them in the playlist.
    expect(playlist.files.map((file: any) => file.resolution.id)).toEqual([240, 0])
    const { master } = await readMasterPlaylist(playlist.playlistUrl)
    const tracks = [
      ...master.matchAll(
        /#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aud",NAME="([^"]+)",(?:LANGUAGE="([^"]+)",)?DEFAULT=(YES|NO),AUTOSELECT=YES,URI="([^"]+)"/g
      )
    ].map(([, ...rest]) => rest)
    expect(tracks.map(([name, language, main]) => [name, language, main])).toEqual([
      ['Version originale', 'fr', 'YES'],
      ['English', 'en', 'NO'],
      ['Audio', undefined, 'NO']
    ])
    const urlOf = (name: string) => new URL(name, playlist.playlistUrl).href
    for (const [index, hertz] of [440, 880, 1320].entries()) {
      expect(await measurePitch(urlOf(tracks[index]![3]!))).toBeCloseTo(hertz, -1)
      expect(await (await fetch(urlOf(tracks[index]![3]!))).text()).toContain('#EXT-X-ENDLIST')
    }
    expect(await progress(uuid)).toMatchObject({
      state: 'done',
      rungs: [
        { resolution: 240, state: 'done' },
        { resolution: 0, state: 'done' }
      ]
    })
    const wholeFile = urlOf('240.mp4')
    const { stdout } = await exec('ffprobe', [
      '-v',
      'error',
      '-show_entries',
      'stream=codec_type:stream_tags=language:stream_disposition=default',
      '-of',
      'json',
      wholeFile
    ])
    expect(JSON.parse(stdout).streams.map((stream: any) => [stream.codec_type, stream.disposition.default, stream.tags?.language])).toEqual(
      [
        ['video', 1, 'und'],
        ['audio', 1, 'fre'],
        ['audio', 0, 'eng'],
        ['audio', 0, 'und']
      ]
    )
    expect(
      [await measurePitch(wholeFile, 0), await measurePitch(wholeFile, 1), await measurePitch(wholeFile, 2)].map(hertz =>
        Math.round(hertz / 10)
      )
    ).toEqual([44, 88, 132])
    expect(await measurePitch(urlOf('0.mp4'))).toBeCloseTo(440, -1)
    const hashes = (await (await fetch(playlist.segmentsSha256Url)).json()) as object
    expect(Object.keys(hashes)).toHaveLength(4)
  })

  it('imports embedded chapters and subtitles, serves and federates them, and deletes them with the video', async () => {
    const { uuid } = await uploadVideo(site, alice, { language: 'de' }, await makeFootageWithSubtitlesAndChapters())
    await waitForTranscoding(site, alice, uuid)
    expect((await site.call(`GET /videos/${uuid}/chapters`)).json.chapters).toEqual([
      { timecode: 0, title: 'Beginning' },
      { timecode: 1, title: 'Chapter 2' },
      { timecode: 3, title: 'The end of it all' }
    ])
    const captions = (await site.call(`GET /videos/${uuid}/captions`)).json.data
    // A stream without a language tag gets the language of the video.
    expect(captions.map((item: any) => [item.language.id, item.automaticallyGenerated])).toEqual([
      ['de', false],
      ['en', false],
      ['fr', false]
    ])
    const texts = await Promise.all(
      captions.map(async ({ captionPath }: any) => {
        const response = await fetch(site.url + captionPath)
        expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/vtt; charset=utf-8'])
        return await response.text()
      })
    )
    expect(texts).toEqual(['Hm', 'Hello <i>you</i>', 'Bonjour'].map(words => `WEBVTT\n\n00:01.000 --> 00:02.500\n${words}\n`))
    const videoObject = (await (
      await fetch(`${site.url}/videos/watch/${uuid}`, { headers: { accept: 'application/activity+json' } })
    ).json()) as {
      subtitleLanguage: { identifier: string; url: string }[]
    }
    expect(videoObject.subtitleLanguage.map(({ identifier }) => identifier)).toEqual(['de', 'en', 'fr'])
    expect(await readdir(join(site.folder, 'captions'))).toHaveLength(3)
    expect((await site.call(`DELETE /videos/${uuid}`, { token: alice.token })).status).toBe(204)
    await eventually(async () => (await readdir(join(site.folder, 'captions'))).length === 0, 10, 'the removal')
  })

  it('muxes audio into every rendition if configured', async () => {
    config.transcoding.hls.split_audio_and_video = false
    try {
      const { uuid } = await uploadVideo(site, alice, {}, await makeFootageBytes({ seconds: 2, size: '640x480' }))
      const [playlist] = (await waitForTranscoding(site, alice, uuid)).streamingPlaylists
      expect(playlist.files.map((file: any) => [file.resolution.id, file.hasVideo, file.hasAudio])).toEqual([
        [480, true, true],
        [240, true, true]
      ])
      expect((await readMasterPlaylist(playlist.playlistUrl)).audio).toBeUndefined()
      const { stdout } = await exec('ffprobe', [
        '-v',
        'error',
        '-show_entries',
        'stream=codec_type',
        '-of',
        'csv=p=0',
        playlist.files[1].fileUrl
      ])
      expect(stdout.trim().split('\n').sort()).toEqual(['audio', 'video'])
    } finally {
      config.transcoding.hls.split_audio_and_video = true
    }
  })
})

describe('failures', () => {
  it('a wipe of Redis before or during an encoding loses nothing', async () => {
    const videoFile = await makeFootageBytes({
      seconds: 8,
      size: '1280x720',
      video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '250']
    })
    const uploads = [await uploadVideo(site, alice, {}, videoFile), await uploadVideo(site, alice, {}, videoFile)]
    await eventually(async () => (await progress(uploads[0]!.uuid)).state === 'running', 20, 'the encoding')
    const keys = await redis.keys(`${config.redis.prefix}:*`)
    await redis.del(...keys)
    await enqueueOpenTranscodings()
    for (const { uuid } of uploads) {
      const video = await waitForTranscoding(site, alice, uuid)
      expect(video.streamingPlaylists[0].files.map((file: any) => file.resolution.id)).toEqual([720, 480, 240, 0])
    }
  })

  it('a stalled ffmpeg is ended, and the encoding is tried again', async () => {
    const before = config.transcoding.stall_timeout
    config.transcoding.stall_timeout = 8000
    try {
      const videoFile = await makeFootageBytes({
        seconds: 12,
        size: '1280x720',
        video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '250']
      })
      const { uuid } = await uploadVideo(site, alice, {}, videoFile)
      const [hungFfmpeg] = await eventually(
        async () => {
          const { stdout } = await exec('ps', ['-A', '-o', 'pid=,args='])
          const found = stdout.split('\n').filter(line => /^ *\d+ ffmpeg /.test(line) && line.includes(uuid) && line.includes('-f hls'))
          return (await progress(uuid)).playable && found.length > 0 && found
        },
        30,
        'the encoding'
      )
      process.kill(Number.parseInt(hungFfmpeg!, 10), 'SIGSTOP')
      const video = await waitForTranscoding(site, alice, uuid)
      for (const file of video.streamingPlaylists[0].files.filter((item: any) => item.hasVideo))
        expect(await countFrames(file.playlistUrl)).toBe(300)
      expect(await runQuery(sql`SELECT t.attempts FROM transcodings t JOIN videos v ON v.id = t.video_id WHERE v.uuid = ${uuid}`)).toEqual([
        { attempts: 1 }
      ])
      expect((await readdir(join(site.folder, 'streaming-playlists/hls', uuid))).length).toBe(10)
    } finally {
      config.transcoding.stall_timeout = before
    }
  })

  it('a failing encoding is tried again, then has an error text', async () => {
    const { uuid, id } = await uploadVideo(site, alice, {}, await makeFootageBytes({ seconds: 2, size: '320x180' }))
    await waitForTranscoding(site, alice, uuid)
    // The file is missing after the probe, as after a disk failure.
    await runQuery(sql`UPDATE video_sources SET filename = 'gone.mp4' WHERE video_id = ${id}`)
    await runQuery(sql`UPDATE videos SET state = 2 WHERE id = ${id}`)
    await runQuery(sql`DELETE FROM streaming_playlists WHERE video_id = ${id}`)
    await runQuery(sql`UPDATE transcodings SET state = 'waiting', attempts = 0, not_before = now() WHERE video_id = ${id}`)
    await enqueueOpenTranscodings()
    const failed = await eventually(
      async () => {
        const current = await progress(uuid)
        return current.state === 'failed' && current
      },
      30,
      'the failure'
    )
    expect(failed.error).toBe('The uploaded file is not there any more.')
    expect((await runQuery<{ attempts: number }>(sql`SELECT attempts FROM transcodings WHERE video_id = ${id}`))[0]!.attempts).toBe(3)
    expect((await getVideo(uuid, alice.token)).state).toEqual({ id: 7, label: 'Transcoding failed' })
  })

  it('an administrator can transcode again if the original was kept', async () => {
    config.transcoding.original_file.keep = true
    try {
      const { uuid } = await uploadVideo(site, alice, {}, await makeFootageBytes({ seconds: 2, size: '320x180' }))
      await waitForTranscoding(site, alice, uuid)
      const { json: source } = await site.call(`GET /videos/${uuid}/source`, { token: alice.token })
      for (const query of ['', '?videoFileToken=bad']) expect((await fetch(source.fileDownloadUrl + query)).status).toBe(403)
      const asStranger = { headers: { authorization: `Bearer ${(await site.user('onlooker')).token}` } }
      expect((await fetch(source.fileDownloadUrl, asStranger)).status).toBe(403)
      expect(
        (await fetch(source.fileDownloadUrl, { headers: { authorization: `Bearer ${alice.token}` } })).headers.get('content-disposition')
      ).toContain('film.mp4')
      const requestTranscoding = async (token: string) =>
        await site.call(`POST /videos/${uuid}/transcoding`, { token, body: { transcodingType: 'hls' } })
      expect((await requestTranscoding(alice.token)).status).toBe(403)
      expect((await requestTranscoding(root)).status).toBe(204)
      expect((await requestTranscoding(root)).json).toMatchObject({
        status: 409,
        code: 'video_already_being_transcoded',
        detail: 'This video is already being transcoded'
      })
      await runQuery(sql`UPDATE videos SET remote = true WHERE uuid = ${uuid}::uuid`)
      expect((await requestTranscoding(root)).json).toMatchObject({
        status: 400,
        detail: 'A video of another server is not transcoded here.'
      })
      expect((await requestTranscoding(alice.token)).status).toBe(403)
      await runQuery(sql`UPDATE videos SET remote = false WHERE uuid = ${uuid}::uuid`)
      await waitForTranscoding(site, alice, uuid)
    } finally {
      config.transcoding.original_file.keep = false
    }
    const { uuid } = await uploadVideo(site, alice, {}, await makeFootageBytes({ seconds: 2, size: '320x180' }))
    await waitForTranscoding(site, alice, uuid)
    expect((await site.call(`POST /videos/${uuid}/transcoding`, { token: root, body: { transcodingType: 'hls' } })).status).toBe(400)
  })

  it('progress is visible only to those who manage the video', async () => {
    const { uuid } = await uploadVideo(site, alice)
    const stranger = await site.user('stranger')
    expect((await site.call(`GET /videos/${uuid}/transcoding`)).status).toBe(401)
    expect((await site.call(`GET /videos/${uuid}/transcoding`, { token: stranger.token })).status).toBe(403)
  })
})

const savedFolders: string[] = []
afterAll(async () => {
  for (const folder of savedFolders) await rm(folder, { recursive: true, force: true })
})
async function saveToFile(bytes: Buffer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bobine-source-'))
  savedFolders.push(folder)
  const path = join(folder, 'film.mp4')
  await writeFile(path, bytes)
  return path
}
