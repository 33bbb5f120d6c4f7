import { existsSync } from 'node:fs'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { projectFolder } from '../core/config.ts'
import {
  createScratchFolder,
  encodeLadder,
  h264Args,
  probeDecodedStream,
  runFfmpegIn,
  videoInputArgs,
  type EncodedLadder
} from '../test/media-fixtures.ts'
import { testLadderSettings, unlimitedProbeLimits } from '../test/media-settings.ts'
import { joinWithTwoSampleDescriptions, renameSampleEntries, replaceDisplayMatrix, replaceEdits } from '../test/mp4-editing.ts'
import { hasOtherParameterSets } from './h264-parameter-sets.ts'
import { readMediaPlaylist } from './hls-playlist.ts'
import { writeStoryboard } from './images.ts'
import { planLadder } from './ladder.ts'
import { probeMedia } from './probe.ts'

let scratch: Awaited<ReturnType<typeof createScratchFolder>>
const pathOf = (name: string) => join(scratch.folder, name)
const AAC = ['-c:a', 'aac', '-ar', '48000']

beforeAll(async () => {
  scratch = await createScratchFolder()
  await runFfmpegIn(scratch.folder, ...videoInputArgs(6, 25, '320x180'), ...noiseInputArgs(6), ...h264Args, ...AAC, 'plain.mp4')
})
afterAll(async () => await scratch.remove())

/** Sound whose level changes all the time, so that a shift of it can be measured. */
function noiseInputArgs(seconds: number): string[] {
  return ['-f', 'lavfi', '-i', `anoisesrc=d=${seconds}:c=pink:r=48000:a=0.3,volume='0.2+0.8*abs(sin(9*t*t))':eval=frame`]
}

async function make(name: string, ...args: string[]): Promise<string> {
  await runFfmpegIn(scratch.folder, ...args, name)
  return name
}

async function edit(name: string, source: string, change: (file: Buffer) => Buffer): Promise<string> {
  await writeFile(pathOf(name), change(await readFile(pathOf(source))))
  return name
}

/** The file of this name that failed once, if it is there, else one of its kind. */
async function caseFile(name: string, makeOther: () => Promise<string>): Promise<string> {
  const path = join(projectFolder, '../shared/cases/media', name)
  if (!existsSync(path)) return await makeOther()
  await copyFile(path, pathOf(name))
  return name
}

/** Makes the ladder of a file; whatever is wrong with it is found by the checker of media. */
async function encode(name: string): Promise<EncodedLadder> {
  return await encodeLadder(scratch.folder, name, { resolutions: [144] })
}

async function frameCounts({ folder, videos }: EncodedLadder): Promise<number[]> {
  return await Promise.all(videos.map(async ({ file }) => Number((await probeDecodedStream(join(folder, file))).nb_read_frames)))
}

describe('edit lists', () => {
  const cut = async () => await make('cut-losslessly.mp4', '-ss', '1.3', '-i', 'plain.mp4', '-c', 'copy')

  test('a start that is cut off without encoding is hidden in every rendition', async () => {
    const file = await caseFile('trimmed-lossless.mp4', cut)
    const ladder = await encode(file)
    expect(ladder.plan.copyVideo).toBeNull()
    expect(ladder.probe.video).toMatchObject({ edited: true, fps: expect.closeTo(25, 5) })
  })

  test.each([
    ['a start in the middle of a group of pictures', [{ seconds: 3, from: 2.6 }]],
    [
      'a part in the middle',
      [
        { seconds: 1.5, from: 0 },
        { seconds: 2, from: 3.4 }
      ]
    ],
    [
      'two parts, and one that comes first',
      [
        { seconds: 1.2, from: 4 },
        { seconds: 0.8, from: 1 },
        { seconds: 1, from: 2.4 }
      ]
    ]
  ])('%s that is hidden', async (name, edits) => {
    const { probe, plan } = await encode(await edit(`${name}.mp4`, 'plain.mp4', file => replaceEdits(file, edits)))
    expect(plan.copyVideo).toBeNull()
    expect(plan.encode[0]).toMatchObject({ fps: expect.closeTo(25, 0) })
    expect(probe.duration).toBeCloseTo(
      edits.reduce((sum, { seconds }) => sum + seconds, 0),
      1
    )
  })

  test('an edit list that hides nothing does not keep a stream from being copied', async () => {
    expect((await encode('plain.mp4')).plan.copyVideo).not.toBeNull()
  })
})

