import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { H264_ENCODERS, SOFTWARE_ENCODER, type H264Encoder } from '../../shared/encoders.ts'
import { ffmpegGuardPath } from './ffmpeg.ts'
import type { PlannedRendition } from './ladder.ts'

type Hardware = {
  /** Options before the input. */
  device: string[]
  /** Filters that bring a picture to where it is encoded. */
  upload: string[]
  /** Options of one rung, without the number of the stream; bit rates have an end in each, as x264's. */
  options(rung: Pick<PlannedRendition, 'maxrate'>): [name: string, value: string | number][]
}

/** Part of its highest bit rate that a rung gets on the average, where an encoder knows no constant quality with an end. */
const USUAL = 0.7
const usual = ({ maxrate }: Pick<PlannedRendition, 'maxrate'>): number => Math.round(maxrate * USUAL)

const HARDWARE: Record<Exclude<H264Encoder, typeof SOFTWARE_ENCODER>, Hardware> = {
  h264_nvenc: {
    device: [],
    upload: [],
    options: () => [
      ['preset', 'p4'],
      ['tune', 'hq'],
      ['rc', 'vbr'],
      ['cq', 25],
      ['b', 0],
      ['forced-idr', 1]
    ]
  },
  h264_qsv: {
    device: ['-init_hw_device', 'qsv=gpu'],
    upload: ['format=nv12'],
    options: rung => [
      ['preset', 'medium'],
      ['b', usual(rung)],
      ['forced_idr', 1],
      ['look_ahead', 0]
    ]
  },
  h264_vaapi: {
    device: ['-init_hw_device', 'vaapi=gpu', '-filter_hw_device', 'gpu'],
    upload: ['format=nv12', 'hwupload'],
    options: rung => [
      ['rc_mode', 'VBR'],
      ['b', usual(rung)]
    ]
  },
  h264_videotoolbox: {
    device: [],
    upload: ['format=nv12'],
    options: rung => [
      ['b', usual(rung)],
      ['allow_sw', 0],
      ['realtime', 0]
    ]
  }
}

/** What a hardware encoder needs before the input and behind the filters; nothing for libx264. */
export function hardwareSetup(encoder: H264Encoder): { device: string[]; upload: string[] } {
  return encoder === SOFTWARE_ENCODER ? { device: [], upload: [] } : HARDWARE[encoder]
}

/**
 * The encoder's own options for the `i`th picture. B-frames are left out: not every device has them, and each counts their times in its own
 * way.
 */
export function hardwareEncoderArgs(
  encoder: Exclude<H264Encoder, typeof SOFTWARE_ENCODER>,
  rung: Pick<PlannedRendition, 'maxrate'>,
  i: number
): string[] {
  return [['bf', 0] as const, ...HARDWARE[encoder].options(rung)].flatMap(([name, value]) => [`-${name}:v:${i}`, String(value)])
}

/**
 * Whether this machine may have a hardware encoder at all: without a device Linux has none, which is known sooner than an ffmpeg tells it.
 */
export function hasEncoderDevice(devices: string[]): boolean {
  return process.platform !== 'linux' || devices.some(path => existsSync(path))
}

const TRIAL = { seconds: 1, fps: 30, maxrate: 1_500_000 }

/** Whether this machine really encodes a second of pictures with an encoder, within `timeout` ms. */
export async function tryEncoder(encoder: H264Encoder, timeout: number): Promise<boolean> {
  if (encoder === SOFTWARE_ENCODER) return true
  const { device, upload } = HARDWARE[encoder]
  const { seconds, fps, maxrate } = TRIAL
  const args = [
    '-nostdin',
    '-hide_banner',
    '-loglevel',
    'error',
    ...device,
    '-f',
    'lavfi',
    '-i',
    `testsrc2=s=640x360:r=${fps}:d=${seconds},format=yuv420p`,
    ...(upload.length > 0 ? ['-vf', upload.join(',')] : []),
    '-c:v:0',
    encoder,
    ...hardwareEncoderArgs(encoder, { maxrate }, 0),
    '-maxrate:v:0',
    String(maxrate),
    '-bufsize:v:0',
    String(maxrate * 2),
    '-f',
    'framecrc',
    '-'
  ]
  return await new Promise(resolve => {
    // A line of framecrc's for every picture that came out.
    const child = execFile(ffmpegGuardPath(), args, { encoding: 'utf8' }, (error, text) => {
      clearTimeout(timer)
      resolve(!error && text.split('\n').filter(line => line !== '' && !line.startsWith('#')).length >= seconds * fps)
    })
    child.stdin?.on('error', () => {})
    // The guard ends ffmpeg, which may hang in a driver.
    const timer = setTimeout(() => {
      child.stdin?.destroy()
    }, timeout)
  })
}

/** The encoders that work, the one to be preferred first; libx264 is always among them. `prober` tells of one whether it works. */
export async function findWorkingEncoders(prober: (encoder: H264Encoder) => Promise<boolean>): Promise<H264Encoder[]> {
  const found: H264Encoder[] = []
  // One after the other: devices have a limit to what they do at once.
  for (const encoder of H264_ENCODERS) if (encoder === SOFTWARE_ENCODER || (await prober(encoder).catch(() => false))) found.push(encoder)
  return found
}

/** The encoder to use of those that work: the one asked for, or the first; libx264 where what is asked for does not work. */
export function chooseEncoder(wanted: H264Encoder | 'auto', working: H264Encoder[]): H264Encoder {
  if (wanted === 'auto') return working[0] ?? SOFTWARE_ENCODER
  return working.includes(wanted) ? wanted : SOFTWARE_ENCODER
}
