import { symlinkSync } from 'node:fs'
import { copyFile, mkdtemp, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  probeDecodedStream,
  h264Args,
  encodeLadder,
  runFfmpegIn,
  probePacketTimes,
  videoInputArgs,
  decodeToRaw,
  createScratchFolder,
  toneInputArgs
} from '../test/media-fixtures.ts'
import type { MediaExpectations } from '../test/media-checker.ts'
import { testLadderSettings, unlimitedProbeLimits } from '../test/media-settings.ts'
import { encodeToHls, newHlsFilenames, type HlsOptions, type HlsOutput } from './hls.ts'
import { renditionBitrateCap, planLadder, type LadderSettings } from './ladder.ts'
import { readMediaPlaylist } from './hls-playlist.ts'
import { probeMedia } from './probe.ts'

let scratch: Awaited<ReturnType<typeof createScratchFolder>>
const pathOf = (name: string) => join(scratch.folder, name)

beforeAll(async () => {
  scratch = await createScratchFolder()
  await runFfmpegIn(scratch.folder, ...videoInputArgs(5), ...toneInputArgs(5), ...h264Args, '-c:a', 'aac', 'plain.mp4')
})
afterAll(() => scratch.remove())

async function prepare(name: string, settings: Partial<LadderSettings> = {}) {
  const probe = await probeMedia(pathOf(name), unlimitedProbeLimits)
  return { found: probe, made: planLadder(probe, { ...testLadderSettings, ...settings }), folder: await mkdtemp(pathOf('out ')) }
}

const encode = async (
  name: string,
  settings: Partial<LadderSettings> = {},
  options: HlsOptions = {},
  expectations: Partial<MediaExpectations> = {}
) => await encodeLadder(scratch.folder, name, settings, options, expectations)

async function playlistDuration(folder: string, output: HlsOutput | undefined): Promise<number> {
  const playlist = await readMediaPlaylist(join(folder, output?.playlist ?? ''))
  expect(playlist.ended).toBe(true)
  return playlist.segments.reduce((sum, segment) => sum + segment.duration, 0)
}

async function sortedPacketTimes(file: string): Promise<number[]> {
  return (await probePacketTimes(file)).sort((a, b) => a - b)
}

async function countFrames(folder: string, videos: HlsOutput[]): Promise<number[]> {
  return await Promise.all(videos.map(async output => Number((await probeDecodedStream(join(folder, output.file))).nb_read_frames)))
}

test('file names follow the pattern and are unique', () => {
  const { playlist, file } = newHlsFilenames(720)
  expect(playlist).toMatch(/^[0-9a-f-]{36}-720\.m3u8$/)
  expect(file).toBe(playlist.replace('.m3u8', '-fragmented.mp4'))
  expect(newHlsFilenames(720).file).not.toBe(file)
})

test('the source is copied, the lower renditions are encoded, the audio is shared', async () => {
  const { plan, folder, videos, audio, results } = await encode('plain.mp4')
  expect(plan.copyVideo?.resolution).toBe(240)
  expect(videos.map(output => output.resolution)).toEqual([240, 144])
  expect(await countFrames(folder, videos)).toEqual([125, 125])
  for (const output of [...videos, audio]) expect(await playlistDuration(folder, output)).toBeCloseTo(5, 1)
  expect(results.map(result => result.damaged)).toEqual([false, false])
  // The copied video stream is bit-exact.
  const rawVideoArgs = ['-map', '0:v', '-f', 'rawvideo', '-pix_fmt', 'yuv420p']
  expect(
    (await decodeToRaw(join(folder, videos[0]?.file ?? ''), ...rawVideoArgs)).equals(
      await decodeToRaw(pathOf('plain.mp4'), ...rawVideoArgs)
    )
  ).toBe(true)
  for (const output of videos) expect(await probeDecodedStream(join(folder, output.file), 'a:0')).toEqual({})
})

