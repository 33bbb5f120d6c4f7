import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeGif, type GifOptions } from '../test/gif.ts'
import { createScratchFolder, decodeToRaw, encodeLadder, runFfmpegIn, videoInputArgs } from '../test/media-fixtures.ts'
import { unlimitedProbeLimits } from '../test/media-settings.ts'
import { runFfmpeg } from './ffmpeg.ts'
import { assertGifLimits, isStillGif } from './gif-limits.ts'
import { probeMedia, type Probe } from './probe.ts'

let scratch: Awaited<ReturnType<typeof createScratchFolder>>
beforeAll(async () => {
  scratch = await createScratchFolder()
})
afterAll(() => scratch.remove())

async function writeGif(options: GifOptions): Promise<string> {
  const path = join(scratch.folder, 'file.gif')
  await writeFile(path, makeGif(options))
  return path
}
async function probeGif(options: GifOptions): Promise<Probe> {
  const probe = await probeMedia(await writeGif(options), unlimitedProbeLimits)
  assertGifLimits(probe)
  return probe
}

test('a GIF becomes a video of one pass, even if it loops for ever', async () => {
  const gif = await writeGif({ width: 64, height: 48, frames: 20 })
  const { probe, videos } = await encodeLadder(scratch.folder, 'file.gif')
  expect(probe).toMatchObject({ container: ['gif'], duration: 2, video: { width: 64, height: 48, fps: 10 } })
  expect(videos.map(({ resolution }) => resolution)).toEqual([48])
  const { frames } = await runFfmpeg({ input: gif, cwd: scratch.folder, options: ['-f', 'null'], output: '-', timeoutMs: 20_000 }).done
  expect(frames).toBe(20)
})

test('what is transparent is white', async () => {
  await writeGif({ width: 16, height: 16, frames: 5, transparent: true })
  const { folder, videos } = await encodeLadder(scratch.folder, 'file.gif')
  const pixels = await decodeToRaw(join(folder, videos[0]!.file), '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24')
  expect(Math.min(...pixels.subarray(pixels.length - 30))).toBeGreaterThan(230)
})

test('one of 1x1 pixel, one without its end, and one that is cut off play as far as they go', async () => {
  expect((await probeGif({ width: 1, height: 1, frames: 10 })).duration).toBe(1)
  expect((await encodeLadder(scratch.folder, 'file.gif')).results[0]!.seconds).toBeCloseTo(1, 1)
  expect((await probeGif({ width: 64, height: 48, frames: 10, trailer: false })).duration).toBe(1)
  await runFfmpegIn(scratch.folder, ...videoInputArgs(4), 'whole.gif')
  const bytes = await readFile(join(scratch.folder, 'whole.gif'))
  await writeFile(join(scratch.folder, 'cut.gif'), bytes.subarray(0, bytes.length * 0.6))
  const { probe, results } = await encodeLadder(scratch.folder, 'cut.gif')
  expect(probe.duration).toBeLessThan(3)
  expect(results[0]!.seconds).toBeGreaterThan(1.5)
})

test('a GIF of one frame is a picture', async () => {
  expect(isStillGif(await probeGif({ width: 64, height: 48, frames: 1 }))).toBe(true)
  expect(isStillGif(await probeGif({ width: 64, height: 48, frames: 2 }))).toBe(false)
  await expect(probeGif({ width: 64, height: 48, frames: 0 })).rejects.toMatchObject({ code: 'unreadable' })
})

test('frames without a delay are shown as browsers show them, ten a second', async () => {
  const probe = await probeGif({ width: 64, height: 48, frames: 5000, delay: 0 })
  expect([probe.duration, probe.video?.fps]).toEqual([500, 10])
})

test('bombs are refused before a frame is encoded', async () => {
  const startedAt = performance.now()
  await expect(probeGif({ width: 65_535, height: 65_535, frames: 100 })).rejects.toMatchObject({
    code: expect.stringMatching(/^(too_large|no_streams|undecodable)$/)
  })
  await expect(probeGif({ width: 4097, height: 4097, frames: 2 })).rejects.toMatchObject({ code: 'too_large' })
  await expect(probeGif({ width: 4096, height: 4096, frames: 1200 })).rejects.toMatchObject({ code: 'too_large' })
  await expect(probeGif({ width: 1920, height: 1080, frames: 10_000 })).rejects.toMatchObject({ code: 'too_large' })
  expect(performance.now() - startedAt).toBeLessThan(20_000)
  expect((await probeGif({ width: 1920, height: 1080, frames: 100 })).duration).toBe(10)
})

test('an address inside a GIF is not opened', async () => {
  let requests = 0
  const server = createServer((_, response) => {
    requests++
    response.end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const comment = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.gif`
  expect((await probeGif({ width: 64, height: 48, frames: 5, comment })).duration).toBe(0.5)
  await encodeLadder(scratch.folder, 'file.gif')
  expect(requests).toBe(0)
  server.close()
})
