import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runFfmpeg } from './ffmpeg.ts'
import { h264Args, runFfmpegIn, videoInputArgs, createScratchFolder, toneInputArgs } from '../test/media-fixtures.ts'
import { unlimitedProbeLimits } from '../test/media-settings.ts'
import { probeMedia } from './probe.ts'

let scratch: Awaited<ReturnType<typeof createScratchFolder>>
const pathOf = (name: string) => join(scratch.folder, name)

beforeAll(async () => {
  scratch = await createScratchFolder()
  await runFfmpegIn(
    scratch.folder,
    ...videoInputArgs(4),
    ...toneInputArgs(4),
    ...h264Args,
    '-c:a',
    'aac',
    '-metadata:s:a',
    'language=fra',
    'plain.mp4'
  )
})
afterAll(() => scratch.remove())

test('a plain file is described completely', async () => {
  await copyFile(pathOf('plain.mp4'), pathOf('plain.txt'))
  const probe = await probeMedia(pathOf('plain.txt'), unlimitedProbeLimits)
  expect(probe).toMatchObject({
    duration: 4,
    truncated: false,
    video: {
      codec: 'h264',
      width: 320,
      height: 240,
      fps: 25,
      rotation: 0,
      squarePixels: true,
      frames: 100,
      keyframeInterval: 2,
      hdr: false,
      interlaced: false,
      attachedPic: false,
      pixFmt: 'yuv420p'
    },
    audios: [{ codec: 'aac', profile: 'LC', channels: 1, sampleRate: 44_100, language: 'fra' }]
  })
  expect(probe.container).toContain('mp4')
  expect(probe.video?.codecString).toMatch(/^avc1\.[0-9a-f]{6}$/)
  expect(probe.video?.bitrate).toBeGreaterThan(10_000)
})

test('the metadata have the form of the API and contain no path', async () => {
  const { metadata } = await probeMedia(pathOf('plain.mp4'), unlimitedProbeLimits)
  expect(metadata).toMatchObject({
    chapters: [],
    format: { duration: 4, nb_streams: 2, start_time: 0, tags: { major_brand: 'isom' } },
    streams: [
      { codec_type: 'video', nb_frames: 100, max_bit_rate: 'N/A', r_frame_rate: '25/1', is_avc: 'true' },
      { codec_type: 'audio', sample_rate: 44_100 }
    ]
  })
  expect(JSON.stringify(metadata)).not.toContain(scratch.folder)
})

describe('video streams as they are displayed', () => {
  test('rotation swaps the sides, the pixel aspect ratio stretches them', async () => {
    await runFfmpegIn(scratch.folder, '-i', 'plain.mp4', '-c', 'copy', '-metadata:s:v:0', 'rotate=90', 'rotated.mp4')
    expect((await probeMedia(pathOf('rotated.mp4'), unlimitedProbeLimits)).video).toMatchObject({
      width: 240,
      height: 320,
      rotation: expect.toSatisfy((rotation: number) => rotation === 90 || rotation === 270)
    })
    await runFfmpegIn(scratch.folder, ...videoInputArgs(1), '-vf', 'setsar=4/3', ...h264Args, 'wide.mp4')
    expect((await probeMedia(pathOf('wide.mp4'), unlimitedProbeLimits)).video).toMatchObject({
      width: 426,
      height: 240,
      squarePixels: false
    })
    await runFfmpegIn(scratch.folder, ...videoInputArgs(1), '-vf', 'setsar=1/200', ...h264Args, 'lie.mp4')
    expect((await probeMedia(pathOf('lie.mp4'), unlimitedProbeLimits)).video).toMatchObject({ width: 320, height: 240 })
  })

  test('odd sizes, interlacing and HDR are detected', async () => {
    await runFfmpegIn(scratch.folder, ...videoInputArgs(1, 25, '321x241'), '-c:v', 'libx264', '-pix_fmt', 'yuv444p', 'odd.mkv')
    const odd = (await probeMedia(pathOf('odd.mkv'), unlimitedProbeLimits)).video
    expect([odd?.pixFmt, (odd?.width ?? 1) % 2, (odd?.height ?? 1) % 2]).toEqual(['yuv444p', 0, 0])
    await runFfmpegIn(
      scratch.folder,
      ...videoInputArgs(1),
      ...h264Args,
      '-bf',
      '0',
      '-flags',
      '+ilme+ildct',
      '-x264-params',
      'tff=1',
      'fields.mp4'
    )
    expect((await probeMedia(pathOf('fields.mp4'), unlimitedProbeLimits)).video?.interlaced).toBe(true)
    await runFfmpegIn(
      scratch.folder,
      ...videoInputArgs(1),
      '-c:v',
      'libx265',
      '-preset',
      'ultrafast',
      '-x265-params',
      'log-level=none',
      '-pix_fmt',
      'yuv420p10le',
      '-color_primaries',
      'bt2020',
      '-color_trc',
      'smpte2084',
      '-colorspace',
      'bt2020nc',
      'hdr.mp4'
    )
    expect((await probeMedia(pathOf('hdr.mp4'), unlimitedProbeLimits)).video).toMatchObject({ hdr: true, pixFmt: 'yuv420p10le' })
  })

  test('frame rates are measured', async () => {
    await runFfmpegIn(
      scratch.folder,
      ...videoInputArgs(4, 240),
      '-vf',
      "select='not(mod(n,7))+not(mod(n,11))',settb=1/1000",
      '-fps_mode',
      'vfr',
      '-enc_time_base',
      '1:1000',
      '-c:v',
      'libvpx',
      '-deadline',
      'realtime',
      '-cpu-used',
      '8',
      'varying.webm'
    )
    const video = (await probeMedia(pathOf('varying.webm'), unlimitedProbeLimits)).video
    expect(video?.variableFps).toBe(true)
    expect(video?.fps).toBeGreaterThan(45)
    expect(video?.fps).toBeLessThan(60)
  })
})

