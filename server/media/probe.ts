import { stat } from 'node:fs/promises'
import { z } from 'zod'
import { allowedContainers, safeInputOptions, MediaError, runFfprobe } from './ffmpeg.ts'
import { scanPackets, scanPacketInterval, type PacketIntervalScan } from './ffprobe-packets.ts'
import {
  parseAudioStream,
  parseFfprobeNumber,
  FfprobeStream,
  parseSubtitleStream,
  FfprobeNumber,
  parseVideoStream,
  type AudioStream,
  type SubtitleStream,
  type VideoStream
} from './ffprobe-streams.ts'

export type { AudioStream, VideoStream } from './ffprobe-streams.ts'

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
  /** The one to begin with first. */
  audios: AudioStream[]
  /** Subtitles that are text. */
  subtitles: SubtitleStream[]
  /** Seconds and title (empty where it has none), in the order of the film. */
  chapters: { start: number; title: string }[]
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
export async function probeMedia(file: string, limits: ProbeLimits): Promise<Probe> {
  const { size } = await stat(file)
  if (size === 0) throw new MediaError('unreadable', 'the file is empty')
  const leaving = new AbortController()
  // Half the time of a probe is the start of a program: while one says what the file is, another walks already over what is most likely its
  // picture.
  const ahead =
    size > (limits.fullScanBytes ?? 512 * 1024 * 1024)
      ? null
      : scanPacketInterval(file, 'V:0', { timeoutMs: limits.timeoutMs, signal: leaving.signal })
  ahead?.catch(() => undefined)
  try {
    return await inspect(file, size, limits, ahead)
  } finally {
    leaving.abort()
  }
}

