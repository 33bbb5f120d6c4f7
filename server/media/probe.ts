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
  /** Seconds; for a truncated file, the length of what is left. */
  duration: number
  /** The file is shorter than its metadata state. */
  truncated: boolean
  size: number
  /** Bits per second. */
  bitrate: number
  /** The moving video stream, else a cover image, else null. */
  video: VideoStream | null
  /** The default track first. */
  audios: AudioStream[]
  /** Text subtitles. */
  subtitles: SubtitleStream[]
  /** Start in seconds and title (may be empty), sorted by start. */
  chapters: { start: number; title: string }[]
  metadata: Record<string, unknown>
}

export type ProbeLimits = {
  maxDuration: number | null
  maxPixels: number
  maxFps: number
  maxStreams: number
  timeoutMs: number
  /** Above this many bytes, or this length, keyframes are searched in samples instead of the whole file. */
  fullScanBytes?: number
  fullScanSeconds?: number
}

/** Probes an untrusted file by its content; throws a MediaError if it is no playable media or exceeds a limit. */
export async function probeMedia(file: string, limits: ProbeLimits): Promise<Probe> {
  const { size } = await stat(file)
  if (size === 0) throw new MediaError('unreadable', 'the file is empty')
  const scanAbort = new AbortController()
  // Half the time of a probe is process startup: while one ffprobe reads the metadata, another already scans the stream that is most
  // likely the video.
  const earlyScan =
    size > (limits.fullScanBytes ?? 512 * 1024 * 1024)
      ? null
      : scanPacketInterval(file, 'V:0', { timeoutMs: limits.timeoutMs, signal: scanAbort.signal })
  earlyScan?.catch(() => undefined)
  try {
    return await analyzeFile(file, size, limits, earlyScan)
  } finally {
    scanAbort.abort()
  }
}

/** `earlyScan` is the concurrent scan of the whole video stream; null if the file is so large that it is sampled. */
async function analyzeFile(file: string, size: number, limits: ProbeLimits, earlyScan: Promise<PacketIntervalScan> | null): Promise<Probe> {
  const { format, streams, chapters: rawChapters, raw } = await runFfprobeJson(file, limits)

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
  const videoStreams = streams
    .filter(
      stream =>
        stream.codec_type === 'video' &&
        parseFfprobeNumber(stream.width) > 0 &&
        parseFfprobeNumber(stream.height) > 0 &&
        stream.codec_name !== undefined
    )
    .map(stream => parseVideoStream(stream, start))
  const video = videoStreams.find(stream => !stream.attachedPic) ?? videoStreams[0] ?? null
  if (!video && audios.length === 0) throw new MediaError('no_streams', 'neither picture nor sound that can be decoded')
  if (audios.length === 0 && video?.attachedPic) throw new MediaError('no_streams', 'a picture without sound or movement')
  if (video && video.width * video.height > limits.maxPixels) throw new MediaError('too_large', `${video.width}x${video.height} pixels`)

  let duration = parseFfprobeNumber(format.duration)
  let truncated = false
  const movingVideo = video && !video.attachedPic ? video : null
  if (limits.maxDuration !== null && duration > limits.maxDuration) throw new MediaError('too_long', `${duration} s`)
  const scanned = movingVideo ?? audios[0]
  if (scanned) {
    const sampleOnly = earlyScan === null || duration > (limits.fullScanSeconds ?? 7200)
    const scan = await scanPackets(
      file,
      scanned.index,
      { duration, start, timeoutMs: limits.timeoutMs, sample: sampleOnly },
      movingVideo ? earlyScan : null
    )
    if (scan.packets === 0) throw new MediaError('unreadable', 'no data in the main stream')
    if (duration <= 0) duration = scan.end
    if (!scan.sampled && scanned.duration !== null && scan.end < scanned.start + scanned.duration - 1) {
      truncated = true
      duration = Math.max(scan.end, 0.04)
      for (const stream of [movingVideo, ...audios])
        if (stream?.duration) stream.duration = Math.min(stream.duration, Math.max(0, duration - stream.start))
    }
    if (movingVideo) {
      movingVideo.keyframeInterval = scan.keyframeGap
      movingVideo.start = Math.max(movingVideo.start, scan.firstKeyframe)
      // In other codecs a packet need not be a displayed frame.
      if (!scan.sampled && ['h264', 'hevc'].includes(movingVideo.codec)) movingVideo.frames = scan.packets
      // Many containers state a wrong frame rate.
      if (scan.rate > 0 && Math.abs(scan.rate - movingVideo.fps) > movingVideo.fps * 0.02) {
        movingVideo.fps = scan.rate
        movingVideo.variableFps = true
      }
    }
  }
  if (limits.maxDuration !== null && duration > limits.maxDuration) throw new MediaError('too_long', `${duration} s`)
  if (movingVideo) {
    if (!(movingVideo.fps > 0)) movingVideo.fps = 25
    // The rate of a few frames is not meaningful: such files claim thousands of frames per second.
    if (movingVideo.fps > limits.maxFps && (movingVideo.frames ?? Infinity) < 10) movingVideo.fps = 25
    if (movingVideo.fps > limits.maxFps) throw new MediaError('too_large', `${movingVideo.fps} frames per second`)
    if (!(duration > 0)) duration = (movingVideo.frames ?? 1) / movingVideo.fps
  }
  if (!(duration > 0)) throw new MediaError('unreadable', 'no duration')

  const bitrate = parseFfprobeNumber(format.bit_rate) || Math.round((size * 8) / duration)
  for (const audio of audios)
    audio.bitrate ||= audio.codec === 'aac' || audio.codec === 'opus' ? Math.min(bitrate, 64_000 * audio.channels) : 0
  if (movingVideo && movingVideo.bitrate === 0) {
    movingVideo.bitrate = Math.max(Math.round(bitrate / 4), bitrate - audios.reduce((sum, audio) => sum + audio.bitrate, 0))
  }
  const subtitles = streams.map(parseSubtitleStream).filter(stream => stream !== null)
  const chapters = rawChapters
    .map(({ start_time: chapterStart, tags }) => ({
      start: Math.max(0, parseFfprobeNumber(chapterStart) - start),
      title: tags?.title ?? ''
    }))
    .filter(chapter => chapter.start < duration)
    .sort((a, b) => a.start - b.start)
  return { container, duration, truncated, size, bitrate, video, audios, subtitles, chapters, metadata: raw }
}