test('the duration of a file without one is measured', async () => {
  await runFfmpegIn(
    scratch.folder,
    ...videoInputArgs(3),
    '-c:v',
    'libvpx',
    '-deadline',
    'realtime',
    '-cpu-used',
    '8',
    '-live',
    '1',
    '-f',
    'webm',
    'live.webm'
  )
  expect((await probeMedia(pathOf('live.webm'), unlimitedProbeLimits)).duration).toBeCloseTo(3, 1)
})

test('a truncated file is detected, and has the duration that is left', async () => {
  await runFfmpegIn(
    scratch.folder,
    ...videoInputArgs(8),
    ...toneInputArgs(8),
    ...h264Args,
    '-c:a',
    'aac',
    '-movflags',
    '+faststart',
    'whole.mp4'
  )
  const bytes = await readFile(pathOf('whole.mp4'))
  await writeFile(pathOf('cut.mp4'), bytes.subarray(0, bytes.length * 0.6))
  const cut = await probeMedia(pathOf('cut.mp4'), unlimitedProbeLimits)
  expect(cut.truncated).toBe(true)
  expect(cut.duration).toBeGreaterThan(3)
  expect(cut.duration).toBeLessThan(6)
})

describe('audio files', () => {
  test('with and without a cover', async () => {
    await runFfmpegIn(scratch.folder, ...toneInputArgs(2), '-c:a', 'libmp3lame', 'sound.mp3')
    expect(await probeMedia(pathOf('sound.mp3'), unlimitedProbeLimits)).toMatchObject({ video: null, audios: [{ codec: 'mp3' }] })
    await runFfmpegIn(scratch.folder, '-f', 'lavfi', '-i', 'color=red:s=200x200:d=1', '-frames:v', '1', 'cover.png')
    await runFfmpegIn(
      scratch.folder,
      '-i',
      'sound.mp3',
      '-i',
      'cover.png',
      '-map',
      '0',
      '-map',
      '1',
      '-c',
      'copy',
      '-disposition:v',
      'attached_pic',
      'cover.mp3'
    )
    expect(await probeMedia(pathOf('cover.mp3'), unlimitedProbeLimits)).toMatchObject({
      video: { attachedPic: true, width: 200 },
      duration: expect.closeTo(2, 0)
    })
    // The scanned stream is the video, not its cover.
    await runFfmpegIn(
      scratch.folder,
      '-i',
      'cover.png',
      ...videoInputArgs(4),
      ...h264Args,
      '-map',
      '0',
      '-map',
      '1',
      '-c:v:0',
      'copy',
      '-disposition:v:0',
      'attached_pic',
      'covered.mp4'
    )
    expect(await probeMedia(pathOf('covered.mp4'), unlimitedProbeLimits)).toMatchObject({
      video: { attachedPic: false, width: 320, frames: 100, keyframeInterval: 2 },
      duration: expect.closeTo(4, 0)
    })
  })
})

