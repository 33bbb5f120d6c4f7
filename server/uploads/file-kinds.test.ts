import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { makeGif } from '../test/gif.ts'
import { startTestInstance, type TestInstance, type TestResponse } from '../test/instance.ts'
import { createScratchFolder, h264Args, runFfmpegIn, toneInputArgs, videoInputArgs } from '../test/media-fixtures.ts'
import { videoUploadForm, waitForTranscoding } from '../test/upload.ts'

const exec = promisify(execFile)
let site: TestInstance
let alice: Awaited<ReturnType<TestInstance['user']>>
let scratch: Awaited<ReturnType<typeof createScratchFolder>>
beforeAll(async () => {
  scratch = await createScratchFolder()
  const resolutions = Object.fromEntries(['144p', '240p', '360p', '480p', '720p', '1080p'].map(name => [name, false]))
  site = await startTestInstance({ transcoding: { resolutions, always_transcode_original_resolution: true, concurrency: 2 } })
  alice = await site.user('alice')
})
afterAll(async () => {
  await site?.stop()
  await scratch?.remove()
})

const upload = async (name: string, bytes: Buffer | string): Promise<TestResponse> =>
  await site.call('POST /videos/upload', {
    token: alice.token,
    multipart: videoUploadForm({ name: 'A film', channelId: alice.channelId, privacy: 1 }, { bytes: Buffer.from(bytes), name })
  })

const SECONDS = 1
/** What all files are made of, in one run of ffmpeg: pictures, sound, pictures for DV, sound for DV. */
const INPUTS = [
  ...[...videoInputArgs(SECONDS, 25, '160x120'), ...toneInputArgs(SECONDS)],
  ...[...videoInputArgs(SECONDS, 25, '720x576'), '-f', 'lavfi', '-i', `sine=d=${SECONDS}:r=48000`]
]
const pictures = ['-map', '0']
const tone = ['-map', '1']
const both = [...pictures, ...tone]
const mpeg2 = ['-c:v', 'mpeg2video', '-c:a', 'mp2']
const wmv = ['-c:v', 'wmv2', '-c:a', 'wmav2', '-f', 'asf']
const h264 = [...h264Args, '-c:a', 'aac']
const xvid = ['-c:v', 'mpeg4', '-c:a', 'libmp3lame', '-f', 'avi']
const theora = ['-c:v', 'libtheora', '-c:a', 'libvorbis', '-f', 'ogg']
const vp8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-c:a', 'libopus']
const dv = ['-map', '2', '-map', '3', '-c:v', 'dvvideo', '-c:a', 'pcm_s16le', '-ac', '2', '-pix_fmt', 'yuv420p', '-f', 'dv']

