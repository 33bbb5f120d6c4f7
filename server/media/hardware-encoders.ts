import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { H264_ENCODERS, SOFTWARE_ENCODER, type H264Encoder } from '../../shared/encoders.ts'
import { ffmpegGuardPath } from './ffmpeg.ts'
import type { PlannedRendition } from './ladder.ts'

type HardwareEncoder = {
  /** Options before the input. */
  device: string[]
  /** Filters that transfer frames to the device. */
  upload: string[]
  /** Options for one rendition, without the stream index; the bit rate is capped by `maxrate` in each, as with x264. */
  options(rendition: Pick<PlannedRendition, 'maxrate'>): [name: string, value: string | number][]
}

/** Share of `maxrate` used as the average bit rate, for encoders without a capped constant-quality mode. */
const AVERAGE_RATE_SHARE = 0.7
const averageRate = ({ maxrate }: Pick<PlannedRendition, 'maxrate'>): number => Math.round(maxrate * AVERAGE_RATE_SHARE)

const HARDWARE_ENCODERS: Record<Exclude<H264Encoder, typeof SOFTWARE_ENCODER>, HardwareEncoder> = {
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
    options: rendition => [
      ['preset', 'medium'],
      ['b', averageRate(rendition)],
      ['forced_idr', 1],
      ['look_ahead', 0]
    ]
  },
  h264_vaapi: {
    device: ['-init_hw_device', 'vaapi=gpu', '-filter_hw_device', 'gpu'],
    upload: ['format=nv12', 'hwupload'],
    options: rendition => [
      ['rc_mode', 'VBR'],
      ['b', averageRate(rendition)]
    ]
  },
  h264_videotoolbox: {
    device: [],
    upload: ['format=nv12'],
    options: rendition => [
      ['b', averageRate(rendition)],
      ['allow_sw', 0],
      ['realtime', 0]
    ]
  }
}

/** The input options (`device`) and the filters (`upload`) that a hardware encoder needs; empty for libx264. */
export function hardwareSetup(encoder: H264Encoder): { device: string[]; upload: string[] } {
  return encoder === SOFTWARE_ENCODER ? { device: [], upload: [] } : HARDWARE_ENCODERS[encoder]
}

/**
 * The encoder-specific options for the `i`th video stream of the output. B-frames are disabled: not every device supports them, and each
 * computes their timestamps differently.
 */
export function hardwareEncoderArgs(
  encoder: Exclude<H264Encoder, typeof SOFTWARE_ENCODER>,
  rendition: Pick<PlannedRendition, 'maxrate'>,
  i: number
): string[] {
  return [['bf', 0] as const, ...HARDWARE_ENCODERS[encoder].options(rendition)].flatMap(([name, value]) => [
    `-${name}:v:${i}`,
    String(value)
  ])
}

/** Whether this machine may have a hardware encoder: on Linux that needs a device file, which is faster to check than with ffmpeg. */
export function hasEncoderDevice(devices: string[]): boolean {
  return process.platform !== 'linux' || devices.some(path => existsSync(path))
}

const TRIAL_ENCODE = { seconds: 1, fps: 30, maxrate: 1_500_000 }

/** Whether an encoder really encodes one second of frames on this machine, within `timeout` ms. */
export async function tryEncoder(encoder: H264Encoder, timeout: number): Promise<boolean> {
  if (encoder === SOFTWARE_ENCODER) return true
  const { device, upload } = HARDWARE_ENCODERS[encoder]
  const { seconds, fps, maxrate } = TRIAL_ENCODE
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
    // framecrc prints a line for every encoded frame.
    const child = execFile(ffmpegGuardPath(), args, { encoding: 'utf8' }, (error, text) => {
      clearTimeout(timer)
      resolve(!error && text.split('\n').filter(line => line !== '' && !line.startsWith('#')).length >= seconds * fps)
    })
    child.stdin?.on('error', () => {})
    // Closing its input makes the guard end ffmpeg, which may hang in a driver.
    const timer = setTimeout(() => {
      child.stdin?.destroy()
    }, timeout)
  })
}

/** The encoders that work, in order of preference; libx264 is always among them. `prober` returns whether an encoder works. */
export async function findWorkingEncoders(prober: (encoder: H264Encoder) => Promise<boolean>): Promise<H264Encoder[]> {
  const workingEncoders: H264Encoder[] = []
  // Sequentially: devices limit the number of concurrent sessions.
  for (const encoder of H264_ENCODERS)
    if (encoder === SOFTWARE_ENCODER || (await prober(encoder).catch(() => false))) workingEncoders.push(encoder)
  return workingEncoders
}

/** Chooses among the working encoders: the configured one, with `auto` the first; libx264 if the configured one does not work. */
export function chooseEncoder(configured: H264Encoder | 'auto', workingEncoders: H264Encoder[]): H264Encoder {
  if (configured === 'auto') return workingEncoders[0] ?? SOFTWARE_ENCODER
  return workingEncoders.includes(configured) ? configured : SOFTWARE_ENCODER
}