test('segments of all encoded renditions have the same durations, begin with a keyframe and cover the file', async () => {
  await runFfmpegIn(
    scratch.folder,
    ...videoInputArgs(7, 30, '640x360'),
    ...toneInputArgs(7),
    '-c:v',
    'mpeg4',
    '-g',
    '300',
    '-c:a',
    'flac',
    'other.mkv'
  )
  const { folder, outputs, videos } = await encode('other.mkv')
  expect(videos.map(output => output.resolution)).toEqual([360, 240, 144])
  expect(await countFrames(folder, videos)).toEqual([210, 210, 210])
  const times = await Promise.all(
    videos.map(async output => (await readMediaPlaylist(join(folder, output.playlist))).segments.map(segment => segment.duration))
  )
  expect(times).toHaveLength(3)
  // The source has its frame times in milliseconds.
  for (const segments of times)
    expect(segments).toEqual([expect.closeTo(2, 2), expect.closeTo(2, 2), expect.closeTo(2, 2), expect.closeTo(1, 2)])
  for (const output of outputs) {
    const playlist = await readMediaPlaylist(join(folder, output.playlist))
    const bytes = await readFile(join(folder, output.file))
    expect(playlist.segments.every(segment => segment.uri === output.file)).toBe(true)
    expect(playlist.init).toMatchObject({ uri: output.file, byterange: { offset: 0 } })
    const last = playlist.segments.at(-1)?.byterange
    expect((last?.offset ?? 0) + (last?.length ?? 0)).toBe(bytes.length)
    for (const { byterange } of playlist.segments) {
      const box = bytes.subarray((byterange?.offset ?? 0) + 4, (byterange?.offset ?? 0) + 8).toString('latin1')
      expect(['moof', 'styp', 'sidx']).toContain(box)
      if (output.kind === 'video' && byterange && playlist.init?.byterange) {
        await writeFile(
          join(folder, 'alone.mp4'),
          Buffer.concat([
            bytes.subarray(0, playlist.init.byterange.length),
            bytes.subarray(byterange.offset, byterange.offset + byterange.length)
          ])
        )
        expect(Number((await probeDecodedStream(join(folder, 'alone.mp4'))).nb_read_frames)).toBeGreaterThanOrEqual(30)
      }
    }
  }
})

test('no rendition of a video that is hard to encode exceeds its bit rate cap', async () => {
  await runFfmpegIn(
    scratch.folder,
    '-f',
    'lavfi',
    '-i',
    'mandelbrot=s=640x360:r=25:maxiter=200',
    '-t',
    '10',
    '-vf',
    'noise=alls=12:allf=t',
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-b:v',
    '400k',
    '-maxrate',
    '400k',
    '-bufsize',
    '200k',
    '-g',
    '250',
    '-pix_fmt',
    'yuv420p',
    'hard.mp4'
  )
  const { probe, folder, videos } = await encode('hard.mp4', { preset: 'veryfast' })
  expect(videos.map(output => output.resolution)).toEqual([360, 240, 144])
  for (const { file, resolution } of videos)
    expect(((await stat(join(folder, file))).size * 8) / probe.duration).toBeLessThanOrEqual(renditionBitrateCap(probe.video!, resolution))
})