/** Name, output arguments of ffmpeg, and whether the file has moving pictures and sound. */
const ACCEPTED: [string, string[], 'both' | 'video' | 'audio'][] = [
  ['a.mp4', [...both, ...h264, '-f', 'mp4'], 'both'],
  ['a.m4v', [...both, ...h264, '-f', 'mp4'], 'both'],
  ['a.f4v', [...both, ...h264, '-f', 'mp4'], 'both'],
  ['a.mov', [...both, ...h264, '-f', 'mov'], 'both'],
  ['a.qt', [...both, '-c:v', 'mjpeg', '-c:a', 'pcm_s16le', '-f', 'mov'], 'both'],
  ['a.3gp', [...both, ...h264, '-f', '3gp'], 'both'],
  ['a.3g2', [...both, '-c:v', 'h263', '-s', '176x144', '-c:a', 'aac', '-f', '3g2'], 'both'],
  ['a.mkv', [...both, ...vp8, '-f', 'matroska'], 'both'],
  ['a.webm', [...both, ...vp8, '-f', 'webm'], 'both'],
  ['a.avi', [...both, ...xvid], 'both'],
  ['a.divx', [...both, ...xvid], 'both'],
  ['a.flv', [...both, '-c:v', 'flv', '-c:a', 'libmp3lame', '-f', 'flv'], 'both'],
  ['a.mpg', [...both, ...mpeg2, '-f', 'mpeg'], 'both'],
  ['a.mpeg', [...both, ...mpeg2, '-f', 'mpeg'], 'both'],
  ['a.vob', [...both, ...mpeg2, '-f', 'vob'], 'both'],
  ['a.mod', [...both, '-c:v', 'mpeg2video', '-c:a', 'ac3', '-f', 'vob'], 'both'],
  ['a.m2v', [...pictures, '-c:v', 'mpeg2video', '-f', 'mpeg2video'], 'video'],
  ['a.ts', [...both, ...h264, '-f', 'mpegts'], 'both'],
  ['a.mts', [...both, ...h264, '-f', 'mpegts', '-mpegts_m2ts_mode', '1'], 'both'],
  ['a.m2ts', [...both, ...h264, '-f', 'mpegts', '-mpegts_m2ts_mode', '1'], 'both'],
  ['a.wmv', [...both, ...wmv], 'both'],
  ['a.asf', [...both, ...wmv], 'both'],
  ['a.mxf', [...both, '-c:v', 'mpeg2video', '-c:a', 'pcm_s16le', '-ar', '48000', '-f', 'mxf'], 'both'],
  ['a.dv', dv, 'both'],
  ['a.ogv', [...both, ...theora], 'both'],
  ['a.ogg', [...both, ...theora], 'both'],
  ['a.gif', [...pictures, '-f', 'gif'], 'video'],
  ['a.mp3', [...tone, '-c:a', 'libmp3lame', '-f', 'mp3'], 'audio'],
  ['a.m4a', [...tone, '-c:a', 'aac', '-f', 'ipod'], 'audio'],
  ['a.m4b', [...tone, '-c:a', 'aac', '-f', 'ipod'], 'audio'],
  ['a.aac', [...tone, '-c:a', 'aac', '-f', 'adts'], 'audio'],
  ['a.flac', [...tone, '-c:a', 'flac', '-f', 'flac'], 'audio'],
  ['a.wav', [...tone, '-f', 'wav'], 'audio'],
  ['a.opus', [...tone, '-c:a', 'libopus', '-f', 'opus'], 'audio'],
  ['a.oga', [...tone, '-c:a', 'libvorbis', '-f', 'oga'], 'audio'],
  ['a.wma', [...tone, '-c:a', 'wmav2', '-f', 'asf'], 'audio'],
  ['a.ac3', [...tone, '-c:a', 'ac3', '-f', 'ac3'], 'audio'],
  ['a.aiff', [...tone, '-f', 'aiff'], 'audio'],
  ['a.mka', [...tone, '-c:a', 'libopus', '-f', 'matroska'], 'audio'],
  ['a.weba', [...tone, '-c:a', 'libopus', '-f', 'webm'], 'audio'],
  // Named as what they are not.
  ['a gif.mp4', [...pictures, '-f', 'gif'], 'video'],
  ['an mp4.gif', [...both, ...h264, '-f', 'mp4'], 'both'],
  ['a wmv.avi', [...both, ...wmv], 'both'],
  ['a ts.mod', [...both, ...mpeg2, '-f', 'mpegts'], 'both'],
  ['an mkv.mp3', [...both, ...vp8, '-f', 'matroska'], 'both'],
  ['an mp3.mp4', [...tone, '-c:a', 'libmp3lame', '-f', 'mp3'], 'audio']
]

