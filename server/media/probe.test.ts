import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runFfmpeg } from './ffmpeg.ts'
import { h264Args, runFfmpegIn, videoInputArgs, createScratchFolder, toneInputArgs, unlimitedProbeLimits } from '../test/media-fixtures.ts'
import { probeMedia } from './probe.ts'

let place: Awaited<ReturnType<typeof createScratchFolder>>
const at = (name: string) => join(place.folder, name)

beforeAll(async () => {
  place = await createScratchFolder()
  await runFfmpegIn(
    place.folder,
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
afterAll(() => place.remove())

test('a plain file is told in full', async () => {
  await copyFile(at('plain.mp4'), at('plain.txt'))
  const found = await probeMedia(at('plain.txt'), unlimitedProbeLimits)
  expect(found).toMatchObject({
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
  expect(found.container).toContain('mp4')
  expect(found.video?.codecString).toMatch(/^avc1\.[0-9a-f]{6}$/)
  expect(found.video?.bitrate).toBeGreaterThan(10_000)
})

test('the metadata have the shape of the wire and no path', async () => {
  const { metadata } = await probeMedia(at('plain.mp4'), unlimitedProbeLimits)
  expect(metadata).toMatchObject({
    chapters: [],
    format: { duration: 4, nb_streams: 2, start_time: 0, tags: { major_brand: 'isom' } },
    streams: [
      { codec_type: 'video', nb_frames: 100, max_bit_rate: 'N/A', r_frame_rate: '25/1', is_avc: 'true' },
      { codec_type: 'audio', sample_rate: 44_100 }
    ]
  })
  expect(JSON.stringify(metadata)).not.toContain(place.folder)
})

describe('pictures as they are shown', () => {
  test('rotation swaps the sides, pixel shape stretches them', async () => {
    await runFfmpegIn(place.folder, '-i', 'plain.mp4', '-c', 'copy', '-metadata:s:v:0', 'rotate=90', 'rotated.mp4')
    expect((await probeMedia(at('rotated.mp4'), unlimitedProbeLimits)).video).toMatchObject({
      width: 240,
      height: 320,
      rotation: expect.toSatisfy((turn: number) => turn === 90 || turn === 270)
    })
    await runFfmpegIn(place.folder, ...videoInputArgs(1), '-vf', 'setsar=4/3', ...h264Args, 'wide.mp4')
    expect((await probeMedia(at('wide.mp4'), unlimitedProbeLimits)).video).toMatchObject({ width: 426, height: 240, squarePixels: false })
    await runFfmpegIn(place.folder, ...videoInputArgs(1), '-vf', 'setsar=1/200', ...h264Args, 'lie.mp4')
    expect((await probeMedia(at('lie.mp4'), unlimitedProbeLimits)).video).toMatchObject({ width: 320, height: 240 })
  })

  test('odd, deep, interlaced and wide-gamut ones', async () => {
    await runFfmpegIn(place.folder, ...videoInputArgs(1, 25, '321x241'), '-c:v', 'libx264', '-pix_fmt', 'yuv444p', 'odd.mkv')
    const odd = (await probeMedia(at('odd.mkv'), unlimitedProbeLimits)).video
    expect([odd?.pixFmt, (odd?.width ?? 1) % 2, (odd?.height ?? 1) % 2]).toEqual(['yuv444p', 0, 0])
    await runFfmpegIn(
      place.folder,
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
    expect((await probeMedia(at('fields.mp4'), unlimitedProbeLimits)).video?.interlaced).toBe(true)
    await runFfmpegIn(
      place.folder,
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
    expect((await probeMedia(at('hdr.mp4'), unlimitedProbeLimits)).video).toMatchObject({ hdr: true, pixFmt: 'yuv420p10le' })
  })

  test('rates are measured, not believed', async () => {
    await runFfmpegIn(
      place.folder,
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
    const video = (await probeMedia(at('varying.webm'), unlimitedProbeLimits)).video
    expect(video?.variableFps).toBe(true)
    expect(video?.fps).toBeGreaterThan(45)
    expect(video?.fps).toBeLessThan(60)
  })
})

test('a recording without a length is measured', async () => {
  await runFfmpegIn(
    place.folder,
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
  expect((await probeMedia(at('live.webm'), unlimitedProbeLimits)).duration).toBeCloseTo(3, 1)
})

test('a file cut off is told to be, with the length that is left', async () => {
  await runFfmpegIn(
    place.folder,
    ...videoInputArgs(8),
    ...toneInputArgs(8),
    ...h264Args,
    '-c:a',
    'aac',
    '-movflags',
    '+faststart',
    'whole.mp4'
  )
  const bytes = await readFile(at('whole.mp4'))
  await writeFile(at('cut.mp4'), bytes.subarray(0, bytes.length * 0.6))
  const cut = await probeMedia(at('cut.mp4'), unlimitedProbeLimits)
  expect(cut.truncated).toBe(true)
  expect(cut.duration).toBeGreaterThan(3)
  expect(cut.duration).toBeLessThan(6)
})

describe('sound files', () => {
  test('alone and with a cover', async () => {
    await runFfmpegIn(place.folder, ...toneInputArgs(2), '-c:a', 'libmp3lame', 'sound.mp3')
    expect(await probeMedia(at('sound.mp3'), unlimitedProbeLimits)).toMatchObject({ video: null, audios: [{ codec: 'mp3' }] })
    await runFfmpegIn(place.folder, '-f', 'lavfi', '-i', 'color=red:s=200x200:d=1', '-frames:v', '1', 'cover.png')
    await runFfmpegIn(
      place.folder,
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
    expect(await probeMedia(at('cover.mp3'), unlimitedProbeLimits)).toMatchObject({
      video: { attachedPic: true, width: 200 },
      duration: expect.closeTo(2, 0)
    })
    // What is walked over is the film, not its cover.
    await runFfmpegIn(
      place.folder,
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
    expect(await probeMedia(at('covered.mp4'), unlimitedProbeLimits)).toMatchObject({
      video: { attachedPic: false, width: 320, frames: 100, keyframeInterval: 2 },
      duration: expect.closeTo(4, 0)
    })
  })
})

describe('refusals', () => {
  test('what is no media', async () => {
    const noise = Buffer.from(Array.from({ length: 60_000 }, (_, i) => (i * 7919 + (i >> 3) * 31) & 0xff))
    for (const name of ['noise.mp4', 'noise.mp3', 'noise.ts', 'noise.h264', 'noise']) {
      await writeFile(at(name), noise)
      await expect(probeMedia(at(name), unlimitedProbeLimits), name).rejects.toMatchObject({
        code: expect.stringMatching(/^(unreadable|no_streams|forbidden_container)$/)
      })
    }
    await writeFile(at('empty.mp4'), '')
    await expect(probeMedia(at('empty.mp4'), unlimitedProbeLimits)).rejects.toMatchObject({ code: 'unreadable' })
    await runFfmpegIn(place.folder, '-f', 'lavfi', '-i', 'color=red:s=20x20:d=1', '-frames:v', '1', 'picture.png')
    await copyFile(at('picture.png'), at('picture.mp4'))
    await expect(probeMedia(at('picture.mp4'), unlimitedProbeLimits)).rejects.toMatchObject({ code: 'forbidden_container' })
  })

  test('lists and playlists are refused unread, here and by ffmpeg itself', async () => {
    let asked = 0
    const server = createServer((_, response) => {
      asked++
      response.end()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.ts`
    const lists = {
      'list.m3u8': `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n${url}\n#EXTINF:4,\nplain.mp4\n#EXT-X-ENDLIST\n`,
      'concat.mp4': 'ffconcat version 1.0\nfile plain.mp4\n',
      'list.mp4': `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile://${at('plain.mp4')}\n#EXT-X-ENDLIST\n`,
      'manifest.mp4': `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-main:2011" type="static"><BaseURL>${url}</BaseURL></MPD>`,
      'drawing.mp4': `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="${url}"/></svg>`
    }
    for (const [name, text] of Object.entries(lists)) {
      await writeFile(at(name), text)
      await expect(probeMedia(at(name), unlimitedProbeLimits), name).rejects.toMatchObject({
        code: expect.stringMatching(/^(forbidden_container|unreadable)$/)
      })
      await expect(
        runFfmpeg({ input: at(name), cwd: place.folder, options: ['-c', 'copy', '-f', 'mp4'], output: 'stolen.mp4' }).done,
        name
      ).rejects.toMatchObject({ code: 'ffmpeg_failed' })
    }
    for (const name of ['list.m3u8', 'concat.mp4', 'list.mp4'])
      await expect(probeMedia(at(name), unlimitedProbeLimits), name).rejects.toMatchObject({ code: 'forbidden_container' })
    expect(asked).toBe(0)
    server.close()
  })

  test('limits', async () => {
    const file = at('plain.mp4')
    await expect(probeMedia(file, { ...unlimitedProbeLimits, maxDuration: 3 })).rejects.toMatchObject({ code: 'too_long' })
    await expect(probeMedia(file, { ...unlimitedProbeLimits, maxPixels: 320 * 240 - 1 })).rejects.toMatchObject({ code: 'too_large' })
    await expect(probeMedia(file, { ...unlimitedProbeLimits, maxFps: 24 })).rejects.toMatchObject({ code: 'too_large' })
    await expect(probeMedia(file, { ...unlimitedProbeLimits, maxStreams: 1 })).rejects.toMatchObject({ code: 'too_many_streams' })
    await expect(probeMedia(file, { ...unlimitedProbeLimits, timeoutMs: 1 })).rejects.toMatchObject({ code: 'timeout' })
  })
})