describe('staggered renditions', () => {
  const spareMemory = 1024 ** 3

  test('the smaller ones and the audio have their first segment before the others have any', async () => {
    await runFfmpegIn(
      scratch.folder,
      ...videoInputArgs(4, 30, '1280x720'),
      ...toneInputArgs(4),
      '-c:v',
      'mpeg4',
      '-q:v',
      '2',
      '-c:a',
      'mp3',
      'large.mkv'
    )
    const { found: probe, made: plan, folder } = await prepare('large.mkv', { preset: 'veryfast', resolutions: [144, 360, 720] })
    const run = encodeToHls(pathOf('large.mkv'), folder, plan, probe, { spareMemory })
    expect(run.outputs.map(({ resolution }) => resolution)).toEqual([720, 360, 144, 0])
    expect(run.groups.map(group => group.map(({ resolution }) => resolution))).toEqual([[360, 144, 0], [720]])
    const haveFirstSegment = async (group: HlsOutput[]) =>
      await Promise.all(
        group.map(
          async ({ playlist }) =>
            await readMediaPlaylist(join(folder, playlist)).then(
              playlist => playlist.segments.length > 0,
              () => false
            )
        )
      )
    await expect.poll(async () => await haveFirstSegment(run.groups[0]!), { interval: 10, timeout: 20_000 }).toEqual([true, true, true])
    expect(await haveFirstSegment(run.groups[1]!)).toEqual([false])
    await run.done
    expect(
      await countFrames(
        folder,
        run.outputs.filter(({ kind }) => kind === 'video')
      )
    ).toEqual([120, 120, 120])
  })

  test.each([
    ['a video', 'held.mkv', [...videoInputArgs(7, 30, '640x360'), ...toneInputArgs(7), '-c:v', 'mpeg4', '-c:a', 'flac'], {}],
    [
      'a video shorter than the delay',
      'brief.mkv',
      [...videoInputArgs(1, 25, '640x360'), ...toneInputArgs(1), '-c:v', 'mpeg4', '-c:a', 'flac'],
      {}
    ],
    [
      'a video with muxed audio',
      'inside.mkv',
      [...videoInputArgs(5, 25, '640x360'), ...toneInputArgs(5), '-c:v', 'mpeg4', '-c:a', 'flac'],
      { splitAudio: false, resolutions: [0, 144, 240] }
    ],
    [
      'a video whose frame rate is reduced',
      'swift.mkv',
      [...videoInputArgs(5, 50, '640x360'), ...toneInputArgs(5), '-c:v', 'mpeg4', '-c:a', 'flac'],
      { maxFps: 25 }
    ],
    [
      'a video whose first second has more frames than the buffer holds',
      'burst.mkv',
      [
        ...videoInputArgs(6, 60, '640x360'),
        ...toneInputArgs(6),
        '-vf',
        "select='lt(t,1.5)+not(mod(n,12))'",
        '-vsync',
        'vfr',
        '-c:v',
        'mpeg4',
        '-c:a',
        'flac'
      ],
      {}
    ],
    [
      'a video with a variable frame rate that starts late',
      'uneven.ts',
      [
        ...videoInputArgs(6, 30, '640x360'),
        ...toneInputArgs(6),
        '-vf',
        "select='not(mod(n,7))+lt(t,2)'",
        '-vsync',
        'vfr',
        '-output_ts_offset',
        '30',
        '-c:v',
        'mpeg2video',
        '-bf',
        '2',
        '-c:a',
        'mp2'
      ],
      {}
    ]
  ])('%s has the same output as without stagger', async (_, name, source, settings) => {
    await runFfmpegIn(scratch.folder, ...source, name)
    const [staggered, plain] = [await encode(name, settings, { spareMemory }), await encode(name, settings)]
    expect(staggered.plan.copyVideo).toBeNull()
    expect(staggered.results.map(({ seconds, damaged }) => ({ seconds, damaged }))).toEqual(
      plain.results.map(({ seconds, damaged }) => ({ seconds: expect.closeTo(seconds, 6), damaged }))
    )
    expect(staggered.outputs.map(({ kind, resolution }) => [kind, resolution])).toEqual(
      plain.outputs.map(({ kind, resolution }) => [kind, resolution])
    )
    for (const [i, output] of staggered.outputs.entries()) {
      const [staggeredPlaylist, plainPlaylist] = [join(staggered.folder, output.playlist), join(plain.folder, plain.outputs[i]!.playlist)]
      const segmentsOf = async (path: string) =>
        (await readMediaPlaylist(path)).segments.map(({ duration, byterange }) => ({ duration, byterange }))
      expect(await segmentsOf(staggeredPlaylist)).toEqual(await segmentsOf(plainPlaylist))
      const bytes = await Promise.all(
        [join(staggered.folder, output.file), join(plain.folder, plain.outputs[i]!.file)].map(async path => await readFile(path))
      )
      expect(bytes[0]!.equals(bytes[1]!)).toBe(true)
    }
  })
})