/** `ahead`: what was walked over meanwhile; null where the file is too large for that, and is looked at in samples. */
async function inspect(file: string, size: number, limits: ProbeLimits, ahead: Promise<PacketIntervalScan> | null): Promise<Probe> {
  const { format, streams, chapters: parts, raw } = await ffprobe(file, limits)

  const container = format.format_name.split(',')
  if (!container.some(name => allowedContainers.includes(name)))
    throw new MediaError('forbidden_container', `container ${format.format_name} is not allowed`)
  if (streams.length > limits.maxStreams) throw new MediaError('too_many_streams', `${streams.length} streams`)

  const start = parseFfprobeNumber(format.start_time)
  const audios = streams
    .filter(
      stream =>
        stream.codec_type === 'audio' &&
        parseFfprobeNumber(stream.sample_rate) > 0 &&
        parseFfprobeNumber(stream.channels) > 0 &&
        stream.codec_name !== undefined
    )
    .map(stream => parseAudioStream(stream, start))
    .sort((a, b) => Number(b.main) - Number(a.main))
  const pictures = streams
    .filter(
      stream =>
        stream.codec_type === 'video' &&
        parseFfprobeNumber(stream.width) > 0 &&
        parseFfprobeNumber(stream.height) > 0 &&
        stream.codec_name !== undefined
    )
    .map(stream => parseVideoStream(stream, start))
  const video = pictures.find(picture => !picture.attachedPic) ?? pictures[0] ?? null
  if (!video && audios.length === 0) throw new MediaError('no_streams', 'neither picture nor sound that can be decoded')
  if (audios.length === 0 && video?.attachedPic) throw new MediaError('no_streams', 'a picture without sound or movement')
  if (video && video.width * video.height > limits.maxPixels) throw new MediaError('too_large', `${video.width}x${video.height} pixels`)

  let duration = parseFfprobeNumber(format.duration)
  let truncated = false
  const moving = video && !video.attachedPic ? video : null
  if (limits.maxDuration !== null && duration > limits.maxDuration) throw new MediaError('too_long', `${duration} s`)
  const scanned = moving ?? audios[0]
  if (scanned) {
    const sample = ahead === null || duration > (limits.fullScanSeconds ?? 7200)
    const scan = await scanPackets(file, scanned.index, { duration, start, timeoutMs: limits.timeoutMs, sample }, moving ? ahead : null)
    if (scan.packets === 0) throw new MediaError('unreadable', 'no data in the main stream')
    if (duration <= 0) duration = scan.end
    if (!scan.sampled && scanned.duration !== null && scan.end < scanned.start + scanned.duration - 1) {
      truncated = true
      duration = Math.max(scan.end, 0.04)
      for (const stream of [moving, ...audios])
        if (stream?.duration) stream.duration = Math.min(stream.duration, Math.max(0, duration - stream.start))
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

  const bitrate = parseFfprobeNumber(format.bit_rate) || Math.round((size * 8) / duration)
  for (const audio of audios)
    audio.bitrate ||= audio.codec === 'aac' || audio.codec === 'opus' ? Math.min(bitrate, 64_000 * audio.channels) : 0
  if (moving && moving.bitrate === 0) {
    moving.bitrate = Math.max(Math.round(bitrate / 4), bitrate - audios.reduce((sum, audio) => sum + audio.bitrate, 0))
  }
  const subtitles = streams.map(parseSubtitleStream).filter(stream => stream !== null)
  const chapters = parts
    .map(({ start_time: at, tags }) => ({ start: Math.max(0, parseFfprobeNumber(at) - start), title: tags?.title ?? '' }))
    .filter(chapter => chapter.start < duration)
    .sort((a, b) => a.start - b.start)
  return { container, duration, truncated, size, bitrate, video, audios, subtitles, chapters, metadata: raw }
}

/** What ffprobe says of a file, as it goes over the wire: `format`, `streams`, `chapters`. Throws a MediaError. */
export async function readFfprobeMetadata(file: string, timeoutMs: number): Promise<Record<string, unknown>> {
  return (await ffprobe(file, { timeoutMs })).raw
}

/** Tells whether the picture moves: false for a cover in a sound file. */
export function hasMovingVideo(probe: Probe): boolean {
  return probe.video !== null && !probe.video.attachedPic
}

const Answer = z.object({
  format: z.object({ format_name: z.string(), start_time: FfprobeNumber, duration: FfprobeNumber, bit_rate: FfprobeNumber }),
  streams: z.array(FfprobeStream),
  chapters: z.array(z.object({ start_time: FfprobeNumber, tags: z.record(z.string(), z.string()).optional() })).default([])
})

async function ffprobe(file: string, limits: Pick<ProbeLimits, 'timeoutMs'>) {
  let text: string
  try {
    text = await runFfprobe(
      [
        '-v',
        'error',
        '-show_optional_fields',
        'always',
        '-show_format',
        '-show_streams',
        '-show_chapters',
        '-of',
        'json',
        ...safeInputOptions,
        `file:${file}`
      ],
      limits
    )
  } catch (error) {
    if (!(error instanceof MediaError) || error.code !== 'ffmpeg_failed') throw error
    if (/not on whitelist/i.test(error.message))
      throw new MediaError('forbidden_container', 'this kind of file is not allowed', { cause: error })
    throw new MediaError('unreadable', error.message, { cause: error })
  }
  const raw: unknown = JSON.parse(text)
  const answer = Answer.safeParse(raw)
  if (!answer.success) throw new MediaError('unreadable', 'ffprobe found nothing it knows')
  return { ...answer.data, raw: wireMetadata(raw as Record<string, unknown>) }
}

// On the wire numbers are numbers, except in tags; where the file lies on this machine is nobody's business.
function wireMetadata(raw: Record<string, unknown>): Record<string, unknown> {
  const plain = (value: unknown, key: string): unknown => {
    if (key === 'tags') return value
    if (typeof value === 'string') return /^[0-9]+(\.[0-9]+)?$/.test(value) ? Number(value) : value
    if (Array.isArray(value)) return value.map(entry => plain(entry, ''))
    if (value && typeof value === 'object')
      return Object.fromEntries(
        Object.entries(value)
          .filter(([name]) => name !== 'filename')
          .map(([name, entry]) => [name, plain(entry, name)])
      )
    return value
  }
  return { format: plain(raw.format, ''), streams: plain(raw.streams, ''), chapters: plain(raw.chapters ?? [], '') }
}