describe('refusals', () => {
  test('files that are no media', async () => {
    const noise = Buffer.from(Array.from({ length: 60_000 }, (_, i) => (i * 7919 + (i >> 3) * 31) & 0xff))
    for (const name of ['noise.mp4', 'noise.mp3', 'noise.ts', 'noise.h264', 'noise']) {
      await writeFile(pathOf(name), noise)
      await expect(probeMedia(pathOf(name), unlimitedProbeLimits), name).rejects.toMatchObject({
        code: expect.stringMatching(/^(unreadable|no_streams|forbidden_container)$/)
      })
    }
    await writeFile(pathOf('empty.mp4'), '')
    await expect(probeMedia(pathOf('empty.mp4'), unlimitedProbeLimits)).rejects.toMatchObject({ code: 'unreadable' })
    await runFfmpegIn(scratch.folder, '-f', 'lavfi', '-i', 'color=red:s=20x20:d=1', '-frames:v', '1', 'picture.png')
    await copyFile(pathOf('picture.png'), pathOf('picture.mp4'))
    await expect(probeMedia(pathOf('picture.mp4'), unlimitedProbeLimits)).rejects.toMatchObject({ code: 'forbidden_container' })
  })

  test('playlists and lists of files are refused without reading what they refer to, by ffmpeg too', async () => {
    let requests = 0
    const server = createServer((_, response) => {
      requests++
      response.end()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.ts`
    const files = {
      'list.m3u8': `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n${url}\n#EXTINF:4,\nplain.mp4\n#EXT-X-ENDLIST\n`,
      'concat.mp4': 'ffconcat version 1.0\nfile plain.mp4\n',
      'list.mp4': `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile://${pathOf('plain.mp4')}\n#EXT-X-ENDLIST\n`,
      'manifest.mp4': `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-main:2011" type="static"><BaseURL>${url}</BaseURL></MPD>`,
      'session.mp4':
        'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 5004 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n',
      'list.pls': `[playlist]\nFile1=${url}\nNumberOfEntries=1\n`,
      'reference.asf': `[Reference]\r\nRef1=${url}?MSWMExt=.asf\r\n`,
      'list.xspf': `<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList><track><location>${url}</location></track></trackList></playlist>`,
      'drawing.mp4': `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="${url}"/></svg>`
    }
    for (const [name, text] of Object.entries(files)) {
      await writeFile(pathOf(name), text)
      await expect(probeMedia(pathOf(name), unlimitedProbeLimits), name).rejects.toMatchObject({
        code: expect.stringMatching(/^(forbidden_container|unreadable)$/)
      })
      await expect(
        runFfmpeg({ input: pathOf(name), cwd: scratch.folder, options: ['-c', 'copy', '-f', 'mp4'], output: 'stolen.mp4' }).done,
        name
      ).rejects.toMatchObject({ code: 'ffmpeg_failed' })
    }
    for (const name of ['list.m3u8', 'concat.mp4', 'list.mp4'])
      await expect(probeMedia(pathOf(name), unlimitedProbeLimits), name).rejects.toMatchObject({ code: 'forbidden_container' })
    expect(requests).toBe(0)
    server.close()
  })

  test('a QuickTime movie that refers to other files opens none of them', async () => {
    let requests = 0
    const server = createServer((_, response) => {
      requests++
      response.end()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const box = (type: string, ...content: Buffer[]): Buffer => {
      const head = Buffer.alloc(8, type.padStart(8))
      head.writeUInt32BE(8 + content.reduce((sum, { length }) => sum + length, 0))
      return Buffer.concat([head, ...content])
    }
    for (const url of [`http://127.0.0.1:${(server.address() as AddressInfo).port}/x.mov`, `file://${pathOf('plain.mp4')}`]) {
      const address = Buffer.from(`\0\0\0\0url \0\0\0${String.fromCharCode(url.length + 1)}${url}\0`, 'latin1')
      const movie = box('moov', box('rmra', box('rmda', box('rdrf', address))))
      await writeFile(pathOf('reference.mov'), Buffer.concat([box('ftyp', Buffer.from('qt  \0\0\0\0qt  ')), movie]))
      await expect(probeMedia(pathOf('reference.mov'), unlimitedProbeLimits)).rejects.toMatchObject({
        code: expect.stringMatching(/^(unreadable|no_streams)$/)
      })
    }
    expect(requests).toBe(0)
    server.close()
  })

  test('limits', async () => {
    const file = pathOf('plain.mp4')
    await expect(probeMedia(file, { ...unlimitedProbeLimits, maxDuration: 3 })).rejects.toMatchObject({ code: 'too_long' })
    await expect(probeMedia(file, { ...unlimitedProbeLimits, maxPixels: 320 * 240 - 1 })).rejects.toMatchObject({ code: 'too_large' })
    await expect(probeMedia(file, { ...unlimitedProbeLimits, maxFps: 24 })).rejects.toMatchObject({ code: 'too_large' })
    await expect(probeMedia(file, { ...unlimitedProbeLimits, maxStreams: 1 })).rejects.toMatchObject({ code: 'too_many_streams' })
    await expect(probeMedia(file, { ...unlimitedProbeLimits, timeoutMs: 1 })).rejects.toMatchObject({ code: 'timeout' })
  })
})