test.each([[0], [1024 ** 3]])(
  'no frame is lost when the frame size changes in the middle, as in recordings of calls (%i bytes of spare memory)',
  async spareMemory => {
    const vp8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8']
    await runFfmpegIn(scratch.folder, ...videoInputArgs(1, 30, '426x240'), ...vp8, 'small.webm')
    await runFfmpegIn(scratch.folder, ...videoInputArgs(3, 30, '640x360'), ...vp8, 'larger.webm')
    await writeFile(pathOf('parts.txt'), 'file small.webm\nfile larger.webm\n')
    await runFfmpegIn(scratch.folder, '-f', 'concat', '-i', pathOf('parts.txt'), '-c', 'copy', 'call.webm')
    const { folder, videos, results } = await encode('call.webm', {}, { spareMemory })
    expect(videos.map(({ resolution }) => resolution)).toEqual([240, 144])
    expect(results).toMatchObject([{ damaged: false }])
    for (const { file } of videos)
      expect(await sortedPacketTimes(join(folder, file))).toEqual(Array.from({ length: 120 }, (_, n) => expect.closeTo(n / 30, 2)))
  }
)

test('finished segments can be played while the rest is being encoded', async () => {
  await runFfmpegIn(scratch.folder, ...videoInputArgs(16, 25, '640x360'), ...toneInputArgs(16), '-c:v', 'mpeg4', '-c:a', 'mp3', 'long.mkv')
  const { found: probe, made: plan, folder } = await prepare('long.mkv', { resolutions: [144], preset: 'veryfast' })
  const percents: number[] = []
  const run = encodeToHls(pathOf('long.mkv'), folder, plan, probe, { onProgress: progress => percents.push(progress.percent) })
  const output = run.outputs[0]
  const counts = new Set<number>()
  let finished = false
  let missingFrames = -1
  run.done.finally(() => (finished = true)).catch(() => {})
  while (!finished) {
    const playlist = await readMediaPlaylist(join(folder, output?.playlist ?? '')).catch(() => null)
    if (playlist && !playlist.ended && playlist.segments.length > 0) {
      counts.add(playlist.segments.length)
      if (missingFrames < 0) {
        const last = playlist.segments.at(-1)?.byterange
        const bytes = (await readFile(join(folder, output?.file ?? ''))).subarray(0, (last?.offset ?? 0) + (last?.length ?? 0))
        await writeFile(join(folder, 'so-far.mp4'), bytes)
        missingFrames = Number((await probeDecodedStream(join(folder, 'so-far.mp4'))).nb_read_frames) - playlist.segments.length * 50
      }
    }
    await new Promise(resolve => setTimeout(resolve, 25))
  }
  await run.done
  expect(counts.size).toBeGreaterThan(2)
  expect(missingFrames).toBe(0)
  expect(await playlistDuration(folder, output)).toBeCloseTo(16, 1)
  expect(percents.length).toBeGreaterThan(1)
  expect(percents).toEqual([...percents].sort((a, b) => a - b))
  expect(percents.at(-1)).toBe(100)
})

test('audio muxed into every rendition, and alone where resolution 0 is enabled', async () => {
  const { folder, videos, audio } = await encode('plain.mp4', { splitAudio: false, resolutions: [0, 144] })
  expect(videos.map(output => output.resolution)).toEqual([240, 144])
  for (const output of videos) expect(await probeDecodedStream(join(folder, output.file), 'a:0')).toMatchObject({ codec_name: 'aac' })
  expect(await countFrames(folder, videos)).toEqual([125, 125])
  expect(await probeDecodedStream(join(folder, audio?.file ?? ''), 'a:0')).toMatchObject({ codec_name: 'aac' })
  expect(await playlistDuration(folder, audio)).toBeCloseTo(5, 1)
})