describe('kinds of files', () => {
  it('are all in the table', () => {
    const named = new Set(ACCEPTED.map(([name]) => name).filter(name => name.startsWith('a.')))
    expect([...named].map(name => name.slice(1)).sort()).toEqual([...config.upload.extensions].sort())
  })

  it('are accepted by their content and published whole', { timeout: 480_000 }, async () => {
    const uuids: string[] = []
    const seen = new Set<string>()
    const published: typeof ACCEPTED = []
    await runFfmpegIn(scratch.folder, ...INPUTS, ...ACCEPTED.flatMap(([name, args]) => [...args, name]))
    for (const kind of ACCEPTED) {
      const [name, args] = kind
      const { status, json, text } = await upload(name, await readFile(join(scratch.folder, name)))
      expect(status, `${name}: ${text}`).toBe(200)
      // The same content by another name is accepted; it need not be encoded twice.
      if (seen.has(args.join())) {
        await site.call(`DELETE /videos/${json.video.uuid}`, { token: alice.token })
        continue
      }
      seen.add(args.join())
      published.push(kind)
      uuids.push(json.video.uuid)
    }
    expect(published.length).toBeGreaterThan(25)
    for (const [index, [name, , content]] of published.entries()) {
      const video = await waitForTranscoding(site, alice, uuids[index]!)
      expect(video.state.id, name).toBe(1)
      const top = video.files.find((file: { resolution: { id: number } }) => file.resolution.id > 0) ?? video.files[0]
      const { streams, errors } = await decode(top.fileUrl)
      expect(errors, name).toBe('')
      const lengths = Object.fromEntries(streams.map(({ codec_type, duration }) => [codec_type, Number(duration)]))
      // Sound alone is shown with a still picture.
      expect(Object.keys(lengths).sort(), name).toEqual(content === 'video' ? ['video'] : ['audio', 'video'])
      for (const [type, length] of Object.entries(lengths))
        expect(Math.abs(length - SECONDS), `${name} ${type} ${length}`).toBeLessThan(0.3)
      expect(streams.find(({ codec_type }) => codec_type === 'video')!.frames, name).toBeGreaterThan(content === 'audio' ? 1 : 20)
    }
  })

  it('that no extension of the list names are refused with 415', async () => {
    const { status, json } = await upload('a.exe', 'MZ')
    expect([status, json.detail]).toEqual([415, expect.stringContaining('.m4b')])
    expect((await site.call('GET /config')).json.video.file.extensions).toContain('.gif')
  })
})

/** Decodes what a player gets: the streams with the number of their frames, and what ffmpeg complains about. */
async function decode(url: string): Promise<{ streams: { codec_type: string; duration: string; frames: number }[]; errors: string }> {
  const { stdout, stderr } = await exec('ffprobe', ['-v', 'error', '-count_frames', '-show_streams', '-of', 'json', url])
  const { streams } = JSON.parse(stdout) as { streams: { codec_type: string; duration: string; nb_read_frames: string }[] }
  return { streams: streams.map(stream => ({ ...stream, frames: Number(stream.nb_read_frames) })), errors: stderr }
}