describe('tracks that cannot be decoded', () => {
  const twoSounds = async () => {
    await make('two-sounds.mp4', '-i', 'plain.mp4', '-map', '0:v', '-map', '0:a', '-map', '0:a', '-c', 'copy')
    return await edit('second-sound.mp4', 'two-sounds.mp4', file => renameSampleEntries(file, 'mp4a', 'apac', 1))
  }

  test('one beside another of its kind is ignored', async () => {
    const { probe, audio } = await encode(await caseFile('iphone-apac.mov', twoSounds))
    expect(probe.audios).toHaveLength(1)
    expect(audio).toBeDefined()
    await twoSounds()
    expect((await encode('second-sound.mp4')).probe.audios).toHaveLength(1)
  })

  test.each([
    ['the only sound', 'mp4a', 'apac'],
    ['sound of a codec without decoder', 'mp4a', 'ac-4'],
    ['the picture', 'avc1', 'vvc1'],
    ['a picture of a codec that nobody knows', 'avc1', 'zzzz']
  ])('%s is refused at once', async (name, from, to) => {
    await edit(`${name}.mp4`, 'plain.mp4', file => renameSampleEntries(file, from, to))
    await expect(probeMedia(pathOf(`${name}.mp4`), unlimitedProbeLimits)).rejects.toMatchObject({ code: 'undecodable' })
  })

  test('an encrypted file is refused at once', async () => {
    const key = ['-encryption_key', '76a6c65c5ea762046bd749a2e632ccbb', '-encryption_kid', 'a7e61c373e219033c21091fa607bf3b8']
    await make('encrypted.mp4', '-i', 'plain.mp4', '-c', 'copy', '-encryption_scheme', 'cenc-aes-ctr', ...key)
    await expect(probeMedia(pathOf('encrypted.mp4'), unlimitedProbeLimits)).rejects.toMatchObject({ code: 'undecodable' })
  })
})

describe('pictures that start late', () => {
  const late = async (name: string, seconds: number, ...videoArgs: string[]) =>
    await make(
      name,
      ...['-itsoffset', String(seconds), ...videoInputArgs(4, 25, '320x180'), ...noiseInputArgs(seconds + 4)],
      ...(videoArgs.length > 0 ? videoArgs : h264Args),
      ...AAC
    )

  test('the time before is filled with the first one, in the same length as the sound', async () => {
    const ladder = await encode(await caseFile('picture-5s-late.mp4', async () => await late('late.mp4', 5)))
    expect(ladder.probe.duration).toBeCloseTo(9, 0)
    for (const count of await frameCounts(ladder)) expect(count).toBeCloseTo(ladder.probe.duration * 25, -1)
  })

  test.each([
    ['a little', 'little.mp4', 0.08],
    ['a second', 'second.mkv', 1],
    ['three seconds', 'three.ts', 3]
  ])('by %s', async (_, name, seconds) => {
    expect((await encode(await late(name, seconds))).probe.duration).toBeCloseTo(seconds + 4, 0)
  })

  test('with a variable frame rate', async () => {
    const thinned = ['-vf', "select='lt(n,40)+not(mod(n,7))'", '-fps_mode', 'vfr', ...h264Args]
    const { plan } = await encode(await late('late-varying.mp4', 2, ...thinned))
    expect(plan.keepsFrameTimes).toBe(false)
    // Constant, and not slower than the source where it is fastest.
    expect(plan.encode[0]!.fps).toBeCloseTo(25, 0)
  })

  test('a transport stream that starts within a group of pictures', async () => {
    const ladder = await encode(
      await caseFile('ts-starts-mid-gop.ts', async () => {
        await make('whole.ts', '-i', 'plain.mp4', '-c', 'copy')
        const bytes = await readFile(pathOf('whole.ts'))
        await writeFile(pathOf('mid.ts'), bytes.subarray(188 * Math.floor(bytes.length / 188 / 5)))
        return 'mid.ts'
      })
    )
    expect(ladder.plan.copyVideo).toBeNull()
    expect(ladder.probe.video!.start).toBeGreaterThan(0.5)
  })
})

