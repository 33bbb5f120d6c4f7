import { createHash } from 'node:crypto'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decoded, h264, ladder, make, packetTimes, picture, raw, scratch, tone, wide } from '../test/media-fixtures.ts'
import { encodeToHls } from './hls.ts'
import { plan, type LadderSettings } from './ladder.ts'
import { probe } from './probe.ts'
import { progressive, type Progressive } from './progressive-mp4.ts'

let place: Awaited<ReturnType<typeof scratch>>
beforeAll(async () => {
  place = await scratch()
})
afterAll(async () => await place.remove())

/** Encodes a source and gives the paths of its renditions: pictures from the highest, and the sound. */
async function renditions(
  name: string,
  settings: Partial<LadderSettings> = {}
): Promise<{ pictures: string[]; sound: string | undefined }> {
  const input = join(place.folder, name)
  const facts = await probe(input, wide)
  const run = encodeToHls(input, place.folder, { ...plan(facts, { ...ladder, resolutions: [144], ...settings }), copyVideo: null }, facts, {
    withAudio: true
  })
  await run.done
  const path = (kind: string) => run.outputs.filter(output => output.kind === kind).map(({ file }) => join(place.folder, file))
  return { pictures: path('video'), sound: path('audio')[0] }
}

async function whole({ head, parts }: Progressive): Promise<Buffer> {
  const pieces = await Promise.all(parts.map(async ({ file, at, length }) => (await readFile(file)).subarray(at, at + length)))
  return Buffer.concat([head, ...pieces])
}

/** Writes the MP4 that the files make; gives its path. */
async function written(name: string, files: string[]): Promise<string> {
  const made = await progressive(files)
  const bytes = await whole(made)
  expect(bytes.length).toBe(made.size)
  await writeFile(join(place.folder, name), bytes)
  return join(place.folder, name)
}

const hash = async (file: string, ...args: string[]) =>
  createHash('sha1')
    .update(await raw(file, ...args))
    .digest('hex')
const PICTURE = ['-map', '0:v:0', '-f', 'rawvideo', '-fps_mode', 'passthrough']
const SOUND = ['-map', '0:a:0', '-f', 's16le']

describe('an MP4 that nobody stored', () => {
  it('shows every picture at its time, and every sample of the sound, as the renditions do', async () => {
    await make(place.folder, ...picture(5), ...tone(5), ...h264, '-c:a', 'aac', 'film.mp4')
    const {
      pictures: [rendition],
      sound
    } = await renditions('film.mp4')
    const file = await written('whole.mp4', [rendition!, sound!])
    expect(await decoded(file)).toMatchObject({ codec_name: 'h264', nb_read_frames: '125', nb_frames: '125' })
    expect(Number((await decoded(file)).duration)).toBeCloseTo(5, 1)
    const times = await packetTimes(file)
    expect(Math.min(...times)).toBe(0)
    expect([...times].sort((a, b) => a - b)).toEqual(
      [...(await packetTimes(rendition!))].sort((a, b) => a - b).map(time => expect.closeTo(time, 3))
    )
    expect(await hash(file, ...PICTURE)).toBe(await hash(rendition!, ...PICTURE))
    expect(await hash(file, ...SOUND)).toBe(await hash(sound!, ...SOUND))
  })

  it('can be begun anywhere: its tables stand before its data and name every keyframe', async () => {
    const file = join(place.folder, 'whole.mp4')
    const bytes = await readFile(file)
    expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'))
    // Begun at a keyframe it gives what follows there, without reading what stands before.
    await make(place.folder, '-ss', '4', '-i', 'whole.mp4', ...PICTURE, 'late.yuv')
    const late = await readFile(join(place.folder, 'late.yuv'))
    expect(late.length).toBe(25 * 144 * 192 * 1.5)
    expect(late.equals(await raw(file, ...PICTURE, '-vf', 'trim=start=3.99'))).toBe(true)
  })

  it('is the same bytes every time, and one with sound or picture alone is good, too', async () => {
    const {
      pictures: [rendition],
      sound
    } = await renditions('film.mp4')
    const twice = await Promise.all([1, 2].map(async () => await whole(await progressive([rendition!, sound!]))))
    expect(twice[0]!.equals(twice[1]!)).toBe(true)
    const heard = await written('sound.m4a', [sound!])
    expect(await hash(heard, ...SOUND)).toBe(await hash(sound!, ...SOUND))
    expect((await probe(heard, wide)).video).toBeNull()
    const seen = await written('silent.mp4', [rendition!])
    expect((await probe(seen, wide)).audios).toEqual([])
    expect(await hash(seen, ...PICTURE)).toBe(await hash(rendition!, ...PICTURE))
  })

  it('keeps pictures of uneven length, and renditions with the sound inside', async () => {
    await make(
      place.folder,
      ...picture(4),
      ...tone(4),
      '-vf',
      "select='not(between(n,20,50))',setpts=PTS",
      '-fps_mode',
      'vfr',
      ...h264,
      '-c:a',
      'aac',
      'uneven.mp4'
    )
    const uneven = await renditions('uneven.mp4')
    const file = await written('uneven-whole.mp4', [uneven.pictures[0]!, uneven.sound!])
    const sorted = async (path: string) => [...(await packetTimes(path))].sort((a, b) => a - b)
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
    await expect(progressive([rendition!])).rejects.toThrow(TypeError)
    await writeFile(join(place.folder, 'noise'), Buffer.alloc(5000, 7))
    await expect(progressive([join(place.folder, 'noise')])).rejects.toThrow(TypeError)
    await expect(progressive([join(place.folder, 'film.mp4')])).rejects.toThrow(TypeError)
    await expect(progressive([])).rejects.toThrow(TypeError)
  })
})
