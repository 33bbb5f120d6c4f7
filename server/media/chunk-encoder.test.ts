import { mkdir, mkdtemp, readdir, rename, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chunkFilename, splitIntoChunks, encodeChunk, removeChunkFiles, reasonNotToSplit } from './chunk-encoder.ts'
import {
  probeDecodedStream,
  probeDecodedStreamWithTimes,
  h264Args,
  testLadderSettings,
  runFfmpegIn,
  probePacketTimes,
  videoInputArgs,
  decodeToRaw,
  createScratchFolder,
  toneInputArgs,
  unlimitedProbeLimits
} from '../test/media-fixtures.ts'
import { encodeToHls, newHlsFilenames, audioToHls } from './hls.ts'
import { ChunkJoiner, ChunkJoinError } from './chunk-joiner.ts'
import { planLadder, type LadderSettings, type TranscodingPlan } from './ladder.ts'
import { readMediaPlaylist, type HlsOutput } from './hls-playlist.ts'
import { probeMedia, type Probe } from './probe.ts'
import { readMp4Tracks } from './mp4-samples.ts'

let place: Awaited<ReturnType<typeof createScratchFolder>>
beforeAll(async () => {
  place = await createScratchFolder()
})
afterAll(async () => await place.remove())

const settings: LadderSettings = { ...testLadderSettings, resolutions: [144], maxCopyBitrate: 1 }
type Film = { file: string; found: Probe; made: TranscodingPlan }

async function film(name: string, ...args: string[]): Promise<Film> {
  await runFfmpegIn(place.folder, ...args, name)
  const file = join(place.folder, name)
  const found = await probeMedia(file, unlimitedProbeLimits)
  return { file, found, made: planLadder(found, settings) }
}

/** Encodes a film in one pass and in chunks of `length` seconds, and joins the chunks. */
async function bothWays(
  { file, found, made }: Film,
  length = 4
): Promise<{ folder: string; whole: HlsOutput[]; joined: HlsOutput[]; chunks: string }> {
  const folder = await mkdtemp(join(place.folder, 'out '))
  const chunks = join(folder, 'chunks')
  await mkdir(chunks)
  const pass = encodeToHls(file, folder, made, found, { withAudio: false })
  await pass.done
  const pieces = splitIntoChunks(found.duration, length, 2)
  // In no order: a chunk knows nothing of the others.
  for (const [number, piece] of [...pieces.entries()].reverse())
    await encodeChunk(file, chunks, { stem: `${number}`, ...piece }, made, found, {}).done
  const joined = made.encode.map<HlsOutput>(({ resolution }) => ({ kind: 'video', resolution, ...newHlsFilenames(resolution) }))
  for (const output of joined) {
    const joint = new ChunkJoiner(folder, output, { segmentSeconds: 2, fps: found.video!.fps })
    for (const number of pieces.keys()) await joint.append(join(chunks, chunkFilename(`${number}`, output.resolution)))
    await joint.finish()
  }
  return { folder, whole: pass.outputs, joined, chunks }
}

/** When the pictures are shown, in the order they are shown in. */
const shown = async (file: string): Promise<number[]> => (await probePacketTimes(file)).sort((a, b) => a - b)

