import { mkdir, mkdtemp, readdir, rename, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chunkFilename, splitIntoChunks, encodeChunk, removeChunkFiles, reasonNotToSplit } from './chunk-encoder.ts'
import {
  probeDecodedStream,
  probeDecodedStreamWithTimes,
  h264Args,
  runFfmpegIn,
  probePacketTimes,
  videoInputArgs,
  decodeToRaw,
  createScratchFolder,
  toneInputArgs
} from '../test/media-fixtures.ts'
import { testLadderSettings, unlimitedProbeLimits } from '../test/media-settings.ts'
import { encodeToHls, newHlsFilenames, audioToHls } from './hls.ts'
import { ChunkJoiner, ChunkJoinError } from './chunk-joiner.ts'
import { planLadder, type LadderSettings, type TranscodingPlan } from './ladder.ts'
import { readMediaPlaylist, type HlsOutput } from './hls-playlist.ts'
import { probeMedia, type Probe } from './probe.ts'
import { readMp4Tracks } from './mp4-samples.ts'

let scratch: Awaited<ReturnType<typeof createScratchFolder>>
beforeAll(async () => {
  scratch = await createScratchFolder()
})
afterAll(async () => await scratch.remove())

const settings: LadderSettings = { ...testLadderSettings, resolutions: [144], maxCopyBitrate: 1 }
type Source = { file: string; probe: Probe; plan: TranscodingPlan }

async function makeSource(name: string, ...args: string[]): Promise<Source> {
  await runFfmpegIn(scratch.folder, ...args, name)
  const file = join(scratch.folder, name)
  const probe = await probeMedia(file, unlimitedProbeLimits)
  return { file, probe, plan: planLadder(probe, settings) }
}

/** Encodes a source in one pass and in chunks of `length` seconds, and joins the chunks. */
async function encodeBothWays(
  { file, probe, plan }: Source,
  length = 4
): Promise<{ folder: string; onePass: HlsOutput[]; joined: HlsOutput[]; chunks: string }> {
  const folder = await mkdtemp(join(scratch.folder, 'out '))
  const chunks = join(folder, 'chunks')
  await mkdir(chunks)
  const onePassRun = encodeToHls(file, folder, plan, probe, { withAudio: false })
  await onePassRun.done
  const ranges = splitIntoChunks(probe.duration, length, 2)
  // In reverse order: a chunk does not depend on the others.
  for (const [number, range] of [...ranges.entries()].reverse())
    await encodeChunk(file, chunks, { stem: `${number}`, ...range }, plan, probe, {}).done
  const joined = plan.encode.map<HlsOutput>(({ resolution }) => ({ kind: 'video', resolution, ...newHlsFilenames(resolution) }))
  for (const output of joined) {
    const joiner = new ChunkJoiner(folder, output, { segmentSeconds: 2, fps: probe.video!.fps })
    for (const number of ranges.keys()) await joiner.append(join(chunks, chunkFilename(`${number}`, output.resolution)))
    await joiner.finish()
  }
  return { folder, onePass: onePassRun.outputs, joined, chunks }
}

/** The presentation times of the frames, sorted. */
const presentationTimes = async (file: string): Promise<number[]> => (await probePacketTimes(file)).sort((a, b) => a - b)

