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
import { probeDecodedStream, h264Args, runFfmpegIn, videoInputArgs, createScratchFolder } from '../test/media-fixtures.ts'
import { testLadderSettings, unlimitedProbeLimits } from '../test/media-settings.ts'
import { planLadder } from './ladder.ts'
import { probeMedia } from './probe.ts'

let scratch: Awaited<ReturnType<typeof createScratchFolder>>
const originalPath = process.env.PATH
beforeAll(async () => {
  scratch = await createScratchFolder()
})
afterAll(async () => {
  process.env.PATH = originalPath
  await scratch.remove()
})

/** A prober for which these encoders work, and which throws for videotoolbox. */
const proberFor =
  (...workingOnMachine: H264Encoder[]) =>
  async (encoder: H264Encoder) => {
    if (encoder === 'h264_videotoolbox') throw new Error('no such program')
    return workingOnMachine.includes(encoder)
  }

const MACHINE_CASES: [string, H264Encoder[], H264Encoder[]][] = [
  ['no hardware', [], ['libx264']],
  ['NVIDIA', ['h264_nvenc'], ['h264_nvenc', 'libx264']],
  ['Intel: two encoders for the same device, the faster first', ['h264_vaapi', 'h264_qsv'], ['h264_qsv', 'h264_vaapi', 'libx264']]
]
test.each(MACHINE_CASES)('working encoders on a machine with %s', async (_, workingOnMachine, expected) => {
  expect(await findWorkingEncoders(proberFor(...workingOnMachine))).toEqual(expected)
})

const CHOICE_CASES: [Parameters<typeof chooseEncoder>[0], H264Encoder[], H264Encoder][] = [
  ['auto', ['h264_qsv', 'h264_vaapi', 'libx264'], 'h264_qsv'],
  ['auto', ['libx264'], 'libx264'],
  ['libx264', ['h264_nvenc', 'libx264'], 'libx264'],
  ['h264_vaapi', ['h264_qsv', 'h264_vaapi', 'libx264'], 'h264_vaapi'],
  ['h264_nvenc', ['libx264'], 'libx264'],
  ['auto', [], 'libx264']
]
test.each(CHOICE_CASES)('configured %s, working %j: %s', (configured, working, expected) => {
  expect(chooseEncoder(configured, working)).toBe(expected)
})

test.runIf(process.platform === 'linux')('a machine without a device file needs no trial encode', () => {
  expect(hasEncoderDevice([])).toBe(false)
  expect(hasEncoderDevice(['/dev/no such card', join(scratch.folder, 'none')])).toBe(false)
  expect(hasEncoderDevice(['/dev/no such card', '/dev/null'])).toBe(true)
})

test('the software encoder needs no trial encode; one that the machine does not have fails it', async () => {
  expect(await tryEncoder('libx264', 1)).toBe(true)
  expect(await tryEncoder('h264_videotoolbox', 20_000)).toBe(false)
})

/** Puts a fake ffmpeg into the folder `name`, first in PATH. */
async function installFakeFfmpeg(name: string, script: string): Promise<void> {
  const folder = join(scratch.folder, name)
  await mkdir(folder)
  await writeFile(join(folder, 'ffmpeg'), `#!/bin/bash\n${script}\n`)
  await chmod(join(folder, 'ffmpeg'), 0o755)
  process.env.PATH = `${folder}:${originalPath}`
}

test('only the number of encoded frames counts, not the exit status', async () => {
  await installFakeFfmpeg('liar', 'exit 0')
  expect(await tryEncoder('h264_nvenc', 10_000)).toBe(false)
  await installFakeFfmpeg('half', 'for i in $(seq 20); do echo "0, $i, $i, 1, 100, 0x0"; done')
  expect(await tryEncoder('h264_nvenc', 10_000)).toBe(false)
  await installFakeFfmpeg('good', 'echo "#software: x"; for i in $(seq 30); do echo "0, $i, $i, 1, 100, 0x0"; done')
  expect(await tryEncoder('h264_nvenc', 10_000)).toBe(true)
})

test('an encoder that hangs is killed after the timeout', async () => {
  await installFakeFfmpeg('hanging', `echo $$ > '${join(scratch.folder, 'pid')}'; exec sleep 60`)
  expect(await tryEncoder('h264_qsv', 1500)).toBe(false)
  process.env.PATH = originalPath
  const pid = (await readFile(join(scratch.folder, 'pid'), 'utf8')).trim()
  expect((await readdir('/proc')).includes(pid)).toBe(false)
})

test('every rendition passes the upload filters of the device', async () => {
  await runFfmpegIn(scratch.folder, ...videoInputArgs(1, 25, '640x480'), ...h264Args, 'source.mp4')
  const probe = await probeMedia(join(scratch.folder, 'source.mp4'), unlimitedProbeLimits)
  const plan = planLadder(probe, { ...testLadderSettings, resolutions: [360, 240] })
  expect(plan.encode.length).toBeGreaterThan(1)
  // A scale filter stands in for the upload to a device.
  const graph = await ladderFilterGraph(probe, plan, { upload: ['scale=64:48'] })
  await runFfmpegIn(
    scratch.folder,
    '-i',
    'source.mp4',
    '-filter_complex',
    graph,
    ...plan.encode.flatMap((_, i) => ['-map', `[v${i}]`, '-c:v', 'libx264', `${i}.mp4`])
  )
  for (const i of plan.encode.keys())
    expect(await probeDecodedStream(join(scratch.folder, `${i}.mp4`))).toMatchObject({ width: 64, height: 48 })
})

test('options of each encoder', () => {
  for (const encoder of ['h264_nvenc', 'h264_qsv', 'h264_vaapi', 'h264_videotoolbox'] as const) {
    const args = hardwareEncoderArgs(encoder, { maxrate: 1_000_000 }, 2)
    expect(args.length % 2).toBe(0)
    for (const [i, arg] of args.entries()) if (i % 2 === 0) expect(arg).toMatch(/^-[a-z_-]+:v:2$/)
    // The average bit rate is below maxrate.
    const rate = Number(args[args.indexOf('-b:v:2') + 1])
    expect(rate).toBeLessThan(1_000_000)
  }
  expect(hardwareSetup('libx264')).toEqual({ device: [], upload: [] })
  expect(hardwareSetup('h264_vaapi').upload.at(-1)).toBe('hwupload')
})