describe('sources of every kind', () => {
  test('a rotated video comes out upright', async () => {
    await runFfmpegIn(scratch.folder, '-i', 'plain.mp4', '-c', 'copy', '-metadata:s:v:0', 'rotate=90', 'turned.mp4')
    const { folder, videos } = await encode('turned.mp4')
    const shown = await Promise.all(videos.map(output => probeDecodedStream(join(folder, output.file))))
    expect(shown.map(stream => [stream.width, stream.height])).toEqual([
      [240, 320],
      [144, 192]
    ])
    expect(shown.every(stream => !('side_data_list' in stream))).toBe(true)
    expect(await countFrames(folder, videos)).toEqual([125, 125])
  })

  test('variable frame times are kept, frame by frame', async () => {
    await runFfmpegIn(
      scratch.folder,
      ...videoInputArgs(6, 60),
      '-vf',
      "select='not(mod(n,7))+not(mod(n,11))+lt(n,30)',settb=1/1000",
      '-fps_mode',
      'vfr',
      '-enc_time_base',
      '1:1000',
      '-c:v',
      'libx265',
      '-preset',
      'ultrafast',
      '-x265-params',
      'log-level=none',
      'varying.mkv'
    )
    const expected = Number((await probeDecodedStream(pathOf('varying.mkv'))).nb_read_frames)
    const { folder, videos, plan } = await encode('varying.mkv')
    expect(plan.keepsFrameTimes).toBe(true)
    expect(await countFrames(folder, videos)).toEqual([expected, expected])
    expect(Math.abs((await playlistDuration(folder, videos[0])) - 6)).toBeLessThan(0.1)
    const [before, after] = await Promise.all([pathOf('varying.mkv'), join(folder, videos[0]?.file ?? '')].map(sortedPacketTimes))
    expect(after?.map((time, i) => Math.abs(time - (before?.[i] ?? 0) - (after[0] ?? 0)) < 0.002)).toEqual(before?.map(() => true))
  })

  test('variable frame times are kept by a copy too', async () => {
    await runFfmpegIn(
      scratch.folder,
      ...videoInputArgs(6, 60),
      '-vf',
      "select='not(mod(n,7))+not(mod(n,11))+lt(n,30)'",
      '-fps_mode',
      'vfr',
      ...h264Args,
      '-bf',
      '0',
      '-g',
      '30',
      'varying.mp4'
    )
    const { folder, videos, plan } = await encode('varying.mp4', { resolutions: [] })
    expect(plan.copyVideo).not.toBeNull()
    const [before, after] = await Promise.all([pathOf('varying.mp4'), join(folder, videos[0]?.file ?? '')].map(sortedPacketTimes))
    expect(after?.map((time, i) => Math.abs(time - (before?.[i] ?? 0) - (after[0] ?? 0)) < 0.002)).toEqual(before?.map(() => true))
  })

  test('a frame rate above the cap is reduced', async () => {
    await runFfmpegIn(scratch.folder, ...videoInputArgs(2, 120), ...h264Args, 'fast.mp4')
    const { folder, videos } = await encode('fast.mp4', { maxFps: 60, resolutions: [] })
    expect(await countFrames(folder, videos)).toEqual([120])
  })

  test('ten bits, odd sizes, non-square pixels and interlacing become plain H.264', async () => {
    await runFfmpegIn(
      scratch.folder,
      ...videoInputArgs(2, 25, '321x241'),
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-pix_fmt',
      'yuv444p10le',
      'deep.mkv'
    )
    await runFfmpegIn(scratch.folder, ...videoInputArgs(2), '-vf', 'setsar=4/3', ...h264Args, 'oblong.mp4')
    await runFfmpegIn(
      scratch.folder,
      ...videoInputArgs(2),
      ...h264Args,
      '-bf',
      '0',
      '-flags',
      '+ilme+ildct',
      '-x264-params',
      'tff=1',
      'fields.mp4'
    )
    for (const [name, width, height] of [
      ['deep.mkv', 320, 240],
      ['oblong.mp4', 426, 240],
      ['fields.mp4', 320, 240]
    ] as const) {
      const { folder, videos } = await encode(name, { resolutions: [] })
      expect(await probeDecodedStream(join(folder, videos[0]?.file ?? '')), name).toMatchObject({
        codec_name: 'h264',
        pix_fmt: 'yuv420p',
        width,
        height,
        nb_read_frames: '50',
        field_order: 'progressive',
        sample_aspect_ratio: '1:1'
      })
    }
  })

  test('HDR is tone-mapped to SDR', async () => {
    await runFfmpegIn(
      scratch.folder,
      ...videoInputArgs(2),
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
    const { folder, videos } = await encode('hdr.mp4', { resolutions: [] })
    const file = join(folder, videos[0]?.file ?? '')
    expect(await probeDecodedStream(file)).toMatchObject({
      pix_fmt: 'yuv420p',
      color_transfer: 'bt709',
      color_primaries: 'bt709',
      color_space: 'bt709',
      nb_read_frames: '50'
    })
    const luma = (await decodeToRaw(file, '-f', 'rawvideo', '-pix_fmt', 'gray')).subarray(0, 320 * 240)
    const flat = (await decodeToRaw(pathOf('hdr.mp4'), '-f', 'rawvideo', '-pix_fmt', 'gray')).subarray(0, 320 * 240)
    expect(luma.equals(flat)).toBe(false)
  })

  test('a video without audio has no audio rendition', async () => {
    await runFfmpegIn(scratch.folder, ...videoInputArgs(2), ...h264Args, 'silent.mp4')
    const { outputs, folder, videos } = await encode('silent.mp4')
    expect(outputs.map(output => output.kind)).toEqual(['video', 'video'])
    expect(await countFrames(folder, videos)).toEqual([50, 50])
  })

  test('a single frame', async () => {
    await runFfmpegIn(scratch.folder, ...videoInputArgs(1), ...h264Args, '-frames:v', '1', 'one.mp4')
    const { folder, videos } = await encode('one.mp4')
    expect(await countFrames(folder, videos)).toEqual([1, 1])
    await playlistDuration(folder, videos[0])
  })

  test('a single frame with long audio is shown until the audio ends', async () => {
    await runFfmpegIn(
      scratch.folder,
      '-f',
      'lavfi',
      '-i',
      'testsrc=s=200x200:r=1:d=1',
      ...toneInputArgs(6),
      ...h264Args,
      '-c:a',
      'aac',
      'still.mp4'
    )
    const { folder, videos, audio } = await encode('still.mp4', { resolutions: [] })
    expect(await playlistDuration(folder, videos[0])).toBeCloseTo(6, 0)
    expect(await playlistDuration(folder, audio)).toBeCloseTo(6, 0)
  })

  test('audio that ends early is padded with silence', async () => {
    await runFfmpegIn(scratch.folder, ...videoInputArgs(8), ...toneInputArgs(3), ...h264Args, '-c:a', 'aac', 'early.mp4')
    const { folder, audio } = await encode('early.mp4', { resolutions: [] })
    expect(await playlistDuration(folder, audio)).toBeCloseTo(8, 1)
  })

  test('an audio file, with or without a cover, gets a still video that every client can play', async () => {
    await runFfmpegIn(scratch.folder, ...toneInputArgs(5), '-c:a', 'libmp3lame', 'sound.mp3')
    await runFfmpegIn(scratch.folder, '-f', 'lavfi', '-i', 'color=red:s=201x199:d=1', '-frames:v', '1', 'cover.png')
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
    for (const [name, red] of [
      ['sound.mp3', false],
      ['cover.mp3', true]
    ] as const) {
      const { folder, videos, audio } = await encode(name)
      const file = join(folder, videos[0]?.file ?? '')
      const stream = await probeDecodedStream(file)
      expect(stream, name).toMatchObject({ width: 640, height: 360, pix_fmt: 'yuv420p' })
      expect(Number(stream.level)).toBeLessThan(40)
      expect(await playlistDuration(folder, videos[0])).toBeCloseTo(5, 0)
      expect(await playlistDuration(folder, audio)).toBeCloseTo(5, 0)
      const pixels = await decodeToRaw(file, '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24')
      const middle = pixels.subarray((180 * 640 + 320) * 3, (180 * 640 + 320) * 3 + 3)
      expect((middle[0] ?? 0) > 150 && (middle[1] ?? 0) < 60).toBe(red)
    }
  })

  test('streams that are neither video nor audio are left out', async () => {
    await writeFile(pathOf('words.srt'), '1\n00:00:00,000 --> 00:00:01,000\nHello\n')
    await runFfmpegIn(
      scratch.folder,
      '-i',
      'plain.mp4',
      '-i',
      'words.srt',
      '-map',
      '1',
      '-map',
      '0:a',
      '-map',
      '0:v',
      '-c',
      'copy',
      '-c:s',
      'srt',
      '-attach',
      'words.srt',
      '-metadata:s:t',
      'mimetype=text/plain',
      'many.mkv'
    )
    const { folder, videos, audio } = await encode('many.mkv')
    expect(await countFrames(folder, videos)).toEqual([125, 125])
    expect(await playlistDuration(folder, audio)).toBeCloseTo(5, 0)
  })

  test('transport streams, whose timestamps start anywhere, start at 0', async () => {
    await runFfmpegIn(scratch.folder, '-i', 'plain.mp4', '-c', 'copy', '-output_ts_offset', '1000', 'clock.ts')
    const { folder, videos, audio, plan } = await encode('clock.ts')
    expect(plan.audios).toMatchObject([{ copy: true }])
    expect((await countFrames(folder, videos)).every(count => count >= 124)).toBe(true)
    for (const output of [...videos, audio]) expect(await playlistDuration(folder, output)).toBeCloseTo(5, 0)
  })
})

describe('audio and video stay in sync', () => {
  const flash = ['-f', 'lavfi', '-i', "color=black:s=320x240:r=25:d=5,drawbox=color=white:t=fill:enable='between(t,1.99,2.19)'"]
  const click = ['-f', 'lavfi', '-i', "aevalsrc='if(between(t,2,2.2),0.8*sin(2*PI*1000*t),0)':d=5:s=44100"]

  async function audioDrift(folder: string, video: HlsOutput | undefined, audio: HlsOutput | undefined): Promise<number> {
    // Counted from the first frame and the first sample, as players without edit list support do.
    const pixels = await decodeToRaw(
      join(folder, video?.file ?? ''),
      '-vf',
      'scale=2:2',
      '-fps_mode',
      'passthrough',
      '-f',
      'rawvideo',
      '-pix_fmt',
      'gray'
    )
    const flashSeconds = pixels.findIndex((value, i) => i % 4 === 0 && value > 128) / 4 / 25
    const samples = await decodeToRaw(join(folder, audio?.file ?? ''), '-map', '0:a', '-ac', '1', '-ar', '44100', '-f', 's16le')
    let clickSample = 0
    while (clickSample * 2 < samples.length - 1 && Math.abs(samples.readInt16LE(clickSample * 2)) < 5000) clickSample++
    expect(flashSeconds).toBeGreaterThan(1)
    return Math.abs(flashSeconds - clickSample / 44_100)
  }

  test('when both are copied, and when both are encoded', async () => {
    await runFfmpegIn(
      scratch.folder,
      ...flash,
      ...click,
      '-c:v',
      'libx264',
      '-g',
      '50',
      '-bf',
      '3',
      '-pix_fmt',
      'yuv420p',
      '-c:a',
      'aac',
      'flash.mp4'
    )
    await runFfmpegIn(
      scratch.folder,
      '-i',
      'flash.mp4',
      '-c:v',
      'libvpx',
      '-deadline',
      'realtime',
      '-b:v',
      '500k',
      '-c:a',
      'libopus',
      'flash.webm'
    )
    await runFfmpegIn(scratch.folder, '-i', 'flash.mp4', '-c', 'copy', 'flash.ts')
    for (const name of ['flash.mp4', 'flash.webm', 'flash.ts']) {
      const { folder, videos, audio } = await encode(name, { resolutions: [144] })
      for (const video of videos) expect(await audioDrift(folder, video, audio), `${name} ${video.resolution}`).toBeLessThan(0.045)
    }
  })

  test('when the audio starts late', async () => {
    await runFfmpegIn(
      scratch.folder,
      ...flash,
      ...click,
      '-filter_complex',
      '[1:a]atrim=start=1[late]',
      '-map',
      '0:v',
      '-map',
      '[late]',
      '-c:v',
      'libx264',
      '-g',
      '50',
      '-pix_fmt',
      'yuv420p',
      '-c:a',
      'aac',
      'late.mkv'
    )
    const { folder, videos, audio, plan } = await encode('late.mkv', { resolutions: [] })
    expect(plan).toMatchObject({ audios: [{ copy: false }], copyVideo: { resolution: 240 } })
    expect(await audioDrift(folder, videos[0], audio)).toBeLessThan(0.045)
  })
})

describe('damaged files and failures', () => {
  test('a truncated file gives what can be read, marked as damaged', async () => {
    await runFfmpegIn(
      scratch.folder,
      ...videoInputArgs(8),
      ...toneInputArgs(8),
      ...h264Args,
      '-c:a',
      'aac',
      '-movflags',
      '+faststart',
      'full.mp4'
    )
    const bytes = await readFile(pathOf('full.mp4'))
    await writeFile(pathOf('cut.mp4'), bytes.subarray(0, bytes.length * 0.6))
    // The last packet of the copied stream is cut off too.
    const { results, folder, outputs } = await encode('cut.mp4', {}, {}, { soundCopies: false })
    expect(results.every(result => result.damaged)).toBe(true)
    const lengths = await Promise.all(outputs.map(output => playlistDuration(folder, output)))
    expect(Math.min(...lengths)).toBeGreaterThan(3)
    expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThan(1)
  })

  test('a file whose data is noise is rejected', async () => {
    await runFfmpegIn(scratch.folder, ...videoInputArgs(3), '-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', 'good.webm')
    const bytes = await readFile(pathOf('good.webm'))
    const { found: probe, made: plan, folder } = await prepare('good.webm')
    // After the header: from the first cluster on.
    for (let i = bytes.indexOf(Buffer.from('1f43b675', 'hex')); i < bytes.length; i++) bytes[i] = (i * 7919) & 0xff
    await writeFile(pathOf('noise.webm'), bytes)
    await expect(encodeToHls(pathOf('noise.webm'), folder, plan, probe, {}).done).rejects.toMatchObject({
      code: expect.stringMatching(/^(ffmpeg_failed|nothing_decoded)$/)
    })
    await expect(probeMedia(pathOf('noise.webm'), unlimitedProbeLimits)).rejects.toMatchObject({ name: 'MediaError' })
  })

  test('a failed write is not reported as an undecodable file', async () => {
    await runFfmpegIn(scratch.folder, ...videoInputArgs(1), ...h264Args, 'short.mp4')
    const { found: probe, made: plan, folder } = await prepare('short.mp4')
    const run = encodeToHls(pathOf('short.mp4'), folder, plan, probe, {})
    // As if the disk had been full and has space again: ffmpeg does not report it, and exits with 0.
    for (const { file, playlist } of run.outputs) for (const name of [file, `${playlist}.tmp`]) symlinkSync('/dev/full', join(folder, name))
    await expect(run.done).rejects.toMatchObject({ code: 'ffmpeg_failed', message: expect.stringContaining('nothing came out') })
  })

  test('an abort stops the encode, and so does a kill before it started', async () => {
    await copyFile(pathOf('plain.mp4'), pathOf('plain2.mp4'))
    const { found: probe, made: plan, folder } = await prepare('plain2.mp4', { preset: 'veryslow', maxKeyframeInterval: 0 })
    const controller = new AbortController()
    const run = encodeToHls(pathOf('plain2.mp4'), folder, plan, probe, { signal: controller.signal, onProgress: () => controller.abort() })
    await expect(run.done).rejects.toMatchObject({ code: 'aborted' })
    // It was stopped before it was complete.
    const playlist = await readMediaPlaylist(join(folder, run.outputs[0]?.playlist ?? '')).catch(() => null)
    expect(playlist?.ended ?? false).toBe(false)
    const other = encodeToHls(pathOf('plain2.mp4'), folder, plan, probe, {})
    other.kill()
    await expect(other.done).rejects.toMatchObject({ code: 'aborted' })
  })
})
