import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { copyToHls, encodeToHls, type HlsOptions, type HlsOutput, type HlsResult } from '../media/hls.ts'
import { planLadder, type LadderSettings, type TranscodingPlan } from '../media/ladder.ts'
import { probeMedia, type Probe } from '../media/probe.ts'
import { expectGoodMedia, type MediaExpectations } from './media-checker.ts'
import { testLadderSettings, unlimitedProbeLimits } from './media-settings.ts'

const run = promisify(execFile)

/** For tests: creates an empty temporary folder; `remove` deletes it. */
export async function createScratchFolder(): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'bobine media '))
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** For tests: runs ffmpeg with these arguments in a folder. */
export async function runFfmpegIn(folder: string, ...args: string[]): Promise<void> {
  await run('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], { cwd: folder })
}

/** For tests: input options for a small test video of this many seconds. */
export function videoInputArgs(seconds: number, rate = 25, size = '320x240'): string[] {
  return ['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${rate}:d=${seconds}`]
}

/** For tests: input options for a tone of this many seconds. */
export function toneInputArgs(seconds: number): string[] {
  return ['-f', 'lavfi', '-i', `sine=d=${seconds}`]
}

/** For tests: encoder options for a plain H.264 stream with a keyframe every two seconds at 25 frames per second. */
export const h264Args = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '50', '-pix_fmt', 'yuv420p']

/** For tests: ffprobe's description of one stream of a file, its frames counted by decoding them. */
export async function probeDecodedStream(file: string, stream = 'v:0'): Promise<Record<string, string>> {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-count_frames', '-select_streams', stream, '-show_streams', '-of', 'json', file])
  const { streams } = JSON.parse(stdout) as { streams: Record<string, string>[] }
  return streams[0] ?? {}
}

/** For tests: the results of `probeDecodedStream` and `probePacketTimes` from one run of ffprobe. */
export async function probeDecodedStreamWithTimes(file: string): Promise<{ stream: Record<string, string>; times: number[] }> {
  const { stdout } = await run(
    'ffprobe',
    ['-v', 'error', '-count_frames', '-select_streams', 'v:0', '-show_streams', '-show_entries', 'packet=pts_time', '-of', 'json', file],
    { maxBuffer: 16 * 1024 * 1024 }
  )
  const { streams, packets } = JSON.parse(stdout) as { streams: Record<string, string>[]; packets: { pts_time: string }[] }
  return { stream: streams[0] ?? {}, times: packets.map(({ pts_time }) => Number.parseFloat(pts_time)) }
}

/** For tests: the presentation times of the frames of a file, in seconds, in storage order. */
export async function probePacketTimes(file: string): Promise<number[]> {
  const { stdout } = await run('ffprobe', [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_entries',
    'packet=pts_time',
    '-of',
    'csv=p=0',
    file
  ])
  return stdout.split('\n').filter(Boolean).map(Number.parseFloat)
}

/** For tests: the raw bytes that a file decodes to. */
export async function decodeToRaw(file: string, ...args: string[]): Promise<Buffer> {
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-nostdin', '-i', file, ...args, '-'], {
    encoding: 'buffer',
    maxBuffer: 512 * 1024 * 1024
  })
  return stdout
}

/** For tests: an encoded source: its probe, the plan, and in `folder` the renditions with their results. */
export type EncodedLadder = {
  probe: Probe
  plan: TranscodingPlan
  folder: string
  outputs: HlsOutput[]
  results: HlsResult[]
  videos: HlsOutput[]
  audio: HlsOutput | undefined
}

const checkedLadders = new Set<string>()

/**
 * For tests: makes the whole ladder of a file of `folder` in a subfolder, as the product does: first the copy, then one encode. Throws if
 * `checkMedia` finds something wrong with it; `expectations` are for sources whose renditions cannot be like them.
 */
export async function encodeLadder(
  folder: string,
  name: string,
  settings: Partial<LadderSettings> = {},
  options: HlsOptions = {},
  expectations: Partial<MediaExpectations> = {}
): Promise<EncodedLadder> {
  const file = join(folder, name)
  const probe = await probeMedia(file, unlimitedProbeLimits)
  const plan = planLadder(probe, { ...testLadderSettings, ...settings })
  const outputFolder = await mkdtemp(join(folder, 'out '))
  const runs = [
    ...(plan.copyVideo ? [copyToHls(file, outputFolder, plan, probe, options)] : []),
    ...(plan.encode.length > 0 ? [encodeToHls(file, outputFolder, plan, probe, options)] : [])
  ]
  const results: HlsResult[] = []
  for (const run of runs) results.push(await run.done)
  const outputs = runs.flatMap(run => run.outputs)
  const copies = plan.copyVideo ? runs[0]!.outputs : []
  const checked = outputs.map(output => ({ ...output, copied: copies.includes(output) }))
  const sizes = await Promise.all(outputs.map(async output => (await stat(join(outputFolder, output.file))).size))
  const key = JSON.stringify([
    createHash('sha256')
      .update(await readFile(file))
      .digest('hex'),
    settings,
    expectations,
    sizes
  ])
  // The same renditions of the same source are good again.
  if (!checkedLadders.has(key)) await expectGoodMedia({ source: file, probe, folder: outputFolder, outputs: checked }, expectations)
  checkedLadders.add(key)
  return {
    probe,
    plan,
    folder: outputFolder,
    outputs,
    results,
    videos: outputs.filter(output => output.kind === 'video'),
    audio: outputs.find(output => output.kind === 'audio')
  }
}