async function expectSameAsOnePass(source: Source, length?: number): Promise<void> {
  const { folder, onePass, joined } = await encodeBothWays(source, length)
  const times = await presentationTimes(source.file)
  const sourceTimes = times.map((time, number) => (number === 0 ? 0 : time - times[0]! + source.probe.video!.start))
  for (const [index, output] of joined.entries()) {
    const [joinedPlaylist, onePassPlaylist] = [join(folder, output.playlist), join(folder, onePass[index]!.playlist)]
    const [{ stream, times: joinedTimes }, { stream: onePassStream, times: onePassTimes }] = [
      await probeDecodedStreamWithTimes(joinedPlaylist),
      await probeDecodedStreamWithTimes(onePassPlaylist)
    ]
    for (const times of [joinedTimes, onePassTimes]) times.sort((a, b) => a - b)
    expect(stream.nb_read_frames).toBe(onePassStream.nb_read_frames)
    expect([stream.width, stream.height, stream.profile, stream.level, stream.r_frame_rate]).toEqual([
      onePassStream.width,
      onePassStream.height,
      onePassStream.profile,
      onePassStream.level,
      onePassStream.r_frame_rate
    ])
    // Every frame at its time in the source. One pass is a little off at the start of segments if the source's time base is coarse.
    expect([joinedTimes.length, onePassTimes.length]).toEqual([sourceTimes.length, sourceTimes.length])
    expect(Math.max(...joinedTimes.map((time, number) => Math.abs(time - sourceTimes[number]!)))).toBeLessThan(0.00002)
    expect(Math.max(...joinedTimes.map((time, number) => Math.abs(time - onePassTimes[number]!)))).toBeLessThan(
      source.file.endsWith('.mkv') ? 0.0006 : 0.00002
    )
    const [playlist, expectedPlaylist] = [await readMediaPlaylist(joinedPlaylist), await readMediaPlaylist(onePassPlaylist)]
    expect(playlist).toMatchObject({ ended: true, targetDuration: expectedPlaylist.targetDuration })
    expect(playlist.segments).toHaveLength(expectedPlaylist.segments.length)
    playlist.segments.forEach(({ duration, uri }, number) => {
      expect(Math.abs(duration - expectedPlaylist.segments[number]!.duration)).toBeLessThan(0.0015)
      expect(uri).toBe(output.file)
    })
    const [[track], [expectedTrack]] = [
      await readMp4Tracks(join(folder, output.file)),
      await readMp4Tracks(join(folder, onePass[index]!.file))
    ]
    expect(track!.syncs).toEqual(expectedTrack!.syncs)
    // Decode times never go back and have no gap: the durations differ only by rounding.
    expect(track!.durations.every((duration, number) => Math.abs(duration - expectedTrack!.durations[number]!) <= 90)).toBe(true)
    expect(track!.chunks.map(({ time }) => Math.round(time / 90))).toEqual(expectedTrack!.chunks.map(({ time }) => Math.round(time / 90)))
  }
}

describe('the grid', () => {
  it('has short chunks first, whole multiples of four seconds, and a last one without an end', () => {
    expect(splitIntoChunks(60, 20, 2)).toEqual([
      { start: 0, end: 4 },
      { start: 4, end: 12 },
      { start: 12, end: 28 },
      { start: 28, end: 48 },
      { start: 48, end: null }
    ])
    expect(splitIntoChunks(12, 4, 2)).toEqual([
      { start: 0, end: 4 },
      { start: 4, end: 8 },
      { start: 8, end: null }
    ])
    expect(splitIntoChunks(0.5, 20, 2)).toEqual([{ start: 0, end: null }])
  })

  it('has chunks of whole segments', () => {
    for (const seconds of [1, 2, 3, 4, 6, 10]) for (const { start } of splitIntoChunks(100, 20, seconds)) expect(start % seconds).toBe(0)
    expect(splitIntoChunks(30, 20, 6).map(({ start }) => start)).toEqual([0, 6, 18])
  })
})