describe('files that are no video', () => {
  const expectRefused = async (name: string, bytes: Buffer | string, code: string): Promise<void> => {
    const countVideos = async (): Promise<unknown> => await runQuery(sql`SELECT count(*) FROM videos`)
    const before = await countVideos()
    const { status, json } = await upload(name, bytes)
    expect([status, json.code, json.type], name).toEqual([422, code, expect.stringContaining(code)])
    expect(await countVideos()).toEqual(before)
  }

  test.each(['png', 'jpeg', 'webp', 'avif', 'tiff', 'gif'] as const)('a %s named .mp4', async format => {
    const picture = sharp({ create: { width: 64, height: 48, channels: 3, background: 'red' } })
    await expectRefused('film.mp4', await picture.toFormat(format).toBuffer(), 'still_image')
  })

  test('a HEIC named .mov', async () => {
    const heic = '\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x10meta\0\0\0\0\0\0\0\0'
    await expectRefused('film.mov', Buffer.from(heic, 'latin1'), 'still_image')
  })

  test('animated pictures that cannot be decoded', async () => {
    for (const [name, format] of [
      ['moving.webp', 'webp'],
      ['moving.png', 'apng']
    ] as const) {
      await runFfmpegIn(scratch.folder, ...videoInputArgs(1, 5, '64x48'), '-loop', '0', '-f', format, name)
      await expectRefused('film.mp4', await readFile(join(scratch.folder, name)), 'animated_image')
      expect((await upload(name, '')).status).toBe(415)
    }
  })

  test('text, web pages and archives', async () => {
    await expectRefused('film.mp4', 'Just some words about a film.', 'text_file')
    await expectRefused('film.mkv', '<!DOCTYPE html><html><body>404</body></html>', 'web_page')
    await expectRefused('film.avi', Buffer.from('504b03041400000008000000', 'hex'), 'archive_file')
    await expectRefused('film.mp4', Buffer.alloc(5000, 7), 'unreadable_video')
  })

  test('playlists, whose references nobody opens', async () => {
    let requests = 0
    const server = createServer((_, response) => {
      requests++
      response.end()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const port = (server.address() as AddressInfo).port
    const url = `http://127.0.0.1:${port}/x.mp4`
    const playlists: Record<string, string> = {
      'hls.mp4': `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n${url}\n#EXT-X-ENDLIST\n`,
      'hls.ts': `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n`,
      'm3u.mp4': `#EXTM3U\n${url}\n`,
      'concat.mkv': `ffconcat version 1.0\nfile ${url}\nfile /etc/passwd\n`,
      'sdp.mp4': `v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video ${port} RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n`,
      'pls.mp4': `[playlist]\nFile1=${url}\nNumberOfEntries=1\n`,
      'xspf.mp4': `<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList><track><location>${url}</location></track></trackList></playlist>`,
      'reference.asf': `[Reference]\r\nRef1=${url}?MSWMExt=.asf\r\n`,
      'asx.wmv': `<asx version="3.0"><entry><ref href="${url}"/></entry></asx>`,
      'dash.mp4': `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-main:2011" type="static"><BaseURL>${url}</BaseURL></MPD>`
    }
    for (const [name, text] of Object.entries(playlists)) await expectRefused(name, text, 'playlist_file')
    await expectRefused('svg.mp4', `<svg xmlns="http://www.w3.org/2000/svg"><image href="${url}"/></svg>`, 'still_image')
    expect(requests).toBe(0)
    server.close()
  })

  test('GIF bombs', async () => {
    await expectRefused('bomb.gif', makeGif({ width: 65_535, height: 65_535, frames: 50 }), 'video_too_large')
    await expectRefused('bomb.mp4', makeGif({ width: 4096, height: 4096, frames: 1200 }), 'video_too_large')
    await expectRefused('dot.gif', makeGif({ width: 1, height: 1, frames: 1 }), 'still_image')
  })
})

describe('where no audio files are accepted', () => {
  const allow = async (allowAudioFiles: boolean, allowAdditionalExtensions: boolean): Promise<void> => {
    const body = { transcoding: { allowAudioFiles, allowAdditionalExtensions } }
    expect((await site.call('PATCH /config/custom', { token: await site.login(), body })).status).toBe(200)
  }

  it('sound is refused under the name of a video, and video accepted under a name that both have', async () => {
    await allow(false, true)
    const outputs = [...tone, '-c:a', 'libmp3lame', 'tone.mp3', ...tone, '-c:a', 'libvorbis', 'tone.ogg', ...both, ...theora, 'film.ogg']
    await runFfmpegIn(scratch.folder, ...INPUTS, ...outputs)
    const read = async (name: string): Promise<Buffer> => await readFile(join(scratch.folder, name))
    expect((await upload('tone.mp3', await read('tone.mp3'))).status).toBe(415)
    for (const [name, source] of [
      ['film.mp4', 'tone.mp3'],
      ['film.ogg', 'tone.ogg']
    ] as const)
      expect((await upload(name, await read(source))).json).toMatchObject({ status: 422, code: 'audio_not_accepted' })
    const { status, json } = await upload('film.ogg', await read('film.ogg'))
    expect(status).toBe(200)
    await waitForTranscoding(site, alice, json.video.uuid)
    expect((await site.call('GET /config')).json.video.file.extensions).not.toContain('.mp3')
  })

  it('and no additional kinds, only the three names of PeerTube are offered', async () => {
    await allow(false, false)
    expect((await site.call('GET /config')).json.video.file.extensions.sort()).toEqual(['.mp4', '.ogv', '.webm'])
    expect((await upload('film.ogg', '')).status).toBe(415)
    await allow(true, false)
    expect((await site.call('GET /config')).json.video.file.extensions).toEqual(expect.arrayContaining(['.ogg', '.mp3', '.m4b']))
  })
})