async function expectAlike(source: Film, length?: number): Promise<void> {
  const { folder, whole, joined } = await bothWays(source, length)
  const times = await shown(source.file)
  const intended = times.map((time, number) => (number === 0 ? 0 : time - times[0]! + source.found.video!.start))
  for (const [index, output] of joined.entries()) {
    const [mine, other] = [join(folder, output.playlist), join(folder, whole[index]!.playlist)]
    const [{ stream, times: here }, { stream: passed, times: there }] = [
      await probeDecodedStreamWithTimes(mine),
      await probeDecodedStreamWithTimes(other)
    ]
    for (const times of [here, there]) times.sort((a, b) => a - b)
    expect(stream.nb_read_frames).toBe(passed.nb_read_frames)
    expect([stream.width, stream.height, stream.profile, stream.level, stream.r_frame_rate]).toEqual([
      passed.width,
      passed.height,
      passed.profile,
      passed.level,
      passed.r_frame_rate
    ])
    // Every picture at the source's instant. One pass is a little off where a segment begins and the source's clock is coarse.
    expect([here.length, there.length]).toEqual([intended.length, intended.length])
    expect(Math.max(...here.map((time, number) => Math.abs(time - intended[number]!)))).toBeLessThan(0.00002)
    expect(Math.max(...here.map((time, number) => Math.abs(time - there[number]!)))).toBeLessThan(
      source.file.endsWith('.mkv') ? 0.0006 : 0.00002
    )
    const [list, usual] = [await readMediaPlaylist(mine), await readMediaPlaylist(other)]
    expect(list).toMatchObject({ ended: true, targetDuration: usual.targetDuration })
    expect(list.segments).toHaveLength(usual.segments.length)
    list.segments.forEach(({ duration, uri }, number) => {
      expect(Math.abs(duration - usual.segments[number]!.duration)).toBeLessThan(0.0015)
      expect(uri).toBe(output.file)
    })
    const [[track], [model]] = [await readMp4Tracks(join(folder, output.file)), await readMp4Tracks(join(folder, whole[index]!.file))]
    expect(track!.syncs).toEqual(model!.syncs)
    // Never back in time, and no hole: the steps of decoding differ by the rounding of their clock alone.
    expect(track!.durations.every((duration, number) => Math.abs(duration - model!.durations[number]!) <= 90)).toBe(true)
    expect(track!.chunks.map(({ time }) => Math.round(time / 90))).toEqual(model!.chunks.map(({ time }) => Math.round(time / 90)))
  }
}