describe('containers without a duration, or with a wrong one', () => {
  test('the sound after the last picture is kept', async () => {
    const live = async () =>
      await make(
        'live.webm',
        ...[...videoInputArgs(3, 15, '320x180'), ...noiseInputArgs(10), '-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8'],
        ...['-c:a', 'libopus', '-live', '1', '-f', 'webm']
      )
    const { probe } = await encode(await caseFile('mediarecorder-static-end.webm', live))
    expect(probe.duration).toBeCloseTo(10, 0)
    expect(probe.truncated).toBe(false)
  })

  test.each<[string, string[]]>([
    ['program.mpg', ['-c:v', 'mpeg2video', '-g', '15', '-c:a', 'mp2']],
    ['film.mp4', [...h264Args, '-c:a', 'aac']]
  ])('pictures end long before the sound in %s', async (name, codecs) => {
    const { probe } = await encode(await make(name, ...videoInputArgs(2, 25, '320x180'), ...noiseInputArgs(6), ...codecs))
    expect(probe.duration).toBeCloseTo(6, 0)
  })

  test.each<[string, string[], boolean]>([
    ['cut.mkv', [...h264Args, '-c:a', 'aac'], true],
    ['cut.avi', ['-c:v', 'mpeg4', '-c:a', 'libmp3lame'], true],
    ['cut.wmv', ['-c:v', 'wmv2', '-c:a', 'wmav2'], true],
    ['cut.mpg', ['-c:v', 'mpeg2video', '-c:a', 'mp2'], false]
  ])('%s that was cut off has the length of what is left', async (name, codecs, states) => {
    await make(`whole-${name}`, ...videoInputArgs(12, 25, '320x180'), ...noiseInputArgs(12), ...codecs)
    const bytes = await readFile(pathOf(`whole-${name}`))
    await writeFile(pathOf(name), bytes.subarray(0, bytes.length * 0.6))
    const probe = await probeMedia(pathOf(name), unlimitedProbeLimits)
    expect(probe.duration).toBeGreaterThan(5)
    expect(probe.duration).toBeLessThan(9)
    expect(probe.truncated).toBe(states)
    if (name === 'cut.mkv') await encode(name)
  })
})

