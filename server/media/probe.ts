import { stat } from 'node:fs/promises'
import { z } from 'zod'
import { allowedContainers, inputOptions, MediaError, runFfprobe } from './ffmpeg.ts'
import { scanPackets } from './packets.ts'

export type VideoStream = {
  index: number
  codec: string
  profile: string
  level: number
  pixFmt: string
  /** Size as it is shown: rotation and pixel shape applied, both even. */
  width: number
  height: number
  /** Clockwise degrees a player has to turn the picture by: 0, 90, 180 or 270. */
  rotation: number
  squarePixels: boolean
  /** Mean frames per second. */
  fps: number
  variableFps: boolean
  /** Pictures are stored in another order than they are shown in. */
  reordered: boolean
  /** Bits per second; derived from the file's size where the container does not say. */
  bitrate: number
  frames: number | null
  /** Seconds from the file's first instant to this stream's first picture. */
  start: number
  duration: number | null
  /** Longest stretch without a keyframe, in seconds; null where it was not measured. */
  keyframeInterval: number | null
  attachedPic: boolean
  hdr: boolean
  transfer: string
  interlaced: boolean
  /** RFC 6381 name for H.264, else ''. */
  codecString: string
}

export type AudioStream = {
  index: number
  codec: string
  profile: string
  channels: number
  sampleRate: number
  bitrate: number
  start: number
  duration: number | null
  language: string | null
  title: string | null
}

export type Probe = {
  container: string[]
  /** Seconds; of a file that was cut off, what is left of it. */
  duration: number
  /** The file promises more than it holds. */
  truncated: boolean
  size: number
  /** Bits per second. */
  bitrate: number
  /** The moving picture, else a cover, else null. */
  video: VideoStream | null
  audios: AudioStream[]
  metadata: Record<string, unknown>
}

export type ProbeLimits = {
  maxDuration: number | null
  maxPixels: number
  maxFps: number
  maxStreams: number
  timeoutMs: number
  /** Above this many bytes, or this length, keyframes are looked for in samples instead of the whole file. */
  fullScanBytes?: number
  fullScanSeconds?: number
}

/** Reads what a stranger's file really is, by content; throws a MediaError where it is no playable media or breaks a limit. */
export async function probe(file: string, limits: ProbeLimits): Promise<Probe> {
  const { size } = await stat(file)
  if (size === 0) throw new MediaError('unreadable', 'the file is empty')
  const { format, streams, raw } = await ffprobe(file, limits)

  const container = format.format_name.split(',')
  if (!container.some(name => allowedContainers.includes(name))) throw new MediaError('forbidden_container', `container ${format.format_name} is not allowed`)
  if (streams.length > limits.maxStreams) throw new MediaError('too_many_streams', `${streams.length} streams`)

  const start = number(format.start_time)
  const audios = streams.filter(stream => stream.codec_type === 'audio' && number(stream.sample_rate) > 0 && number(stream.channels) > 0 && stream.codec_name !== undefined)
    .map(stream => audioStream(stream, start))
  const pictures = streams.filter(stream => stream.codec_type === 'video' && number(stream.width) > 0 && number(stream.height) > 0 && stream.codec_name !== undefined)
    .map(stream => videoStream(stream, start))
  const video = pictures.find(picture => !picture.attachedPic) ?? pictures[0] ?? null
  if (!video && audios.length === 0) throw new MediaError('no_streams', 'neither picture nor sound that can be decoded')
  if (audios.length === 0 && video?.attachedPic) throw new MediaError('no_streams', 'a picture without sound or movement')
  if (video && video.width * video.height > limits.maxPixels) throw new MediaError('too_large', `${video.width}x${video.height} pixels`)

  let duration = number(format.duration)
  let truncated = false
  const moving = video && !video.attachedPic ? video : null
  if (limits.maxDuration !== null && duration > limits.maxDuration) throw new MediaError('too_long', `${duration} s`)
  const scanned = moving ?? audios[0]
  if (scanned) {
    const sample = size > (limits.fullScanBytes ?? 512 * 1024 * 1024) || duration > (limits.fullScanSeconds ?? 7200)
    const scan = await scanPackets(file, scanned.index, { duration, start, timeoutMs: limits.timeoutMs, sample })
    if (scan.packets === 0) throw new MediaError('unreadable', 'no data in the main stream')
    if (duration <= 0) duration = scan.end
    if (!scan.sampled && scanned.duration !== null && scan.end < scanned.start + scanned.duration - 1) {
      truncated = true
      duration = Math.max(scan.end, 0.04)
      for (const stream of [moving, ...audios]) if (stream?.duration) stream.duration = Math.min(stream.duration, Math.max(0, duration - stream.start))
    }
    if (moving) {
      moving.keyframeInterval = scan.keyframeGap
      moving.start = Math.max(moving.start, scan.firstKeyframe)
      // In other codecs a packet need not be a picture that is shown.
      if (!scan.sampled && ['h264', 'hevc'].includes(moving.codec)) moving.frames = scan.packets
      // Many containers claim a rate that they do not keep.
      if (scan.rate > 0 && Math.abs(scan.rate - moving.fps) > moving.fps * 0.02) {
        moving.fps = scan.rate
        moving.variableFps = true
      }
    }
  }
  if (limits.maxDuration !== null && duration > limits.maxDuration) throw new MediaError('too_long', `${duration} s`)
  if (moving) {
    if (!(moving.fps > 0)) moving.fps = 25
    // A handful of frames says nothing about a rate: such files claim thousands of frames per second.
    if (moving.fps > limits.maxFps && (moving.frames ?? Infinity) < 10) moving.fps = 25
    if (moving.fps > limits.maxFps) throw new MediaError('too_large', `${moving.fps} frames per second`)
    if (!(duration > 0)) duration = (moving.frames ?? 1) / moving.fps
  }
  if (!(duration > 0)) throw new MediaError('unreadable', 'no duration')

  const bitrate = number(format.bit_rate) || Math.round(size * 8 / duration)
  for (const audio of audios) audio.bitrate ||= audio.codec === 'aac' || audio.codec === 'opus' ? Math.min(bitrate, 64_000 * audio.channels) : 0
  if (moving && moving.bitrate === 0) {
    moving.bitrate = Math.max(Math.round(bitrate / 4), bitrate - audios.reduce((sum, audio) => sum + audio.bitrate, 0))
  }
  return { container, duration, truncated, size, bitrate, video, audios, metadata: raw }
}

