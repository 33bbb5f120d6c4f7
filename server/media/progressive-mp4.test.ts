import { createHash } from 'node:crypto'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  probeDecodedStream,
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
import { encodeToHls } from './hls.ts'
import { planLadder, type LadderSettings } from './ladder.ts'
import { probeMedia } from './probe.ts'
import { buildProgressiveMp4, type ProgressiveMp4 } from './progressive-mp4.ts'

let place: Awaited<ReturnType<typeof createScratchFolder>>
beforeAll(async () => {
  place = await createScratchFolder()
})
afterAll(async () => await place.remove())

/** Encodes a source and gives the paths of its renditions: pictures from the highest, and the sound. */
async function renditions(
  name: string,
  settings: Partial<LadderSettings> = {}
): Promise<{ pictures: string[]; sound: string | undefined }> {
  const input = join(place.folder, name)
  const facts = await probeMedia(input, unlimitedProbeLimits)
  const run = encodeToHls(
    input,
    place.folder,
    { ...planLadder(facts, { ...testLadderSettings, resolutions: [144], ...settings }), copyVideo: null },
    facts,
    {
      withAudio: true
    }
  )
  await run.done
  const path = (kind: string) => run.outputs.filter(output => output.kind === kind).map(({ file }) => join(place.folder, file))
  return { pictures: path('video'), sound: path('audio')[0] }
}

async function whole({ head, parts }: ProgressiveMp4): Promise<Buffer> {
  const pieces = await Promise.all(parts.map(async ({ file, at, length }) => (await readFile(file)).subarray(at, at + length)))
  return Buffer.concat([head, ...pieces])
}

/** Writes the MP4 that the files make; gives its path. */
async function written(name: string, files: string[]): Promise<string> {
  const made = await buildProgressiveMp4(files)
  const bytes = await whole(made)
  expect(bytes.length).toBe(made.size)
  await writeFile(join(place.folder, name), bytes)
  return join(place.folder, name)
}

const hash = async (file: string, ...args: string[]) =>
  createHash('sha1')
    .update(await decodeToRaw(file, ...args))
    .digest('hex')
const PICTURE = ['-map', '0:v:0', '-f', 'rawvideo', '-fps_mode', 'passthrough']
const SOUND = ['-map', '0:a:0', '-f', 's16le']

describe('an MP4 that nobody stored', () => {
  it('shows every picture at its time, and every sample of the sound, as the renditions do', async () => {
    await runFfmpegIn(place.folder, ...videoInputArgs(5), ...toneInputArgs(5), ...h264Args, '-c:a', 'aac', 'film.mp4')
    const {
      pictures: [rendition],
      sound
    } = await renditions('film.mp4')
    const file = await written('whole.mp4', [rendition!, sound!])
    expect(await probeDecodedStream(file)).toMatchObject({ codec_name: 'h264', nb_read_frames: '125', nb_frames: '125' })
    expect(Number((await probeDecodedStream(file)).duration)).toBeCloseTo(5, 1)
    const times = await probePacketTimes(file)
    expect(Math.min(...times)).toBe(0)
    expect([...times].sort((a, b) => a - b)).toEqual(
      [...(await probePacketTimes(rendition!))].sort((a, b) => a - b).map(time => expect.closeTo(time, 3))
    )
    expect(await hash(file, ...PICTURE)).toBe(await hash(rendition!, ...PICTURE))
    expect(await hash(file, ...SOUND)).toBe(await hash(sound!, ...SOUND))
  })

  it('can be begun anywhere: its tables stand before its data and name every keyframe', async () => {
    const file = join(place.folder, 'whole.mp4')
    const bytes = await readFile(file)
    expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'))
    // Begun at a keyframe it gives what follows there, without reading what stands before.
    await runFfmpegIn(place.folder, '-ss', '4', '-i', 'whole.mp4', ...PICTURE, 'late.yuv')
    const late = await readFile(join(place.folder, 'late.yuv'))
    expect(late.length).toBe(25 * 144 * 192 * 1.5)
    expect(late.equals(await decodeToRaw(file, ...PICTURE, '-vf', 'trim=start=3.99'))).toBe(true)
  })

  it('is the same bytes every time, and one with sound or picture alone is good, too', async () => {
    const {
      pictures: [rendition],
      sound
    } = await renditions('film.mp4')
    const twice = await Promise.all([1, 2].map(async () => await whole(await buildProgressiveMp4([rendition!, sound!]))))
    expect(twice[0]!.equals(twice[1]!)).toBe(true)
    const heard = await written('sound.m4a', [sound!])
    expect(await hash(heard, ...SOUND)).toBe(await hash(sound!, ...SOUND))
    expect((await probeMedia(heard, unlimitedProbeLimits)).video).toBeNull()
    const seen = await written('silent.mp4', [rendition!])
    expect((await probeMedia(seen, unlimitedProbeLimits)).audios).toEqual([])
    expect(await hash(seen, ...PICTURE)).toBe(await hash(rendition!, ...PICTURE))
  })

  it('keeps pictures of uneven length, and renditions with the sound inside', async () => {
    await runFfmpegIn(
      place.folder,
      ...videoInputArgs(4),
      ...toneInputArgs(4),
      '-vf',
      "select='not(between(n,20,50))',setpts=PTS",
      '-fps_mode',
      'vfr',
      ...h264Args,
      '-c:a',
      'aac',
      'uneven.mp4'
    )
    const uneven = await renditions('uneven.mp4')
    const file = await written('uneven-whole.mp4', [uneven.pictures[0]!, uneven.sound!])
    const sorted = async (path: string) => [...(await probePacketTimes(path))].sort((a, b) => a - b)
    expect(await sorted(file)).toEqual((await sorted(uneven.pictures[0]!)).map(time => expect.closeTo(time, 3)))
    const muxed = await renditions('film.mp4', { splitAudio: false })
    const both = await written('muxed.mp4', muxed.pictures)
    expect(await hash(both, ...PICTURE)).toBe(await hash(muxed.pictures[0]!, ...PICTURE))
    expect(await hash(both, ...SOUND)).toBe(await hash(muxed.pictures[0]!, ...SOUND))
  })

  it('is refused of files that are cut off, that are no such files, and of nothing', async () => {
    const {
      pictures: [rendition]
    } = await renditions('film.mp4')
    const bytes = await readFile(rendition!)
    await truncate(rendition!, bytes.length - 10)
    await expect(buildProgressiveMp4([rendition!])).rejects.toThrow(TypeError)
    await writeFile(join(place.folder, 'noise'), Buffer.alloc(5000, 7))
    await expect(buildProgressiveMp4([join(place.folder, 'noise')])).rejects.toThrow(TypeError)
    await expect(buildProgressiveMp4([join(place.folder, 'film.mp4')])).rejects.toThrow(TypeError)
    await expect(buildProgressiveMp4([])).rejects.toThrow(TypeError)
  })
})
