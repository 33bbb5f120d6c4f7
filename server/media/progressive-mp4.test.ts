import { createHash } from 'node:crypto'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  probeDecodedStream,
  h264Args,
  runFfmpegIn,
  probePacketTimes,
  videoInputArgs,
  decodeToRaw,
  createScratchFolder,
  toneInputArgs
} from '../test/media-fixtures.ts'
import { testLadderSettings, unlimitedProbeLimits } from '../test/media-settings.ts'
import { encodeToHls } from './hls.ts'
import { planLadder, type LadderSettings } from './ladder.ts'
import { probeMedia } from './probe.ts'
import { buildProgressiveMp4, type ProgressiveMp4 } from './progressive-mp4.ts'

let scratch: Awaited<ReturnType<typeof createScratchFolder>>
beforeAll(async () => {
  scratch = await createScratchFolder()
})
afterAll(async () => await scratch.remove())

/** Encodes a source; returns the paths of its renditions: those of the video, highest first, and the audio. */
async function encodeRenditions(
  name: string,
  settings: Partial<LadderSettings> = {}
): Promise<{ videos: string[]; audio: string | undefined }> {
  const input = join(scratch.folder, name)
  const probe = await probeMedia(input, unlimitedProbeLimits)
  const run = encodeToHls(
    input,
    scratch.folder,
    { ...planLadder(probe, { ...testLadderSettings, resolutions: [144], ...settings }), copyVideo: null },
    probe,
    {
      withAudio: true
    }
  )
  await run.done
  const path = (kind: string) => run.outputs.filter(output => output.kind === kind).map(({ file }) => join(scratch.folder, file))
  return { videos: path('video'), audio: path('audio')[0] }
}

async function assemble({ head, parts }: ProgressiveMp4): Promise<Buffer> {
  const slices = await Promise.all(parts.map(async ({ file, at, length }) => (await readFile(file)).subarray(at, at + length)))
  return Buffer.concat([head, ...slices])
}

/** Writes the MP4 assembled from the files; returns its path. */
async function writeProgressiveMp4(name: string, files: string[]): Promise<string> {
  const mp4 = await buildProgressiveMp4(files)
  const bytes = await assemble(mp4)
  expect(bytes.length).toBe(mp4.size)
  await writeFile(join(scratch.folder, name), bytes)
  return join(scratch.folder, name)
}

const hash = async (file: string, ...args: string[]) =>
  createHash('sha1')
    .update(await decodeToRaw(file, ...args))
    .digest('hex')
const VIDEO_ARGS = ['-map', '0:v:0', '-f', 'rawvideo', '-fps_mode', 'passthrough']
const AUDIO_ARGS = ['-map', '0:a:0', '-f', 's16le']

describe('an MP4 assembled from renditions', () => {
  it('has every frame at its time, and every audio sample, as the renditions have them', async () => {
    await runFfmpegIn(scratch.folder, ...videoInputArgs(5), ...toneInputArgs(5), ...h264Args, '-c:a', 'aac', 'film.mp4')
    const {
      videos: [rendition],
      audio
    } = await encodeRenditions('film.mp4')
    const file = await writeProgressiveMp4('whole.mp4', [rendition!, audio!])
    expect(await probeDecodedStream(file)).toMatchObject({ codec_name: 'h264', nb_read_frames: '125', nb_frames: '125' })
    expect(Number((await probeDecodedStream(file)).duration)).toBeCloseTo(5, 1)
    const times = await probePacketTimes(file)
    expect(Math.min(...times)).toBe(0)
    expect([...times].sort((a, b) => a - b)).toEqual(
      [...(await probePacketTimes(rendition!))].sort((a, b) => a - b).map(time => expect.closeTo(time, 3))
    )
    expect(await hash(file, ...VIDEO_ARGS)).toBe(await hash(rendition!, ...VIDEO_ARGS))
    expect(await hash(file, ...AUDIO_ARGS)).toBe(await hash(audio!, ...AUDIO_ARGS))
  })

  it('is seekable: its tables come before its data and list every keyframe', async () => {
    const file = join(scratch.folder, 'whole.mp4')
    const bytes = await readFile(file)
    expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'))
    // Seeking to a keyframe gives the frames from there on, without reading those before.
    await runFfmpegIn(scratch.folder, '-ss', '4', '-i', 'whole.mp4', ...VIDEO_ARGS, 'late.yuv')
    const tail = await readFile(join(scratch.folder, 'late.yuv'))
    expect(tail.length).toBe(25 * 144 * 192 * 1.5)
    expect(tail.equals(await decodeToRaw(file, ...VIDEO_ARGS, '-vf', 'trim=start=3.99'))).toBe(true)
  })

  it('has the same bytes every time, and may have audio or video alone', async () => {
    const {
      videos: [rendition],
      audio
    } = await encodeRenditions('film.mp4')
    const builds = await Promise.all([1, 2].map(async () => await assemble(await buildProgressiveMp4([rendition!, audio!]))))
    expect(builds[0]!.equals(builds[1]!)).toBe(true)
    const audioFile = await writeProgressiveMp4('sound.m4a', [audio!])
    expect(await hash(audioFile, ...AUDIO_ARGS)).toBe(await hash(audio!, ...AUDIO_ARGS))
    expect((await probeMedia(audioFile, unlimitedProbeLimits)).video).toBeNull()
    const videoFile = await writeProgressiveMp4('silent.mp4', [rendition!])
    expect((await probeMedia(videoFile, unlimitedProbeLimits)).audios).toEqual([])
    expect(await hash(videoFile, ...VIDEO_ARGS)).toBe(await hash(rendition!, ...VIDEO_ARGS))
  })

  it('keeps variable frame durations, and renditions with muxed audio', async () => {
    await runFfmpegIn(
      scratch.folder,
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
    const unevenRenditions = await encodeRenditions('uneven.mp4')
    const file = await writeProgressiveMp4('uneven-whole.mp4', [unevenRenditions.videos[0]!, unevenRenditions.audio!])
    const sorted = async (path: string) => [...(await probePacketTimes(path))].sort((a, b) => a - b)
    expect(await sorted(file)).toEqual((await sorted(unevenRenditions.videos[0]!)).map(time => expect.closeTo(time, 3)))
    const muxed = await encodeRenditions('film.mp4', { splitAudio: false })
    const muxedFile = await writeProgressiveMp4('muxed.mp4', muxed.videos)
    expect(await hash(muxedFile, ...VIDEO_ARGS)).toBe(await hash(muxed.videos[0]!, ...VIDEO_ARGS))
    expect(await hash(muxedFile, ...AUDIO_ARGS)).toBe(await hash(muxed.videos[0]!, ...AUDIO_ARGS))
  })

  it('throws for truncated files, for files that are no fragmented MP4, and for no files', async () => {
    const {
      videos: [rendition]
    } = await encodeRenditions('film.mp4')
    const bytes = await readFile(rendition!)
    await truncate(rendition!, bytes.length - 10)
    await expect(buildProgressiveMp4([rendition!])).rejects.toThrow(TypeError)
    await writeFile(join(scratch.folder, 'noise'), Buffer.alloc(5000, 7))
    await expect(buildProgressiveMp4([join(scratch.folder, 'noise')])).rejects.toThrow(TypeError)
    await expect(buildProgressiveMp4([join(scratch.folder, 'film.mp4')])).rejects.toThrow(TypeError)
    await expect(buildProgressiveMp4([])).rejects.toThrow(TypeError)
  })
})