/** Tells whether the picture moves: false for a cover in a sound file. */
export function hasMovingPicture(probe: Probe): boolean {
  return probe.video !== null && !probe.video.attachedPic
}

const Text = z.union([z.string(), z.number()]).optional()
const Stream = z.object({
  index: z.number(),
  codec_type: z.string().optional(),
  codec_name: z.string().optional(),
  profile: Text,
  level: Text,
  pix_fmt: z.string().optional(),
  width: Text,
  height: Text,
  sample_aspect_ratio: z.string().optional(),
  avg_frame_rate: z.string().optional(),
  r_frame_rate: z.string().optional(),
  field_order: z.string().optional(),
  has_b_frames: Text,
  color_transfer: z.string().optional(),
  bit_rate: Text,
  nb_frames: Text,
  start_time: Text,
  duration: Text,
  channels: Text,
  sample_rate: Text,
  disposition: z.record(z.string(), z.number()).optional(),
  tags: z.record(z.string(), z.string()).optional(),
  side_data_list: z.array(z.looseObject({ rotation: Text })).optional()
})
type Stream = z.infer<typeof Stream>
const Answer = z.object({
  format: z.object({ format_name: z.string(), start_time: Text, duration: Text, bit_rate: Text }),
  streams: z.array(Stream)
})

async function ffprobe(file: string, limits: ProbeLimits) {
  let text: string
  try {
    text = await runFfprobe(['-v', 'error', '-show_optional_fields', 'always', '-show_format', '-show_streams', '-of', 'json', ...inputOptions, `file:${file}`], limits)
  } catch (error) {
    if (!(error instanceof MediaError) || error.code !== 'ffmpeg_failed') throw error
    if (/not on whitelist/i.test(error.message)) throw new MediaError('forbidden_container', 'this kind of file is not allowed', { cause: error })
    throw new MediaError('unreadable', error.message, { cause: error })
  }
  const raw: unknown = JSON.parse(text)
  const answer = Answer.safeParse(raw)
  if (!answer.success) throw new MediaError('unreadable', 'ffprobe found nothing it knows')
  return { ...answer.data, raw: wireMetadata(raw as Record<string, unknown>) }
}

