import { symlinkSync } from 'node:fs'
import { copyFile, mkdtemp, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  probeDecodedStream,
  h264Args,
  testLadderSettings,
  encodeLadder,
  runFfmpegIn,
  probePacketTimes,
  videoInputArgs,
  decodeToRaw,
  createScratchFolder,
  toneInputArgs,
  unlimitedProbeLimits
} from '../test/media-fixtures.ts'
import { encodeToHls, newHlsFilenames, type HlsOptions, type HlsOutput } from './hls.ts'
import { renditionBitrateCap, planLadder, type LadderSettings } from './ladder.ts'
import { readMediaPlaylist } from './hls-playlist.ts'
import { probeMedia } from './probe.ts'

let place: Awaited<ReturnType<typeof createScratchFolder>>
const at = (name: string) => join(place.folder, name)

beforeAll(async () => {
  place = await createScratchFolder()
  await runFfmpegIn(place.folder, ...videoInputArgs(5), ...toneInputArgs(5), ...h264Args, '-c:a', 'aac', 'plain.mp4')
})
afterAll(() => place.remove())

async function ready(name: string, change: Partial<LadderSettings> = {}) {
  const found = await probeMedia(at(name), unlimitedProbeLimits)
  return { found, made: planLadder(found, { ...testLadderSettings, ...change }), folder: await mkdtemp(at('out ')) }
}

const whole = async (name: string, change: Partial<LadderSettings> = {}, options: HlsOptions = {}) =>
  await encodeLadder(place.folder, name, change, options)

async function lengthOf(folder: string, output: HlsOutput | undefined): Promise<number> {
  const list = await readMediaPlaylist(join(folder, output?.playlist ?? ''))
  expect(list.ended).toBe(true)
  return list.segments.reduce((sum, segment) => sum + segment.duration, 0)
}

async function times(file: string): Promise<number[]> {
  return (await probePacketTimes(file)).sort((a, b) => a - b)
}

async function frames(folder: string, videos: HlsOutput[]): Promise<number[]> {
  return await Promise.all(videos.map(async output => Number((await probeDecodedStream(join(folder, output.file))).nb_read_frames)))
}

test('names follow the pattern and never come twice', () => {
  const { playlist, file } = newHlsFilenames(720)
  expect(playlist).toMatch(/^[0-9a-f-]{36}-720\.m3u8$/)
  expect(file).toBe(playlist.replace('.m3u8', '-fragmented.mp4'))
  expect(newHlsFilenames(720).file).not.toBe(file)
})

test('the source is copied, the lower rungs are encoded once, the sound is shared', async () => {
  const { made, folder, videos, audio, results } = await whole('plain.mp4')
  expect(made.copyVideo?.resolution).toBe(240)
  expect(videos.map(output => output.resolution)).toEqual([240, 144])
  expect(await frames(folder, videos)).toEqual([125, 125])
  for (const output of [...videos, audio]) expect(await lengthOf(folder, output)).toBeCloseTo(5, 1)
  expect(results.map(result => result.damaged)).toEqual([false, false])
  // Not one bit of the picture was changed.
  const picture = ['-map', '0:v', '-f', 'rawvideo', '-pix_fmt', 'yuv420p']
  expect((await decodeToRaw(join(folder, videos[0]?.file ?? ''), ...picture)).equals(await decodeToRaw(at('plain.mp4'), ...picture))).toBe(
    true
  )
  for (const output of videos) expect(await probeDecodedStream(join(folder, output.file), 'a:0')).toEqual({})
})

