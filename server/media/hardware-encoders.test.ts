import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { H264Encoder } from '../../shared/encoders.ts'
import {
  chooseEncoder,
  findWorkingEncoders,
  hardwareEncoderArgs,
  hardwareSetup,
  hasEncoderDevice,
  tryEncoder
} from './hardware-encoders.ts'
import { ladderFilterGraph } from './ffmpeg-filters.ts'
import {
  probeDecodedStream,
  h264Args,
  testLadderSettings,
  runFfmpegIn,
  videoInputArgs,
  createScratchFolder,
  unlimitedProbeLimits
} from '../test/media-fixtures.ts'
import { planLadder } from './ladder.ts'
import { probeMedia } from './probe.ts'

let place: Awaited<ReturnType<typeof createScratchFolder>>
const path = process.env.PATH
beforeAll(async () => {
  place = await createScratchFolder()
})
afterAll(async () => {
  process.env.PATH = path
  await place.remove()
})

/** A machine on which these work, and one whose prober itself breaks for another. */
const machine =
  (...works: H264Encoder[]) =>
  async (encoder: H264Encoder) => {
    if (encoder === 'h264_videotoolbox') throw new Error('no such program')
    return works.includes(encoder)
  }

const MACHINES: [string, H264Encoder[], H264Encoder[]][] = [
  ['no hardware', [], ['libx264']],
  ['NVIDIA', ['h264_nvenc'], ['h264_nvenc', 'libx264']],
  ['Intel: both ways to the same device, the faster first', ['h264_vaapi', 'h264_qsv'], ['h264_qsv', 'h264_vaapi', 'libx264']]
]
test.each(MACHINES)('what works on a machine with %s', async (_, works, found) => {
  expect(await findWorkingEncoders(machine(...works))).toEqual(found)
})

const CHOICES: [Parameters<typeof chooseEncoder>[0], H264Encoder[], H264Encoder][] = [
  ['auto', ['h264_qsv', 'h264_vaapi', 'libx264'], 'h264_qsv'],
  ['auto', ['libx264'], 'libx264'],
  ['libx264', ['h264_nvenc', 'libx264'], 'libx264'],
  ['h264_vaapi', ['h264_qsv', 'h264_vaapi', 'libx264'], 'h264_vaapi'],
  ['h264_nvenc', ['libx264'], 'libx264'],
  ['auto', [], 'libx264']
]
test.each(CHOICES)('asked for %s where %j work: %s', (wanted, working, chosen) => {
  expect(chooseEncoder(wanted, working)).toBe(chosen)
})

test.runIf(process.platform === 'linux')('a machine without a device needs no trial', () => {
  expect(hasEncoderDevice([])).toBe(false)
  expect(hasEncoderDevice(['/dev/no such card', join(place.folder, 'none')])).toBe(false)
  expect(hasEncoderDevice(['/dev/no such card', '/dev/null'])).toBe(true)
})

test('the software encoder needs no trial; one that the machine does not have fails its own', async () => {
  expect(await tryEncoder('libx264', 1)).toBe(true)
  expect(await tryEncoder('h264_videotoolbox', 20_000)).toBe(false)
})

/** An ffmpeg of one's own in the folder `name`, found first. */
async function stand(name: string, script: string): Promise<void> {
  const folder = join(place.folder, name)
  await mkdir(folder)
  await writeFile(join(folder, 'ffmpeg'), `#!/bin/bash\n${script}\n`)
  await chmod(join(folder, 'ffmpeg'), 0o755)
  process.env.PATH = `${folder}:${path}`
}

test('only pictures count: not that the program ends well, nor that it begins', async () => {
  await stand('liar', 'exit 0')
  expect(await tryEncoder('h264_nvenc', 10_000)).toBe(false)
  await stand('half', 'for i in $(seq 20); do echo "0, $i, $i, 1, 100, 0x0"; done')
  expect(await tryEncoder('h264_nvenc', 10_000)).toBe(false)
  await stand('good', 'echo "#software: x"; for i in $(seq 30); do echo "0, $i, $i, 1, 100, 0x0"; done')
  expect(await tryEncoder('h264_nvenc', 10_000)).toBe(true)
})

test('a driver that hangs is not waited for, and does not stay', async () => {
  await stand('hanging', `echo $$ > '${join(place.folder, 'pid')}'; exec sleep 60`)
  expect(await tryEncoder('h264_qsv', 1500)).toBe(false)
  process.env.PATH = path
  const pid = (await readFile(join(place.folder, 'pid'), 'utf8')).trim()
  expect((await readdir('/proc')).includes(pid)).toBe(false)
})

test('every rung goes through the filters that bring it to the device', async () => {
  await runFfmpegIn(place.folder, ...videoInputArgs(1, 25, '640x480'), ...h264Args, 'source.mp4')
  const found = await probeMedia(join(place.folder, 'source.mp4'), unlimitedProbeLimits)
  const made = planLadder(found, { ...testLadderSettings, resolutions: [360, 240] })
  expect(made.encode.length).toBeGreaterThan(1)
  // A device that nobody has here is stood for by another size.
  const graph = await ladderFilterGraph(found, made, { upload: ['scale=64:48'] })
  await runFfmpegIn(
    place.folder,
    '-i',
    'source.mp4',
    '-filter_complex',
    graph,
    ...made.encode.flatMap((_, i) => ['-map', `[v${i}]`, '-c:v', 'libx264', `${i}.mp4`])
  )
  for (const i of made.encode.keys())
    expect(await probeDecodedStream(join(place.folder, `${i}.mp4`))).toMatchObject({ width: 64, height: 48 })
})

test('what each device is told', () => {
  for (const encoder of ['h264_nvenc', 'h264_qsv', 'h264_vaapi', 'h264_videotoolbox'] as const) {
    const args = hardwareEncoderArgs(encoder, { maxrate: 1_000_000 }, 2)
    expect(args.length % 2).toBe(0)
    for (const [i, arg] of args.entries()) if (i % 2 === 0) expect(arg).toMatch(/^-[a-z_-]+:v:2$/)
    // The average stays below the end.
    const rate = Number(args[args.indexOf('-b:v:2') + 1])
    expect(rate).toBeLessThan(1_000_000)
  }
  expect(hardwareSetup('libx264')).toEqual({ device: [], upload: [] })
  expect(hardwareSetup('h264_vaapi').upload.at(-1)).toBe('hwupload')
})