describe('the grid', () => {
  it('has short chunks first, whole multiples of four seconds, and no end to the last one', () => {
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

  it('is one of whole segments too', () => {
    for (const seconds of [1, 2, 3, 4, 6, 10]) for (const { start } of splitIntoChunks(100, 20, seconds)) expect(start % seconds).toBe(0)
    expect(splitIntoChunks(30, 20, 6).map(({ start }) => start)).toEqual([0, 6, 18])
  })
})

describe('joined chunks are what one pass makes', () => {
  it.each([
    ['23.976', '24000/1001'],
    ['25', '25'],
    ['29.97', '30000/1001'],
    ['60', '60'],
    ['7', '7']
  ])('at %s pictures a second', async (name, rate) => {
    await expectAlike(await film(`rate ${name}.mp4`, '-f', 'lavfi', '-i', `testsrc2=s=320x240:r=${rate}:d=11`, ...h264Args))
  })

  it('of Matroska, whose clock has milliseconds, and sparse keyframes that lie off the grid', async () => {
    await expectAlike(
      await film(
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

  it('of a source with groups of pictures that are open', async () => {
    await expectAlike(
      await film(
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

  it('with a last chunk that is shorter than a segment, and one of a single picture', async () => {
    await expectAlike(await film('short.mp4', ...videoInputArgs(8.6), ...h264Args))
    await expectAlike(await film('crumb.mp4', ...videoInputArgs(8.04), ...h264Args))
  })

  it('turned as a telephone holds it, and with sound that begins first', async () => {
    await runFfmpegIn(place.folder, ...videoInputArgs(9), ...h264Args, 'upright.mp4')
    const turned = await film('turned.mp4', '-i', 'upright.mp4', '-c', 'copy', '-metadata:s:v', 'rotate=90')
    expect(turned.made.encode[0]).toMatchObject({ width: 240, height: 320 })
    await expectAlike(turned)
    await runFfmpegIn(place.folder, ...toneInputArgs(9), '-c:a', 'aac', 'tone.m4a')
    const late = await film('late.mp4', '-i', 'tone.m4a', '-itsoffset', '0.2', '-i', 'upright.mp4', '-map', '0', '-map', '1', '-c', 'copy')
    expect(late.found.video!.start).toBeGreaterThan(0.1)
    await expectAlike(late)
  })

  it('of a file whose clock does not begin at 0', async () => {
    await expectAlike(await film('shifted.mkv', ...videoInputArgs(9), ...h264Args, '-output_ts_offset', '5.5'))
  })

  it('picture by picture: what is shown at a seam is what the source shows there', async () => {
    const source = await film('seam.mp4', ...videoInputArgs(9), ...h264Args)
    const { folder, joined } = await bothWays(source)
    const small = ['-vf', 'scale=32:24:flags=area', '-pix_fmt', 'gray', '-f', 'rawvideo']
    const [mine, original] = [await decodeToRaw(join(folder, joined[0]!.playlist), ...small), await decodeToRaw(source.file, ...small)]
    expect(mine.length).toBe(original.length)
    const size = 32 * 24
    for (let number = 0; number * size < mine.length; number++) {
      let difference = 0
      for (let at = number * size; at < (number + 1) * size; at++) difference += Math.abs(mine[at]! - original[at]!)
      expect(difference / size).toBeLessThan(6)
    }
  })

  it('while it grows, a playlist without an end names what is there', async () => {
    const source = await film('growing.mp4', ...videoInputArgs(9), ...h264Args)
    const { folder, chunks } = await bothWays(source)
    const output: HlsOutput = { kind: 'video', resolution: 144, ...newHlsFilenames(144) }
    const joint = new ChunkJoiner(folder, output, { segmentSeconds: 2, fps: 25 })
    await joint.append(join(chunks, chunkFilename('0', 144)))
    const list = await readMediaPlaylist(join(folder, output.playlist))
    expect([list.ended, list.segments.length]).toEqual([false, 2])
    expect(Number((await probeDecodedStream(join(folder, output.file))).nb_read_frames)).toBe(100)
    expect([joint.seconds, joint.pictures]).toEqual([4, 100])
  })
})

describe('what does not fit together', () => {
  const joint = (folder: string) =>
    new ChunkJoiner(folder, { kind: 'video', resolution: 144, ...newHlsFilenames(144) }, { segmentSeconds: 2, fps: 25 })

  it('is refused: a chunk too few, twice, of another encoding, cut off, missing, or not a chunk', async () => {
    const source = await film('fit.mp4', ...videoInputArgs(9), ...h264Args)
    const { folder, chunks } = await bothWays(source)
    const [first, second, third] = [0, 1, 2].map(number => join(chunks, chunkFilename(`${number}`, 144))) as [string, string, string]
    const tried = async (...files: string[]) => {
      const mine = joint(folder)
      for (const file of files) await mine.append(file)
    }
    await expect(tried(first, third)).rejects.toThrow(ChunkJoinError)
    await expect(tried(first, first)).rejects.toThrow(ChunkJoinError)
    await expect(tried(second)).rejects.toThrow(ChunkJoinError)
    await expect(tried(first, join(chunks, chunkFilename('1', 240)))).rejects.toThrow('encoded otherwise')
    await expect(tried(first, join(chunks, 'nowhere.mp4'))).rejects.toThrow(ChunkJoinError)
    await truncate(second, 20_000)
    await expect(tried(first, second)).rejects.toThrow('cut off')
    await writeFile(third, 'not a film at all, but a letter')
    await expect(tried(first, third)).rejects.toThrow(ChunkJoinError)
    await expect(joint(folder).finish()).rejects.toThrow(ChunkJoinError)
  })

  it('beyond the end of the film a chunk is empty, and nothing is appended', async () => {
    const { file, found, made } = await film('beyond.mp4', ...videoInputArgs(5), ...h264Args)
    const folder = await mkdtemp(join(place.folder, 'out '))
    for (const [number, piece] of [
      { start: 0, end: 8 },
      { start: 8, end: null }
    ].entries())
      await encodeChunk(file, folder, { stem: `${number}`, ...piece }, made, found, {}).done
    const mine = joint(folder)
    await mine.append(join(folder, chunkFilename('0', 144)))
    await mine.append(join(folder, chunkFilename('1', 144)))
    expect(mine.pictures).toBe(125)
  })

  it('a chunk that is stopped, or has no folder, says so, and can be removed', async () => {
    const { file, found, made } = await film('stopped.mp4', ...videoInputArgs(8, 25, '1280x720'), ...h264Args)
    const folder = await mkdtemp(join(place.folder, 'out '))
    const controller = new AbortController()
    const run = encodeChunk(file, folder, { stem: '0', start: 0, end: null }, made, found, { signal: controller.signal })
    setTimeout(() => controller.abort(), 200)
    await expect(run.done).rejects.toMatchObject({ code: 'aborted' })
    await removeChunkFiles(folder, '0', made)
    expect(await readdir(folder)).toEqual([])
    await rename(folder, `${folder} away`)
    await expect(encodeChunk(file, folder, { stem: '0', start: 0, end: 4 }, made, found, {}).done).rejects.toMatchObject({
      code: 'ffmpeg_failed'
    })
  })
})

describe('what is not cut', () => {
  it('a steady film is; a film that varies, is woven, ends early, is slowed down, has no picture or comes in another container is not', async () => {
    const { found, made } = await film('steady.mp4', ...videoInputArgs(4), ...h264Args)
    const video = found.video!
    const why = (change: Partial<Probe['video'] & object>, more: Partial<Probe> = {}, other: Partial<TranscodingPlan> = {}) =>
      reasonNotToSplit({ ...found, ...more, video: { ...video, ...change } }, { ...made, ...other })
    expect(reasonNotToSplit(found, made)).toBeNull()
    expect(why({ variableFps: true })).toContain('varies')
    expect(why({ interlaced: true })).toContain('neighbours')
    expect(why({ hdr: true })).toContain('dynamic')
    expect(why({ start: 1.5 })).toContain('late')
    expect([why({ keyframeInterval: 60 }), why({ keyframeInterval: null })].every(reason => reason?.includes('sparse'))).toBe(true)
    expect(why({ duration: 1 })).toContain('early')
    expect(why({}, { truncated: true })).toContain('early')
    expect(why({}, { container: ['mpegts'] })).toContain('searched')
    expect(why({}, {}, { keepsFrameTimes: false })).toContain('cut')
    expect(why({}, {}, { encode: [] })).toContain('no moving picture')
    expect(reasonNotToSplit({ ...found, video: null }, made)).toContain('no moving picture')
  })

  it('a recording with a changing rate is known as one', async () => {
    const varying = await film(
      'varying.mkv',
      ...videoInputArgs(6),
      '-vf',
      "select='if(lt(t,3),1,not(mod(n,3)))'",
      '-fps_mode',
      'vfr',
      ...h264Args
    )
    expect(reasonNotToSplit(varying.found, varying.made)).toContain('varies')
  })
})

it('the sound alone is what comes with the picture in one pass', async () => {
  const { file, found, made } = await film('sound.mp4', ...videoInputArgs(5), ...toneInputArgs(5), ...h264Args, '-c:a', 'aac')
  const [folder, other] = [await mkdtemp(join(place.folder, 'out ')), await mkdtemp(join(place.folder, 'out '))]
  const alone = audioToHls(file, folder, made, found, {})
  expect((await alone.done).damaged).toBe(false)
  const pass = encodeToHls(file, other, made, found, {})
  await pass.done
  const audio = pass.outputs.find(({ kind }) => kind === 'audio')!
  expect(alone.outputs.map(({ kind, sound }) => [kind, sound])).toEqual([['audio', audio.sound]])
  expect(await decodeToRaw(join(folder, alone.outputs[0]!.playlist), '-f', 's16le')).toEqual(
    await decodeToRaw(join(other, audio.playlist), '-f', 's16le')
  )
})