/** The output of ffprobe for a file in the form of the API: `format`, `streams`, `chapters`. Throws a MediaError. */
export async function readFfprobeMetadata(file: string, timeoutMs: number): Promise<Record<string, unknown>> {
  return (await runFfprobeJson(file, { timeoutMs })).raw
}

/** Whether there is moving video; false for audio files, also with a cover image. */
export function hasMovingVideo(probe: Probe): boolean {
  return probe.video !== null && !probe.video.attachedPic
}

const FfprobeOutput = z.object({
  format: z.object({ format_name: z.string(), start_time: FfprobeNumber, duration: FfprobeNumber, bit_rate: FfprobeNumber }),
  streams: z.array(FfprobeStream),
  chapters: z.array(z.object({ start_time: FfprobeNumber, tags: z.record(z.string(), z.string()).optional() })).default([])
})

async function runFfprobeJson(file: string, limits: Pick<ProbeLimits, 'timeoutMs'>) {
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
  const parsed = FfprobeOutput.safeParse(raw)
  if (!parsed.success) throw new MediaError('unreadable', 'ffprobe found nothing it knows')
  return { ...parsed.data, raw: toWireMetadata(raw as Record<string, unknown>) }
}

// In the API numeric strings are numbers, except in tags; the path of the file on this machine is removed.
function toWireMetadata(raw: Record<string, unknown>): Record<string, unknown> {
  const toPlainValue = (value: unknown, key: string): unknown => {
    if (key === 'tags') return value
    if (typeof value === 'string') return /^[0-9]+(\.[0-9]+)?$/.test(value) ? Number(value) : value
    if (Array.isArray(value)) return value.map(entry => toPlainValue(entry, ''))
    if (value && typeof value === 'object')
      return Object.fromEntries(
        Object.entries(value)
          .filter(([name]) => name !== 'filename')
          .map(([name, entry]) => [name, toPlainValue(entry, name)])
      )
    return value
  }
  return { format: toPlainValue(raw.format, ''), streams: toPlainValue(raw.streams, ''), chapters: toPlainValue(raw.chapters ?? [], '') }
}
