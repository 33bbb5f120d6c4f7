import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeGif } from '../test/gif.ts'
import { createScratchFolder, runFfmpegIn, toneInputArgs, videoInputArgs } from '../test/media-fixtures.ts'
import { unlimitedProbeLimits } from '../test/media-settings.ts'
import { isCutOff } from './cut-off.ts'
import { probeMedia } from './probe.ts'

let scratch: Awaited<ReturnType<typeof createScratchFolder>>
beforeAll(async () => {
  scratch = await createScratchFolder()
})
afterAll(() => scratch.remove())

const both = [...videoInputArgs(8), ...toneInputArgs(8)]
const FILES: [string, string[], string][] = [
  ['avi', [...both, '-c:v', 'mpeg4', '-c:a', 'libmp3lame', '-f', 'avi'], 'avi'],
  ['wav', [...toneInputArgs(8), '-f', 'wav'], 'wav'],
  ['wmv', [...both, '-c:v', 'wmv2', '-c:a', 'wmav2', '-f', 'asf'], 'asf'],
  ['ogv', [...both, '-c:v', 'libtheora', '-c:a', 'libvorbis', '-f', 'ogg'], 'ogg'],
  ['gif', [...videoInputArgs(8), '-f', 'gif'], 'gif'],
  ['opus', [...toneInputArgs(8), '-c:a', 'libopus', '-f', 'opus'], 'ogg']
]

test.each(FILES)('%s: whole or cut off at 60 %', async (extension, args, container) => {
  const whole = join(scratch.folder, `whole.${extension}`)
  const cut = join(scratch.folder, `cut.${extension}`)
  await runFfmpegIn(scratch.folder, ...args, whole)
  const bytes = await readFile(whole)
  await writeFile(cut, bytes.subarray(0, bytes.length * 0.6))
  expect((await probeMedia(whole, unlimitedProbeLimits)).container).toContain(container)
  expect([await isCutOff(whole, [container]), await isCutOff(cut, [container])]).toEqual([false, true])
  const { duration } = await probeMedia(cut, unlimitedProbeLimits)
  expect(duration).toBeGreaterThan(3)
  expect(duration).toBeLessThan(6.5)
})

test('a GIF is cut off wherever it ends within a block', async () => {
  const bytes = makeGif({ width: 64, height: 48, frames: 3 })
  const path = join(scratch.folder, 'cut.gif')
  const isCutOffAt = async (length: number): Promise<boolean> => {
    await writeFile(path, bytes.subarray(0, length))
    return await isCutOff(path, ['gif'])
  }
  const results: boolean[] = []
  for (let length = 20; length <= bytes.length; length++) results.push(await isCutOffAt(length))
  // Whole at the end, without the trailer, between two frames and after the block that loops.
  const ends = [bytes.length, bytes.length - 1, bytes.length - 24, bytes.length - 47, bytes.length - 70]
  const controlBlocks = [15, 38, 61].map(length => bytes.length - 1 - length)
  expect(results.flatMap((isCut, i) => (isCut ? [] : [i + 20])).sort((a, b) => b - a)).toEqual(
    [...ends, ...controlBlocks].sort((a, b) => b - a)
  )
  await writeFile(path, Buffer.concat([bytes, Buffer.alloc(1000, 'junk')]))
  expect(await isCutOff(path, ['gif'])).toBe(false)
})

test('an AVI that only lacks its index is not cut off', async () => {
  const bytes = await readFile(join(scratch.folder, 'whole.avi'))
  await writeFile(join(scratch.folder, 'no-index.avi'), bytes.subarray(0, bytes.lastIndexOf('idx1')))
  expect(await isCutOff(join(scratch.folder, 'no-index.avi'), ['avi'])).toBe(false)
})

test('sizes that a recorder left open say nothing', async () => {
  const bytes = await readFile(join(scratch.folder, 'whole.wav'))
  const data = bytes.indexOf('data')
  for (const size of [0, 0xffffffff]) {
    bytes.writeUInt32LE(size, data + 4)
    await writeFile(join(scratch.folder, 'open.wav'), bytes)
    expect(await isCutOff(join(scratch.folder, 'open.wav'), ['wav'])).toBe(false)
  }
})

test('hostile structures end', async () => {
  const path = join(scratch.folder, 'hostile')
  const emptyLists = Buffer.from('RIFF\0\0\0\0AVI '.repeat(50_000), 'latin1')
  const hugeObject = Buffer.concat([Buffer.alloc(16, 1), Buffer.alloc(8, 0xff), Buffer.alloc(100)])
  for (const bytes of [hugeObject, Buffer.alloc(0), Buffer.alloc(3), Buffer.alloc(100_000), emptyLists, Buffer.alloc(100_000, 'OggS')])
    for (const container of ['avi', 'asf', 'ogg', 'gif', 'mp4']) {
      await writeFile(path, bytes)
      expect(typeof (await isCutOff(path, [container]))).toBe('boolean')
    }
})