function videoStream(stream: Stream, start: number): VideoStream {
  const rotation = rotationOf(stream)
  const { width: codedWidth, height: codedHeight } = { width: number(stream.width), height: number(stream.height) }
  const [sarX, sarY] = (stream.sample_aspect_ratio ?? '1:1').split(':').map(Number)
  const shape = sarX && sarY ? sarX / sarY : 1
  // A pixel four times as wide as high is a lie; the picture is then shown as it was coded.
  const aspect = shape > 0.25 && shape < 4 ? shape : 1
  const stretched = aspect >= 1 ? [codedWidth * aspect, codedHeight] : [codedWidth, codedHeight / aspect]
  const [width, height] = rotation % 180 === 0 ? stretched : stretched.reverse()
  const mean = rate(stream.avg_frame_rate)
  const nominal = rate(stream.r_frame_rate)
  const profile = String(stream.profile ?? '')
  const level = number(stream.level)
  const transfer = stream.color_transfer ?? ''
  const stills = ['mjpeg', 'png', 'bmp', 'gif', 'webp', 'tiff']
  const frames = number(stream.nb_frames) || null
  return {
    index: stream.index, codec: stream.codec_name ?? '', profile, level, pixFmt: stream.pix_fmt ?? '',
    width: even(width ?? 0), height: even(height ?? 0), rotation, squarePixels: Math.abs(aspect - 1) < 0.001,
    fps: mean || nominal, variableFps: mean > 0 && nominal > 0 && Math.abs(mean - nominal) / nominal > 0.01,
    reordered: number(stream.has_b_frames) > 0, bitrate: number(stream.bit_rate), frames,
    start: Math.max(0, number(stream.start_time) - start), duration: durationOf(stream, start), keyframeInterval: null,
    attachedPic: stream.disposition?.attached_pic === 1 || (stream.disposition?.still_image === 1 && stills.includes(stream.codec_name ?? '')),
    hdr: transfer === 'smpte2084' || transfer === 'arib-std-b67', transfer,
    interlaced: ['tt', 'bb', 'tb', 'bt'].includes(stream.field_order ?? ''),
    codecString: stream.codec_name === 'h264' ? avcString(profile, level) : ''
  }
}

function audioStream(stream: Stream, start: number): AudioStream {
  return {
    index: stream.index, codec: stream.codec_name ?? '', profile: String(stream.profile ?? ''),
    channels: number(stream.channels), sampleRate: number(stream.sample_rate), bitrate: number(stream.bit_rate),
    start: number(stream.start_time) - start, duration: durationOf(stream, start),
    language: stream.tags?.language && stream.tags.language !== 'und' ? stream.tags.language : null, title: stream.tags?.title ?? null
  }
}

// Matroska keeps the stream's end in a tag: "00:01:02.345000000".
function durationOf(stream: Stream, start: number): number | null {
  const [hours, minutes, seconds] = (stream.tags?.DURATION ?? '').split(':').map(Number)
  const tagged = (hours ?? NaN) * 3600 + (minutes ?? NaN) * 60 + (seconds ?? NaN)
  return number(stream.duration) || (tagged > 0 ? Math.max(0.001, tagged - number(stream.start_time) + start) : null)
}

function rotationOf(stream: Stream): number {
  const matrix = stream.side_data_list?.find(data => data.rotation !== undefined)?.rotation
  const counterclockwise = matrix !== undefined ? Number(matrix) : -Number(stream.tags?.rotate ?? 0)
  if (!Number.isFinite(counterclockwise)) return 0
  return ((Math.round(-counterclockwise / 90) * 90) % 360 + 360) % 360
}

function avcString(profile: string, level: number): string {
  const profiles: Record<string, string> = { 'Constrained Baseline': '42e0', Baseline: '4200', Main: '4d40', Extended: '5800', High: '6400', 'High 10': '6e00', 'High 4:2:2': '7a00', 'High 4:4:4 Predictive': 'f400' }
  const prefix = profiles[profile]
  return prefix && level > 0 ? `avc1.${prefix}${level.toString(16).padStart(2, '0')}` : ''
}

function rate(text: string | undefined): number {
  const [over, under] = (text ?? '').split('/').map(Number)
  return over && under ? over / under : 0
}

function number(value: string | number | undefined): number {
  const parsed = Number(value)
  return Number.isFinite(parsed) ? parsed : 0
}

function even(pixels: number): number {
  return Math.max(2, 2 * Math.round(pixels / 2))
}

// On the wire numbers are numbers, except in tags; where the file lies on this machine is nobody's business.
function wireMetadata(raw: Record<string, unknown>): Record<string, unknown> {
  const plain = (value: unknown, key: string): unknown => {
    if (key === 'tags') return value
    if (typeof value === 'string') return /^[0-9]+(\.[0-9]+)?$/.test(value) ? Number(value) : value
    if (Array.isArray(value)) return value.map(entry => plain(entry, ''))
    if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).filter(([name]) => name !== 'filename').map(([name, entry]) => [name, plain(entry, name)]))
    return value
  }
  return { format: plain(raw.format, ''), streams: plain(raw.streams, ''), chapters: [] }
}