describe('what changes in the middle', () => {
  const parts = async () => {
    await make('one.mp4', ...videoInputArgs(2, 25, '320x180'), ...h264Args, '-profile:v', 'baseline', '-bf', '0')
    await make(
      'other.mp4',
      ...videoInputArgs(2, 25, '320x180'),
      '-vf',
      'negate',
      ...h264Args,
      '-refs',
      '3',
      '-x264-params',
      'cabac=1:8x8dct=1'
    )
  }

  test('a stream with two sample descriptions is encoded', async () => {
    await parts()
    const joined = joinWithTwoSampleDescriptions(await readFile(pathOf('one.mp4')), await readFile(pathOf('other.mp4')))
    await writeFile(pathOf('two-descriptions.mp4'), joined)
    const ladder = await encode('two-descriptions.mp4')
    expect(ladder.probe.video?.changesParameters).toBe(true)
    expect(ladder.plan.copyVideo).toBeNull()
    expect(await frameCounts(ladder)).toEqual([100, 100])
  })

  test('parameter sets inside of a copied stream are noticed', async () => {
    await parts()
    await writeFile(pathOf('parts.txt'), 'file one.ts\nfile other.ts\n')
    for (const name of ['one', 'other']) await make(`${name}.ts`, '-i', `${name}.mp4`, '-c', 'copy')
    await make('joined-parts.ts', '-f', 'concat', '-i', 'parts.txt', '-c', 'copy')
    const { plan, folder, videos } = await encode('joined-parts.ts')
    expect(plan.copyVideo).not.toBeNull()
    expect(await Promise.all(videos.map(async ({ file }) => await hasOtherParameterSets(join(folder, file))))).toEqual([true, false])
    const plain = await encode('one.ts')
    expect(await hasOtherParameterSets(join(plain.folder, plain.videos[0]!.file))).toBe(false)
  })

  test('time that goes back in a large transport stream', async () => {
    await make('long.ts', ...videoInputArgs(410, 2, '32x32'), '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '4')
    const bytes = await readFile(pathOf('long.ts'))
    await writeFile(pathOf('long-twice.ts'), Buffer.concat([bytes, bytes]))
    const probe = await probeMedia(pathOf('long-twice.ts'), { ...unlimitedProbeLimits, fullScanBytes: 1 })
    expect(probe.duration).toBeCloseTo(820, 0)
    expect(probe.video!.jumps).toBe(true)
  })

  test('time that goes back in joined transport streams', async () => {
    await make('part.ts', ...videoInputArgs(2, 25, '320x180'), ...noiseInputArgs(2), ...h264Args, ...AAC)
    const bytes = await readFile(pathOf('part.ts'))
    await writeFile(pathOf('thrice.ts'), Buffer.concat([bytes, bytes, bytes]))
    for (const [name, seconds] of [
      [await caseFile('joined.ts', async () => 'thrice.ts'), 4],
      ['thrice.ts', 6]
    ] as const) {
      const { probe, plan } = await encode(name)
      expect(plan.copyVideo).toBeNull()
      expect(probe.video!.fps).toBeCloseTo(25, 0)
      if (name !== 'thrice.ts' || seconds === 6) expect(probe.duration).toBeCloseTo(seconds, 0)
    }
  })
})

describe('sound', () => {
  test('whose sample rate and channels change in the middle goes on at its time', async () => {
    await make('stereo.ac3', ...noiseInputArgs(3), '-ac', '2')
    await make('surround.ac3', ...noiseInputArgs(3), '-ac', '6', '-ar', '44100')
    for (const [name, ...late] of [['changing.ts'], ['late-changing.ts', '-itsoffset', '0.5']] as const) {
      await make(name, '-i', 'plain.mp4', ...late, '-i', 'concat:stereo.ac3|surround.ac3', '-map', '0:v', '-map', '1:a', '-c', 'copy')
      await encode(name)
    }
  })

  test.each([0.07, 2])('that starts %s s late is as late, and silent before', async seconds => {
    const sound = ['-itsoffset', String(seconds), ...noiseInputArgs(3)]
    await encode(await make(`late-${seconds}.mov`, ...videoInputArgs(6, 25, '320x180'), ...sound, ...h264Args, '-c:a', 'pcm_s16le'))
  })
})

describe('times that are wrong by hours', () => {
  const late = async (name: string, stream: string, hours: number) => {
    // In the container itself first: the units of the filter are those of the input.
    const plain = await make(`plain-${name}`, '-i', 'plain.mp4', '-c', 'copy')
    return await make(name, '-i', plain, '-c', 'copy', `-bsf:${stream}`, `setts=ts=if(gt(N\\,120)\\,TS+${hours * 3600}/TB\\,TS)`)
  }

  test.each([
    ['sound', 'gap.mkv', 'a', 10],
    ['sound', 'gap.mp4', 'a', 1],
    ['sound', 'gap.flv', 'a', 10],
    ['pictures', 'still.mkv', 'v', 30],
    ['pictures', 'still.mp4', 'v', 30]
  ])('%s are refused at once in %s', async (_, name, stream, hours) => {
    await late(name, stream, hours)
    await expect(probeMedia(pathOf(name), unlimitedProbeLimits)).rejects.toMatchObject({ code: 'broken_times' })
  })

  test('a picture that is shown for hours has few frames', async () => {
    const probe = await probeMedia(pathOf(await late('hours.mkv', 'v', 5)), unlimitedProbeLimits)
    expect(probe.video!.longestInterval).toBeCloseTo(18_000, 0)
    const { copyVideo, encode: renditions } = planLadder(probe, testLadderSettings)
    expect(copyVideo).toBeNull()
    for (const { fps } of renditions) expect(fps * probe.duration).toBeLessThan(100_000)
  })

  test('a gap of minutes in the sound is silent', async () => {
    await make('unmuted.mkv', ...noiseInputArgs(3), '-ac', '6', '-c:a', 'aac')
    await make('muted.mkv', '-i', 'unmuted.mkv', '-c', 'copy', '-bsf:a', 'setts=ts=if(gt(N\\,60)\\,TS+90/TB\\,TS)')
    const { probe } = await encode('muted.mkv')
    expect(probe.duration).toBeCloseTo(93, 0)
  })
})

test('of a file most of which is empty the rest is shown', async () => {
  await make('whole.mov', ...videoInputArgs(3, 25, '320x180'), '-c:v', 'mjpeg')
  const file = await edit('emptied.mov', 'whole.mov', bytes => {
    const [start, end] = [bytes.indexOf('mdat'), bytes.lastIndexOf('moov') - 4]
    return Buffer.from(bytes).fill(0, start + Math.round((end - start) / 5), end)
  })
  const { results, probe, folder } = await encodeLadder(scratch.folder, file, { resolutions: [144] }, {}, { sameLength: false })
  expect(results[0]).toMatchObject({ damaged: true, decodeErrors: true, seconds: expect.closeTo(0.6, 0) })
  expect(await writeStoryboard(pathOf(file), probe, join(folder, 'storyboard.jpg'))).not.toBeNull()
})

test('a cover that is stored as the first video track is not the video', async () => {
  await make('cover.jpg', ...videoInputArgs(1, 25, '640x360'), '-frames:v', '1')
  const maps = ['-map', '0', '-map', '1', '-c', 'copy', '-disposition:v', '0']
  const { probe } = await encode(await make('cover-first.mp4', '-i', 'cover.jpg', '-i', 'plain.mp4', ...maps))
  expect(probe.video).toMatchObject({ codec: 'h264', height: 180 })
})

test('audio files of any length have a picture of the same length', async () => {
  for (const seconds of [0.3, 3.2, 3.8]) {
    const { folder, videos, probe } = await encode(await make(`${seconds}.flac`, ...noiseInputArgs(seconds)))
    const { segments } = await readMediaPlaylist(join(folder, videos[0]!.playlist))
    expect(segments.reduce((sum, { duration }) => sum + duration, 0)).toBeCloseTo(probe.duration, 2)
  }
})

test('frames that a screen recorder dropped are not missing', async () => {
  const dropped = ['-vf', 'select=lt(n\\,25)+not(mod(n\\,5))', '-fps_mode', 'vfr', '-c:v', 'mpeg4']
  const { results } = await encode(await make('dropped.avi', ...videoInputArgs(4, 25, '320x180'), ...dropped))
  expect(results[0]!.damaged).toBe(false)
})

describe('variable frame rate', () => {
  test('segments have the length of their frames, and the last frame is shown as long as in the source', async () => {
    const held = "setts=duration='if(gt(NEXT_DTS,DTS),NEXT_DTS-DTS,30720)'"
    const thinned = ['-vf', "select='lt(n,40)+not(mod(n,9))'", '-fps_mode', 'vfr']
    for (const [name, codec] of [
      ['varying.mp4', [...h264Args, '-bf', '0']],
      ['varying.mkv', ['-c:v', 'mpeg4']]
    ] as const) {
      const ladder = await encode(await make(name, ...videoInputArgs(6, 25, '320x180'), ...thinned, ...codec))
      expect(ladder.plan.keepsFrameTimes).toBe(true)
      for (const output of ladder.outputs) {
        const { segments } = await readMediaPlaylist(join(ladder.folder, output.playlist))
        expect(segments.reduce((sum, { duration }) => sum + duration, 0)).toBeCloseTo(ladder.probe.duration, 1)
      }
    }
    // The last frame is held for more than a second.
    const codecs = ['-c:v', 'mpeg4', '-bsf:v', held]
    const long = await encode(await make('held.mp4', ...videoInputArgs(4, 25, '320x180'), ...thinned, ...codecs))
    expect(long.probe.duration).toBeGreaterThan(5)
    expect(long.plan.encode[0]!.fps).toBeCloseTo(25, 0)
  })

  test('slides that are shown for long have segments of the usual length', async () => {
    await make('slides.mkv', '-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=1/12:d=48', '-c:v', 'mpeg4')
    const { folder, videos, probe } = await encode('slides.mkv')
    expect(probe.duration).toBeCloseTo(48, 0)
    for (const { playlist } of videos)
      for (const { duration } of (await readMediaPlaylist(join(folder, playlist))).segments) expect(duration).toBeLessThan(3)
  })
})

test.each<[string, [number, number, number, number]]>([
  ['mirrored', [-1, 0, 0, 1]],
  ['turned by 90 degrees', [0, 1, -1, 0]],
  ['mirrored at the diagonal', [0, 1, 1, 0]]
])('a picture that is to be shown %s is encoded so', async (name, matrix) => {
  await make('upright.mp4', ...videoInputArgs(1, 25, '320x180'), ...h264Args)
  const { plan } = await encode(await edit(`${name}.mp4`, 'upright.mp4', file => replaceDisplayMatrix(file, matrix)))
  expect(plan.copyVideo).toBeNull()
})

test('a mirrored video that failed once', async () => {
  const { plan } = await encode(
    await caseFile('vflip.mp4', async () => await edit('flipped.mp4', 'plain.mp4', file => replaceDisplayMatrix(file, [1, 0, 0, -1])))
  )
  expect(plan.copyVideo).toBeNull()
})

describe('colors', () => {
  const bars = (size: string) => ['-f', 'lavfi', '-i', `smptehdbars=s=${size}:r=25:d=1`]
  const lossless = ['-c:v', 'ffv1']
  const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '4']

  // The checker compares each rendition with the source: the mean difference of each channel is at most 3 of 255.
  test.each<[string, string, string[]]>([
    ['RGB', 'rgb.mov', [...bars('640x360'), '-pix_fmt', 'rgb24', '-c:v', 'qtrle']],
    ['H.264 of RGB', 'gbr.mp4', [...bars('640x360'), '-c:v', 'libx264rgb', '-preset', 'ultrafast']],
    ['a palette', 'palette.gif', [...bars('320x180'), '-t', '0.4']],
    ['Motion JPEG', 'jpeg.avi', [...bars('640x360'), '-pix_fmt', 'yuvj422p', '-c:v', 'mjpeg', '-q:v', '2']],
    ['HD without tags', 'untagged.mp4', [...bars('1280x720'), '-vf', 'scale=out_color_matrix=bt709,format=yuv444p', '-t', '0.4', ...h264]],
    [
      'HD with the matrix of SD',
      'hd601.mkv',
      [...bars('1280x720'), '-vf', 'scale=out_color_matrix=bt601,setparams=colorspace=smpte170m,format=yuv422p', '-t', '0.4', ...lossless]
    ],
    [
      'SD with the matrix of HD in full range',
      'full709.mp4',
      [...bars('640x360'), '-vf', 'scale=out_color_matrix=bt709:out_range=full,format=yuv444p,setparams=colorspace=bt709:range=pc', ...h264]
    ],
    [
      'wide gamut without high dynamic range',
      'wide.mkv',
      [
        ...bars('640x360'),
        '-vf',
        'scale=out_color_matrix=bt2020,setparams=colorspace=bt2020nc:color_primaries=bt2020:color_trc=bt2020-10,format=yuv420p10',
        ...lossless
      ]
    ]
  ])('%s looks like the source in every rendition', async (_, name, args) => {
    const { plan, videos, folder } = await encode(await make(name, ...args))
    expect(plan.copyVideo).toBeNull()
    for (const { file } of videos)
      expect(await probeDecodedStream(join(folder, file))).toMatchObject({
        color_range: 'tv',
        color_space: expect.stringMatching(/^(bt709|smpte170m|bt470bg|bt2020nc)$/),
        color_transfer: expect.not.stringMatching('unknown'),
        color_primaries: expect.not.stringMatching('unknown')
      })
  })

  test('an untagged copy that browsers would take for SD is tagged', async () => {
    await make('flat.mp4', ...bars('1280x640'), '-vf', 'scale=out_color_matrix=bt709,format=yuv420p', '-t', '0.4', ...h264, '-g', '10')
    const { plan, videos, folder } = await encode('flat.mp4')
    expect(plan.copyVideo).not.toBeNull()
    expect(await probeDecodedStream(join(folder, videos[0]!.file))).toMatchObject({ color_space: 'bt709', color_primaries: 'bt709' })
  })

  test.each(['rgb-flat-720.mov', 'untagged709-720.mp4'])('a video whose colors were wrong once: %s', async name => {
    const other = async () =>
      await make('flat-red.mov', '-f', 'lavfi', '-i', 'color=red:s=1280x720:d=0.2', '-pix_fmt', 'rgb24', '-c:v', 'qtrle')
    await encode(await caseFile(name, other))
  })
})