test('segments of all encoded rungs lie on one grid, each begins with a keyframe and they cover the file', async () => {
  await runFfmpegIn(
    place.folder,
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
  const { folder, outputs, videos } = await whole('other.mkv')
  expect(videos.map(output => output.resolution)).toEqual([360, 240, 144])
  expect(await frames(folder, videos)).toEqual([210, 210, 210])
  const times = await Promise.all(
    videos.map(async output => (await readMediaPlaylist(join(folder, output.playlist))).segments.map(segment => segment.duration))
  )
  expect(times).toEqual([
    [2, 2, 2, 1],
    [2, 2, 2, 1],
    [2, 2, 2, 1]
  ])
  for (const output of outputs) {
    const list = await readMediaPlaylist(join(folder, output.playlist))
    const bytes = await readFile(join(folder, output.file))
    expect(list.segments.every(segment => segment.uri === output.file)).toBe(true)
    expect(list.init).toMatchObject({ uri: output.file, byterange: { offset: 0 } })
    const last = list.segments.at(-1)?.byterange
    expect((last?.offset ?? 0) + (last?.length ?? 0)).toBe(bytes.length)
    for (const { byterange } of list.segments) {
      const box = bytes.subarray((byterange?.offset ?? 0) + 4, (byterange?.offset ?? 0) + 8).toString('latin1')
      expect(['moof', 'styp', 'sidx']).toContain(box)
      if (output.kind === 'video' && byterange && list.init?.byterange) {
        await writeFile(
          join(folder, 'alone.mp4'),
          Buffer.concat([
            bytes.subarray(0, list.init.byterange.length),
            bytes.subarray(byterange.offset, byterange.offset + byterange.length)
          ])
        )
        expect(Number((await probeDecodedStream(join(folder, 'alone.mp4'))).nb_read_frames)).toBeGreaterThanOrEqual(30)
      }
    }
  }
})

test('no rung of a film that is hard to encode has more bits than its share of the source', async () => {
  await runFfmpegIn(
    place.folder,
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
  const { found, folder, videos } = await whole('hard.mp4', { preset: 'veryfast' })
  expect(videos.map(output => output.resolution)).toEqual([360, 240, 144])
  for (const { file, resolution } of videos)
    expect(((await stat(join(folder, file))).size * 8) / found.duration).toBeLessThanOrEqual(renditionBitrateCap(found.video!, resolution))
})

describe('smaller rungs that go before the others', () => {
  const spareMemory = 1024 ** 3

  test('have their first segment, with the sound, before the others have any', async () => {
    await runFfmpegIn(
      place.folder,
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
    const { found, made, folder } = await ready('large.mkv', { preset: 'veryfast', resolutions: [144, 360, 720] })
    const run = encodeToHls(at('large.mkv'), folder, made, found, { spareMemory })
    expect(run.outputs.map(({ resolution }) => resolution)).toEqual([720, 360, 144, 0])
    expect(run.groups.map(group => group.map(({ resolution }) => resolution))).toEqual([[360, 144, 0], [720]])
    const begun = async (group: HlsOutput[]) =>
      await Promise.all(
        group.map(
          async ({ playlist }) =>
            await readMediaPlaylist(join(folder, playlist)).then(
              list => list.segments.length > 0,
              () => false
            )
        )
      )
    await expect.poll(async () => await begun(run.groups[0]!), { interval: 10, timeout: 20_000 }).toEqual([true, true, true])
    expect(await begun(run.groups[1]!)).toEqual([false])
    await run.done
    expect(
      await frames(
        folder,
        run.outputs.filter(({ kind }) => kind === 'video')
      )
    ).toEqual([120, 120, 120])
  })

  test.each([
    ['a film', 'held.mkv', [...videoInputArgs(7, 30, '640x360'), ...toneInputArgs(7), '-c:v', 'mpeg4', '-c:a', 'flac'], {}],
    [
      'a film shorter than the wait',
      'brief.mkv',
      [...videoInputArgs(1, 25, '640x360'), ...toneInputArgs(1), '-c:v', 'mpeg4', '-c:a', 'flac'],
      {}
    ],
    [
      'a film with sound in every rendition',
      'inside.mkv',
      [...videoInputArgs(5, 25, '640x360'), ...toneInputArgs(5), '-c:v', 'mpeg4', '-c:a', 'flac'],
      { splitAudio: false, resolutions: [0, 144, 240] }
    ],
    [
      'a film whose frame rate is cut',
      'swift.mkv',
      [...videoInputArgs(5, 50, '640x360'), ...toneInputArgs(5), '-c:v', 'mpeg4', '-c:a', 'flac'],
      { maxFps: 25 }
    ],
    [
      'a film whose first second has more pictures than there is room for',
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
      'a film with uneven pictures that begins late',
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
  ])('%s comes out as without', async (_, name, source, change) => {
    await runFfmpegIn(place.folder, ...source, name)
    const [held, plain] = [await whole(name, change, { spareMemory }), await whole(name, change)]
    expect(held.made.copyVideo).toBeNull()
    expect(held.results.map(({ seconds, damaged }) => ({ seconds, damaged }))).toEqual(
      plain.results.map(({ seconds, damaged }) => ({ seconds, damaged }))
    )
    expect(held.outputs.map(({ kind, resolution }) => [kind, resolution])).toEqual(
      plain.outputs.map(({ kind, resolution }) => [kind, resolution])
    )
    for (const [i, output] of held.outputs.entries()) {
      const [one, other] = [join(held.folder, output.playlist), join(plain.folder, plain.outputs[i]!.playlist)]
      const shape = async (path: string) =>
        (await readMediaPlaylist(path)).segments.map(({ duration, byterange }) => ({ duration, byterange }))
      expect(await shape(one)).toEqual(await shape(other))
      const bytes = await Promise.all(
        [join(held.folder, output.file), join(plain.folder, plain.outputs[i]!.file)].map(async path => await readFile(path))
      )
      expect(bytes[0]!.equals(bytes[1]!)).toBe(true)
    }
  })
})

test.each([[0], [1024 ** 3]])(
  'pictures that change their size in the middle, as in recordings of calls, are all there (%i bytes to spare)',
  async spareMemory => {
    const vp8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8']
    await runFfmpegIn(place.folder, ...videoInputArgs(1, 30, '426x240'), ...vp8, 'small.webm')
    await runFfmpegIn(place.folder, ...videoInputArgs(3, 30, '640x360'), ...vp8, 'larger.webm')
    await writeFile(at('parts.txt'), 'file small.webm\nfile larger.webm\n')
    await runFfmpegIn(place.folder, '-f', 'concat', '-i', at('parts.txt'), '-c', 'copy', 'call.webm')
    const { folder, videos, results } = await whole('call.webm', {}, { spareMemory })
    expect(videos.map(({ resolution }) => resolution)).toEqual([240, 144])
    expect(results).toMatchObject([{ damaged: false }])
    for (const { file } of videos)
      expect(await times(join(folder, file))).toEqual(Array.from({ length: 120 }, (_, n) => expect.closeTo(n / 30, 2)))
  }
)

test('what is there can be played while the rest is still being encoded', async () => {
  await runFfmpegIn(place.folder, ...videoInputArgs(16, 25, '640x360'), ...toneInputArgs(16), '-c:v', 'mpeg4', '-c:a', 'mp3', 'long.mkv')
  const { found, made, folder } = await ready('long.mkv', { resolutions: [144], preset: 'veryfast' })
  const seen: number[] = []
  const run = encodeToHls(at('long.mkv'), folder, made, found, { onProgress: progress => seen.push(progress.percent) })
  const output = run.outputs[0]
  const counts = new Set<number>()
  let finished = false
  let played = -1
  run.done.finally(() => (finished = true)).catch(() => {})
  while (!finished) {
    const list = await readMediaPlaylist(join(folder, output?.playlist ?? '')).catch(() => null)
    if (list && !list.ended && list.segments.length > 0) {
      counts.add(list.segments.length)
      if (played < 0) {
        const last = list.segments.at(-1)?.byterange
        const bytes = (await readFile(join(folder, output?.file ?? ''))).subarray(0, (last?.offset ?? 0) + (last?.length ?? 0))
        await writeFile(join(folder, 'so-far.mp4'), bytes)
        played = Number((await probeDecodedStream(join(folder, 'so-far.mp4'))).nb_read_frames) - list.segments.length * 50
      }
    }
    await new Promise(resolve => setTimeout(resolve, 25))
  }
  await run.done
  expect(counts.size).toBeGreaterThan(2)
  expect(played).toBe(0)
  expect(await lengthOf(folder, output)).toBeCloseTo(16, 1)
  expect(seen.length).toBeGreaterThan(1)
  expect(seen).toEqual([...seen].sort((a, b) => a - b))
  expect(seen.at(-1)).toBe(100)
})

test('sound muxed into every rendition, and alone where asked for', async () => {
  const { folder, videos, audio } = await whole('plain.mp4', { splitAudio: false, resolutions: [0, 144] })
  expect(videos.map(output => output.resolution)).toEqual([240, 144])
  for (const output of videos) expect(await probeDecodedStream(join(folder, output.file), 'a:0')).toMatchObject({ codec_name: 'aac' })
  expect(await frames(folder, videos)).toEqual([125, 125])
  expect(await probeDecodedStream(join(folder, audio?.file ?? ''), 'a:0')).toMatchObject({ codec_name: 'aac' })
  expect(await lengthOf(folder, audio)).toBeCloseTo(5, 1)
})

describe('sources of every kind', () => {
  test('a turned phone picture comes out upright', async () => {
    await runFfmpegIn(place.folder, '-i', 'plain.mp4', '-c', 'copy', '-metadata:s:v:0', 'rotate=90', 'turned.mp4')
    const { folder, videos } = await whole('turned.mp4')
    const shown = await Promise.all(videos.map(output => probeDecodedStream(join(folder, output.file))))
    expect(shown.map(stream => [stream.width, stream.height])).toEqual([
      [240, 320],
      [144, 192]
    ])
    expect(shown.every(stream => !('side_data_list' in stream))).toBe(true)
    expect(await frames(folder, videos)).toEqual([125, 125])
  })

  test('frame times that vary are kept, frame for frame', async () => {
    await runFfmpegIn(
      place.folder,
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
    const expected = Number((await probeDecodedStream(at('varying.mkv'))).nb_read_frames)
    const { folder, videos, made } = await whole('varying.mkv')
    expect(made.keepsFrameTimes).toBe(true)
    expect(await frames(folder, videos)).toEqual([expected, expected])
    expect(Math.abs((await lengthOf(folder, videos[0])) - 6)).toBeLessThan(0.1)
    const [before, after] = await Promise.all([at('varying.mkv'), join(folder, videos[0]?.file ?? '')].map(times))
    expect(after?.map((time, i) => Math.abs(time - (before?.[i] ?? 0) - (after[0] ?? 0)) < 0.002)).toEqual(before?.map(() => true))
  })

  test('frame times that vary are kept by a copy too', async () => {
    await runFfmpegIn(
      place.folder,
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
    const { folder, videos, made } = await whole('varying.mp4', { resolutions: [] })
    expect(made.copyVideo).not.toBeNull()
    const [before, after] = await Promise.all([at('varying.mp4'), join(folder, videos[0]?.file ?? '')].map(times))
    expect(after?.map((time, i) => Math.abs(time - (before?.[i] ?? 0) - (after[0] ?? 0)) < 0.002)).toEqual(before?.map(() => true))
  })

  test('too many frames a second are cut to the cap', async () => {
    await runFfmpegIn(place.folder, ...videoInputArgs(2, 120), ...h264Args, 'fast.mp4')
    const { folder, videos } = await whole('fast.mp4', { maxFps: 60, resolutions: [] })
    expect(await frames(folder, videos)).toEqual([120])
  })

  test('ten bits, odd sizes, oblong pixels and fields become what every player knows', async () => {
    await runFfmpegIn(
      place.folder,
      ...videoInputArgs(2, 25, '321x241'),
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-pix_fmt',
      'yuv444p10le',
      'deep.mkv'
    )
    await runFfmpegIn(place.folder, ...videoInputArgs(2), '-vf', 'setsar=4/3', ...h264Args, 'oblong.mp4')
    await runFfmpegIn(
      place.folder,
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
      const { folder, videos } = await whole(name, { resolutions: [] })
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

  test('a high dynamic range picture is mapped to an ordinary one', async () => {
    await runFfmpegIn(
      place.folder,
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
    const { folder, videos } = await whole('hdr.mp4', { resolutions: [] })
    const file = join(folder, videos[0]?.file ?? '')
    expect(await probeDecodedStream(file)).toMatchObject({
      pix_fmt: 'yuv420p',
      color_transfer: 'bt709',
      color_primaries: 'bt709',
      color_space: 'bt709',
      nb_read_frames: '50'
    })
    const luma = (await decodeToRaw(file, '-f', 'rawvideo', '-pix_fmt', 'gray')).subarray(0, 320 * 240)
    const flat = (await decodeToRaw(at('hdr.mp4'), '-f', 'rawvideo', '-pix_fmt', 'gray')).subarray(0, 320 * 240)
    expect(luma.equals(flat)).toBe(false)
  })

  test('silent ones have no sound rendition', async () => {
    await runFfmpegIn(place.folder, ...videoInputArgs(2), ...h264Args, 'silent.mp4')
    const { outputs, folder, videos } = await whole('silent.mp4')
    expect(outputs.map(output => output.kind)).toEqual(['video', 'video'])
    expect(await frames(folder, videos)).toEqual([50, 50])
  })

  test('one single frame', async () => {
    await runFfmpegIn(place.folder, ...videoInputArgs(1), ...h264Args, '-frames:v', '1', 'one.mp4')
    const { folder, videos } = await whole('one.mp4')
    expect(await frames(folder, videos)).toEqual([1, 1])
    await lengthOf(folder, videos[0])
  })

  test('a single frame under a long sound stays on the screen', async () => {
    await runFfmpegIn(
      place.folder,
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
    const { folder, videos, audio } = await whole('still.mp4', { resolutions: [] })
    expect(await lengthOf(folder, videos[0])).toBeCloseTo(6, 0)
    expect(await lengthOf(folder, audio)).toBeCloseTo(6, 0)
  })

  test('sound that ends early goes on in silence, so that nothing waits for it', async () => {
    await runFfmpegIn(place.folder, ...videoInputArgs(8), ...toneInputArgs(3), ...h264Args, '-c:a', 'aac', 'early.mp4')
    const { folder, audio } = await whole('early.mp4', { resolutions: [] })
    expect(await lengthOf(folder, audio)).toBeCloseTo(8, 1)
  })

  test('sound alone, bare and with a cover, gets a picture that every client can play', async () => {
    await runFfmpegIn(place.folder, ...toneInputArgs(5), '-c:a', 'libmp3lame', 'sound.mp3')
    await runFfmpegIn(place.folder, '-f', 'lavfi', '-i', 'color=red:s=201x199:d=1', '-frames:v', '1', 'cover.png')
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
    for (const [name, red] of [
      ['sound.mp3', false],
      ['cover.mp3', true]
    ] as const) {
      const { folder, videos, audio } = await whole(name)
      const file = join(folder, videos[0]?.file ?? '')
      const stream = await probeDecodedStream(file)
      expect(stream, name).toMatchObject({ width: 640, height: 360, pix_fmt: 'yuv420p' })
      expect(Number(stream.level)).toBeLessThan(40)
      expect(await lengthOf(folder, videos[0])).toBeCloseTo(5, 0)
      expect(await lengthOf(folder, audio)).toBeCloseTo(5, 0)
      const pixels = await decodeToRaw(file, '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24')
      const middle = pixels.subarray((180 * 640 + 320) * 3, (180 * 640 + 320) * 3 + 3)
      expect((middle[0] ?? 0) > 150 && (middle[1] ?? 0) < 60).toBe(red)
    }
  })

  test('streams that are neither picture nor sound are left out', async () => {
    await writeFile(at('words.srt'), '1\n00:00:00,000 --> 00:00:01,000\nHello\n')
    await runFfmpegIn(
      place.folder,
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
    const { folder, videos, audio } = await whole('many.mkv')
    expect(await frames(folder, videos)).toEqual([125, 125])
    expect(await lengthOf(folder, audio)).toBeCloseTo(5, 0)
  })

  test('transport streams, whose clock starts anywhere, start at nought', async () => {
    await runFfmpegIn(place.folder, '-i', 'plain.mp4', '-c', 'copy', '-output_ts_offset', '1000', 'clock.ts')
    const { folder, videos, audio, made } = await whole('clock.ts')
    expect(made.audios).toMatchObject([{ copy: true }])
    expect((await frames(folder, videos)).every(count => count >= 124)).toBe(true)
    for (const output of [...videos, audio]) expect(await lengthOf(folder, output)).toBeCloseTo(5, 0)
  })
})

describe('picture and sound stay together', () => {
  const flash = ['-f', 'lavfi', '-i', "color=black:s=320x240:r=25:d=5,drawbox=color=white:t=fill:enable='between(t,1.99,2.19)'"]
  const click = ['-f', 'lavfi', '-i', "aevalsrc='if(between(t,2,2.2),0.8*sin(2*PI*1000*t),0)':d=5:s=44100"]

  async function drift(folder: string, video: HlsOutput | undefined, audio: HlsOutput | undefined): Promise<number> {
    // Counted from the first picture and the first sample, as players do that know no edit lists.
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
    const bright = pixels.findIndex((value, i) => i % 4 === 0 && value > 128) / 4 / 25
    const samples = await decodeToRaw(join(folder, audio?.file ?? ''), '-map', '0:a', '-ac', '1', '-ar', '44100', '-f', 's16le')
    let loud = 0
    while (loud * 2 < samples.length - 1 && Math.abs(samples.readInt16LE(loud * 2)) < 5000) loud++
    expect(bright).toBeGreaterThan(1)
    return Math.abs(bright - loud / 44_100)
  }

  test('where both are copied, and where both are encoded', async () => {
    await runFfmpegIn(
      place.folder,
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
      place.folder,
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
    await runFfmpegIn(place.folder, '-i', 'flash.mp4', '-c', 'copy', 'flash.ts')
    for (const name of ['flash.mp4', 'flash.webm', 'flash.ts']) {
      const { folder, videos, audio } = await whole(name, { resolutions: [144] })
      for (const video of videos) expect(await drift(folder, video, audio), `${name} ${video.resolution}`).toBeLessThan(0.045)
    }
  })

  test('where the sound comes in late', async () => {
    await runFfmpegIn(
      place.folder,
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
    const { folder, videos, audio, made } = await whole('late.mkv', { resolutions: [] })
    expect(made).toMatchObject({ audios: [{ copy: false }], copyVideo: { resolution: 240 } })
    expect(await drift(folder, videos[0], audio)).toBeLessThan(0.045)
  })
})

describe('damage', () => {
  test('a file cut off gives what can be read and says so', async () => {
    await runFfmpegIn(
      place.folder,
      ...videoInputArgs(8),
      ...toneInputArgs(8),
      ...h264Args,
      '-c:a',
      'aac',
      '-movflags',
      '+faststart',
      'full.mp4'
    )
    const bytes = await readFile(at('full.mp4'))
    await writeFile(at('cut.mp4'), bytes.subarray(0, bytes.length * 0.6))
    const { results, folder, outputs } = await whole('cut.mp4')
    expect(results.every(result => result.damaged)).toBe(true)
    const lengths = await Promise.all(outputs.map(output => lengthOf(folder, output)))
    expect(Math.min(...lengths)).toBeGreaterThan(3)
    expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThan(1)
  })

  test('a file whose data is noise is an error', async () => {
    await runFfmpegIn(place.folder, ...videoInputArgs(3), '-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', 'good.webm')
    const bytes = await readFile(at('good.webm'))
    const { found, made, folder } = await ready('good.webm')
    // Behind the head: from the first cluster on.
    for (let i = bytes.indexOf(Buffer.from('1f43b675', 'hex')); i < bytes.length; i++) bytes[i] = (i * 7919) & 0xff
    await writeFile(at('noise.webm'), bytes)
    await expect(encodeToHls(at('noise.webm'), folder, made, found, {}).done).rejects.toMatchObject({
      code: expect.stringMatching(/^(ffmpeg_failed|nothing_decoded)$/)
    })
    await expect(probeMedia(at('noise.webm'), unlimitedProbeLimits)).rejects.toMatchObject({ name: 'MediaError' })
  })

  test('what was encoded and could not be written is no fault of the file', async () => {
    await runFfmpegIn(place.folder, ...videoInputArgs(1), ...h264Args, 'short.mp4')
    const { found, made, folder } = await ready('short.mp4')
    const run = encodeToHls(at('short.mp4'), folder, made, found, {})
    // As if the disk had been full and had space again: ffmpeg says nothing of it, and ends with 0.
    for (const { file, playlist } of run.outputs) for (const name of [file, `${playlist}.tmp`]) symlinkSync('/dev/full', join(folder, name))
    await expect(run.done).rejects.toMatchObject({ code: 'ffmpeg_failed', message: expect.stringContaining('nothing came out') })
  })

  test('an abort stops the encode, and a kill before it began too', async () => {
    await copyFile(at('plain.mp4'), at('plain2.mp4'))
    const { found, made, folder } = await ready('plain2.mp4', { preset: 'veryslow', maxKeyframeInterval: 0 })
    const controller = new AbortController()
    const run = encodeToHls(at('plain2.mp4'), folder, made, found, { signal: controller.signal, onProgress: () => controller.abort() })
    await expect(run.done).rejects.toMatchObject({ code: 'aborted' })
    // It was stopped, not waited for.
    const list = await readMediaPlaylist(join(folder, run.outputs[0]?.playlist ?? '')).catch(() => null)
    expect(list?.ended ?? false).toBe(false)
    const other = encodeToHls(at('plain2.mp4'), folder, made, found, {})
    other.kill()
    await expect(other.done).rejects.toMatchObject({ code: 'aborted' })
  })
})