describe('joined chunks equal an encode in one pass', () => {
  it.each([
    ['23.976', '24000/1001'],
    ['25', '25'],
    ['29.97', '30000/1001'],
    ['60', '60'],
    ['7', '7']
  ])('at %s frames a second', async (name, rate) => {
    await expectSameAsOnePass(await makeSource(`rate ${name}.mp4`, '-f', 'lavfi', '-i', `testsrc2=s=320x240:r=${rate}:d=11`, ...h264Args))
  })

  it('for Matroska, whose time base is milliseconds, with sparse keyframes off the grid', async () => {
    await expectSameAsOnePass(
      await makeSource(
        'sparse.mkv',
        '-f',
        'lavfi',
        '-i',
        'testsrc2=s=320x240:r=30000/1001:d=14',
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-bf',
        '3',
        '-g',
        '217',
        '-pix_fmt',
        'yuv420p'
      )
    )
  })

  it('for a source with open GOPs', async () => {
    await expectSameAsOnePass(
      await makeSource(
        'open.mp4',
        ...videoInputArgs(11),
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-bf',
        '3',
        '-g',
        '37',
        '-x264-params',
        'open-gop=1:scenecut=0',
        '-pix_fmt',
        'yuv420p'
      )
    )
  })

  it('with a last chunk shorter than a segment, and with one of a single frame', async () => {
    await expectSameAsOnePass(await makeSource('short.mp4', ...videoInputArgs(8.6), ...h264Args))
    await expectSameAsOnePass(await makeSource('crumb.mp4', ...videoInputArgs(8.04), ...h264Args))
  })

  it('for a rotated video, and for one whose audio begins first', async () => {
    await runFfmpegIn(scratch.folder, ...videoInputArgs(9), ...h264Args, 'upright.mp4')
    const rotated = await makeSource('turned.mp4', '-i', 'upright.mp4', '-c', 'copy', '-metadata:s:v', 'rotate=90')
    expect(rotated.plan.encode[0]).toMatchObject({ width: 240, height: 320 })
    await expectSameAsOnePass(rotated)
    await runFfmpegIn(scratch.folder, ...toneInputArgs(9), '-c:a', 'aac', 'tone.m4a')
    const lateVideo = await makeSource(
      'late.mp4',
      '-i',
      'tone.m4a',
      '-itsoffset',
      '0.08',
      '-i',
      'upright.mp4',
      '-map',
      '0',
      '-map',
      '1',
      '-c',
      'copy'
    )
    expect(lateVideo.probe.video!.start).toBeGreaterThan(0.05)
    await expectSameAsOnePass(lateVideo)
  })

  it('for a file whose timestamps do not begin at 0', async () => {
    await expectSameAsOnePass(await makeSource('shifted.mkv', ...videoInputArgs(9), ...h264Args, '-output_ts_offset', '5.5'))
  })

  it('frame by frame: the frames at the boundaries of chunks are those of the source', async () => {
    const source = await makeSource('seam.mp4', ...videoInputArgs(9), ...h264Args)
    const { folder, joined } = await encodeBothWays(source)
    const thumbnailArgs = ['-vf', 'scale=32:24:flags=area', '-pix_fmt', 'gray', '-f', 'rawvideo']
    const [joinedPixels, sourcePixels] = [
      await decodeToRaw(join(folder, joined[0]!.playlist), ...thumbnailArgs),
      await decodeToRaw(source.file, ...thumbnailArgs)
    ]
    expect(joinedPixels.length).toBe(sourcePixels.length)
    const size = 32 * 24
    for (let number = 0; number * size < joinedPixels.length; number++) {
      let difference = 0
      for (let at = number * size; at < (number + 1) * size; at++) difference += Math.abs(joinedPixels[at]! - sourcePixels[at]!)
      expect(difference / size).toBeLessThan(6)
    }
  })

  it('a growing playlist lists the joined segments and has no ENDLIST', async () => {
    const source = await makeSource('growing.mp4', ...videoInputArgs(9), ...h264Args)
    const { folder, chunks } = await encodeBothWays(source)
    const output: HlsOutput = { kind: 'video', resolution: 144, ...newHlsFilenames(144) }
    const joiner = new ChunkJoiner(folder, output, { segmentSeconds: 2, fps: 25 })
    await joiner.append(join(chunks, chunkFilename('0', 144)))
    const playlist = await readMediaPlaylist(join(folder, output.playlist))
    expect([playlist.ended, playlist.segments.length]).toEqual([false, 2])
    expect(Number((await probeDecodedStream(join(folder, output.file))).nb_read_frames)).toBe(100)
    expect([joiner.seconds, joiner.frames]).toEqual([4, 100])
  })
})

describe('chunks that cannot be joined', () => {
  const createJoiner = (folder: string) =>
    new ChunkJoiner(folder, { kind: 'video', resolution: 144, ...newHlsFilenames(144) }, { segmentSeconds: 2, fps: 25 })

  it('a chunk that is skipped, repeated, encoded otherwise, truncated, missing, or no chunk is refused', async () => {
    const source = await makeSource('fit.mp4', ...videoInputArgs(9), ...h264Args)
    const { folder, chunks } = await encodeBothWays(source)
    const [first, second, third] = [0, 1, 2].map(number => join(chunks, chunkFilename(`${number}`, 144))) as [string, string, string]
    const append = async (...files: string[]) => {
      const joiner = createJoiner(folder)
      for (const file of files) await joiner.append(file)
    }
    await expect(append(first, third)).rejects.toThrow(ChunkJoinError)
    await expect(append(first, first)).rejects.toThrow(ChunkJoinError)
    await expect(append(second)).rejects.toThrow(ChunkJoinError)
    await expect(append(first, join(chunks, chunkFilename('1', 240)))).rejects.toThrow('encoded otherwise')
    await expect(append(first, join(chunks, 'nowhere.mp4'))).rejects.toThrow(ChunkJoinError)
    await truncate(second, 20_000)
    await expect(append(first, second)).rejects.toThrow('cut off')
    await writeFile(third, 'not a film at all, but a letter')
    await expect(append(first, third)).rejects.toThrow(ChunkJoinError)
    await expect(createJoiner(folder).finish()).rejects.toThrow(ChunkJoinError)
  })

  it('a chunk beyond the end of the video is empty, and nothing is appended', async () => {
    const { file, probe, plan } = await makeSource('beyond.mp4', ...videoInputArgs(5), ...h264Args)
    const folder = await mkdtemp(join(scratch.folder, 'out '))
    for (const [number, range] of [
      { start: 0, end: 8 },
      { start: 8, end: null }
    ].entries())
      await encodeChunk(file, folder, { stem: `${number}`, ...range }, plan, probe, {}).done
    const joiner = createJoiner(folder)
    await joiner.append(join(folder, chunkFilename('0', 144)))
    await joiner.append(join(folder, chunkFilename('1', 144)))
    expect(joiner.frames).toBe(125)
  })

  it('a stopped chunk or a missing folder rejects, and the files can be removed', async () => {
    const { file, probe, plan } = await makeSource('stopped.mp4', ...videoInputArgs(8, 25, '1280x720'), ...h264Args)
    const folder = await mkdtemp(join(scratch.folder, 'out '))
    const controller = new AbortController()
    const run = encodeChunk(file, folder, { stem: '0', start: 0, end: null }, plan, probe, { signal: controller.signal })
    setTimeout(() => controller.abort(), 200)
    await expect(run.done).rejects.toMatchObject({ code: 'aborted' })
    await removeChunkFiles(folder, '0', plan)
    expect(await readdir(folder)).toEqual([])
    await rename(folder, `${folder} away`)
    await expect(encodeChunk(file, folder, { stem: '0', start: 0, end: 4 }, plan, probe, {}).done).rejects.toMatchObject({
      code: 'ffmpeg_failed'
    })
  })
})

