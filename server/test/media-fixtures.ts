import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { copyToHls, encodeToHls, type HlsOptions, type HlsOutput, type HlsResult } from '../media/hls.ts'
import { planLadder, type LadderSettings, type TranscodingPlan } from '../media/ladder.ts'
import { probeMedia, type Probe, type ProbeLimits } from '../media/probe.ts'

const run = promisify(execFile)

/** For tests: a new empty folder and the way to be rid of it. */
export async function createScratchFolder(): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'bobine media '))
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** For tests: runs ffmpeg with these arguments in a folder. */
export async function runFfmpegIn(folder: string, ...args: string[]): Promise<void> {
  await run('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], { cwd: folder })
}

/** For tests: a small moving picture of this many seconds. */
export function videoInputArgs(seconds: number, rate = 25, size = '320x240'): string[] {
  return ['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${rate}:d=${seconds}`]
}

/** For tests: a tone of this many seconds. */
export function toneInputArgs(seconds: number): string[] {
  return ['-f', 'lavfi', '-i', `sine=d=${seconds}`]
}

/** For tests: options for a plain H.264 stream with a keyframe every two seconds at 25 frames per second. */
export const h264Args = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '50', '-pix_fmt', 'yuv420p']

/** For tests: one stream of a file as ffprobe tells it, its pictures counted by decoding them. */
export async function probeDecodedStream(file: string, stream = 'v:0'): Promise<Record<string, string>> {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-count_frames', '-select_streams', stream, '-show_streams', '-of', 'json', file])
  const { streams } = JSON.parse(stdout) as { streams: Record<string, string>[] }
  return streams[0] ?? {}
}

/** For tests: what `decoded` and `packetTimes` tell, of one look at the file. */
export async function probeDecodedStreamWithTimes(file: string): Promise<{ stream: Record<string, string>; times: number[] }> {
  const { stdout } = await run(
    'ffprobe',
    ['-v', 'error', '-count_frames', '-select_streams', 'v:0', '-show_streams', '-show_entries', 'packet=pts_time', '-of', 'json', file],
    { maxBuffer: 16 * 1024 * 1024 }
  )
  const { streams, packets } = JSON.parse(stdout) as { streams: Record<string, string>[]; packets: { pts_time: string }[] }
  return { stream: streams[0] ?? {}, times: packets.map(({ pts_time }) => Number.parseFloat(pts_time)) }
}

/** For tests: when the pictures of a file are shown, in seconds, in the order they are stored in. */
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

/** For tests: the raw bytes a file decodes to. */
export async function decodeToRaw(file: string, ...args: string[]): Promise<Buffer> {
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-nostdin', '-i', file, ...args, '-'], {
    encoding: 'buffer',
    maxBuffer: 512 * 1024 * 1024
  })
  return stdout
}

/** For tests: limits that stop nothing. */
export const unlimitedProbeLimits: ProbeLimits = {
  maxDuration: null,
  maxPixels: 50_000_000,
  maxFps: 480,
  maxStreams: 16,
  timeoutMs: 30_000
}

/** For tests: a common ladder. */
export const testLadderSettings: LadderSettings = {
  resolutions: [144, 240, 360, 480, 720, 1080],
  alwaysOriginal: true,
  maxFps: 60,
  splitAudio: true,
  crf: 23,
  maxAudioTracks: 8,
  audioBitrate: 128_000,
  maxKeyframeInterval: 4,
  segmentSeconds: 2,
  preset: 'ultrafast',
  threadsPerRung: 1
}

/** For tests: what became of a source in `folder`: the facts, the plan, and the renditions with their results. */
export type EncodedLadder = {
  found: Probe
  made: TranscodingPlan
  folder: string
  outputs: HlsOutput[]
  results: HlsResult[]
  videos: HlsOutput[]
  audio: HlsOutput | undefined
}

/** For tests: makes the whole ladder of a file of `place` in a folder of its own, as the product does: the copy first, then one encode. */
export async function encodeLadder(
  place: string,
  name: string,
  change: Partial<LadderSettings> = {},
  options: HlsOptions = {}
): Promise<EncodedLadder> {
  const file = join(place, name)
  const found = await probeMedia(file, unlimitedProbeLimits)
  const made = planLadder(found, { ...testLadderSettings, ...change })
  const folder = await mkdtemp(join(place, 'out '))
  const runs = [
    ...(made.copyVideo ? [copyToHls(file, folder, made, found, options)] : []),
    ...(made.encode.length > 0 ? [encodeToHls(file, folder, made, found, options)] : [])
  ]
  const results: HlsResult[] = []
  for (const run of runs) results.push(await run.done)
  const outputs = runs.flatMap(run => run.outputs)
  return {
    found,
    made,
    folder,
    outputs,
    results,
    videos: outputs.filter(output => output.kind === 'video'),
    audio: outputs.find(output => output.kind === 'audio')
  }
}