describe('which videos are split', () => {
  it('a constant frame rate is; variable, interlaced, truncated, rate-reduced or other videos and containers are not', async () => {
    const { probe, plan } = await makeSource('steady.mp4', ...videoInputArgs(4), ...h264Args)
    const video = probe.video!
    const reasonFor = (
      videoChange: Partial<Probe['video'] & object>,
      probeChange: Partial<Probe> = {},
      planChange: Partial<TranscodingPlan> = {}
    ) => reasonNotToSplit({ ...probe, ...probeChange, video: { ...video, ...videoChange } }, { ...plan, ...planChange })
    expect(reasonNotToSplit(probe, plan)).toBeNull()
    expect(reasonFor({ variableFps: true })).toContain('varies')
    expect(reasonFor({ interlaced: true })).toContain('neighbours')
    expect(reasonFor({ hdr: true })).toContain('dynamic')
    for (const change of [{ edited: true }, { jumps: true }, { changesParameters: true }]) expect(reasonFor(change)).toContain('parts')
    expect([reasonFor({ keyframeInterval: 60 }), reasonFor({ keyframeInterval: null })].every(reason => reason?.includes('sparse'))).toBe(
      true
    )
    expect(reasonFor({}, { truncated: true })).toContain('truncated')
    expect(reasonFor({}, { container: ['mpegts'] })).toContain('searched')
    expect(reasonFor({}, {}, { keepsFrameTimes: false })).toContain('cut')
    expect(reasonFor({}, {}, { encode: [] })).toContain('no moving picture')
    expect(reasonNotToSplit({ ...probe, video: null }, plan)).toContain('no moving picture')
  })

  it('a recording with a variable frame rate is not split', async () => {
    const variableRate = await makeSource(
      'varying.mkv',
      ...videoInputArgs(6),
      '-vf',
      "select='if(lt(t,3),1,not(mod(n,3)))'",
      '-fps_mode',
      'vfr',
      ...h264Args
    )
    expect(reasonNotToSplit(variableRate.probe, variableRate.plan)).toContain('varies')
  })
})

it('audio encoded alone equals the audio of an encode in one pass', async () => {
  const { file, probe, plan } = await makeSource('sound.mp4', ...videoInputArgs(5), ...toneInputArgs(5), ...h264Args, '-c:a', 'aac')
  const [folder, other] = [await mkdtemp(join(scratch.folder, 'out ')), await mkdtemp(join(scratch.folder, 'out '))]
  const audioRun = audioToHls(file, folder, plan, probe, {})
  expect((await audioRun.done).damaged).toBe(false)
  const onePassRun = encodeToHls(file, other, plan, probe, {})
  await onePassRun.done
  const audio = onePassRun.outputs.find(({ kind }) => kind === 'audio')!
  expect(audioRun.outputs.map(({ kind, audioTrack }) => [kind, audioTrack])).toEqual([['audio', audio.audioTrack]])
  expect(await decodeToRaw(join(folder, audioRun.outputs[0]!.playlist), '-f', 's16le')).toEqual(
    await decodeToRaw(join(other, audio.playlist), '-f', 's16le')
  )
})
