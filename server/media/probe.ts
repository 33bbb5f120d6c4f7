import { stat } from 'node:fs/promises'
import { allowedContainers, MediaError } from './ffmpeg.ts'
import { isCutOff } from './cut-off.ts'
import { readFfprobeDescription } from './ffprobe-description.ts'
import { readPackets, samplePackets } from './ffprobe-packets.ts'
import {
  parseFfprobeNumber,
  parseSubtitleStream,
  streamDuration,
  type AudioStream,
  type FfprobeStream,
  type SubtitleStream,
  type VideoStream
} from './ffprobe-streams.ts'
import type { PacketTimeline, StreamTimes } from './packet-timeline.ts'
import { selectStreams } from './select-streams.ts'

export type { AudioStream, VideoStream } from './ffprobe-streams.ts'

export type Probe = {
  container: string[]
  /** Seconds from the start of the file to the end of its longest track of those that can be decoded. */
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
  // Half the time of a probe is process startup: while one ffprobe reads the metadata, another already reads the packets.
  const packets =
    size > (limits.fullScanBytes ?? 512 * 1024 * 1024) ? null : readPackets(file, { timeoutMs: limits.timeoutMs, signal: scanAbort.signal })
  packets?.catch(() => undefined)
  try {
    return await analyzeFile(file, size, limits, packets)
  } finally {
    scanAbort.abort()
  }
}

/** `packets` is the concurrent read of the whole file; null if the file is so large that it is sampled. */
async function analyzeFile(file: string, size: number, limits: ProbeLimits, packets: Promise<PacketTimeline> | null): Promise<Probe> {
  const { format, streams, chapters: rawChapters, raw } = await readFfprobeDescription(file, limits)

  const container = format.format_name.split(',')
  if (!container.some(name => allowedContainers.includes(name)))
    throw new MediaError('forbidden_container', `container ${format.format_name} is not allowed`)
  if (streams.length > limits.maxStreams) throw new MediaError('too_many_streams', `${streams.length} streams`)

  const start = parseFfprobeNumber(format.start_time)
  const statedDuration = parseFfprobeNumber(format.duration)
  // With so few bytes for its length a file has few packets, or a wrong length.
  const isLong = statedDuration > (limits.fullScanSeconds ?? 7200) && size > statedDuration * MIN_SAMPLED_BYTES_PER_SECOND
  const isLarge = packets === null || isLong
  const correctJumps = container.some(name => DISCONTINUOUS_CONTAINERS.includes(name))
  // Samples tell nothing of jumps, which are between them, and lengths are not stated where there may be jumps.
  const wholeDespiteSize =
    isLarge && correctJumps ? await (packets ?? readPackets(file, { timeoutMs: limits.timeoutMs })).catch(nullOnTimeout) : null
  const sampled =
    isLarge && !wholeDespiteSize
      ? await sampleMainStream(file, streams, { start, duration: statedDuration, timeoutMs: limits.timeoutMs })
      : null
  const timeline = sampled ? null : (wholeDespiteSize ?? (await (packets ?? readPackets(file, { timeoutMs: limits.timeoutMs }))))
  const timesOf = (index: number): StreamTimes | null => timeline?.timesOf(index, { start, correctJumps }) ?? null

  const streamsWithPackets = streams.filter(({ index }) => timeline === null || timesOf(index) !== null)
  if (streamsWithPackets.length === 0 && streams.length > 0) throw new MediaError('unreadable', 'no stream has any data')
  const isEncrypted = ({ index }: FfprobeStream): boolean =>
    timesOf(index)?.encrypted ?? (sampled?.index === index && sampled.times.encrypted)
  const isStill = ({ index }: VideoStream): boolean => timesOf(index)?.packets === 1
  const { video, audios } = await selectStreams(file, streamsWithPackets, { start, isEncrypted, isStill, limits })
  const movingVideo = video && !video.attachedPic ? video : null
  let duration = statedDuration
  let truncated = false
  if (sampled) {
    if (movingVideo?.index === sampled.index)
      applyVideoTimes(movingVideo, { ...sampled.times, jumps: sampled.times.jumps || correctJumps, sampled: true })
  } else {
    if (movingVideo) applyVideoTimes(movingVideo, { ...timesOf(movingVideo.index)!, sampled: false })
    for (const audio of audios) applyAudioTimes(audio, timesOf(audio.index)!)
    assertGaps(movingVideo, audios)
    truncated = isTruncated(container, statedDuration, streams, start, timesOf) || (await isCutOff(file, container))
    // Raw streams have packets without times.
    duration =
      Math.max(0, ...[...(movingVideo ? [movingVideo] : []), ...audios].map(stream => timesOf(stream.index)!.end)) || statedDuration
  }
  assertDuration(duration, limits)
  if (movingVideo) {
    if (!(movingVideo.fps > 0)) movingVideo.fps = DEFAULT_FPS
    // The rate of a few frames is not meaningful: such files claim thousands of frames per second.
    if (movingVideo.fps > limits.maxFps && (movingVideo.frames ?? Infinity) < 10) movingVideo.fps = DEFAULT_FPS
    if (movingVideo.fps > limits.maxFps) throw new MediaError('too_large', `${movingVideo.fps} frames per second`)
    if (!(duration > 0)) duration = (movingVideo.frames ?? 1) / movingVideo.fps
  }
  if (!(duration > 0)) throw new MediaError('unreadable', 'no duration')

  const bitrate = Math.round((size * 8) / duration)
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

function nullOnTimeout(error: unknown): null {
  if (error instanceof MediaError && error.code === 'timeout') return null
  throw error
}

/** Demuxers whose timestamps may be discontinuous (AVFMT_TS_DISCONT of ffmpeg). */
const DISCONTINUOUS_CONTAINERS = ['mpegts', 'mpeg', 'ogg']
/** Demuxers that state durations which were written when the file was complete; others estimate them, by the size for example. */
const CONTAINERS_WITH_DURATION = ['mov', 'matroska', 'flv']
/** As many seconds may be missing at the end until a file counts as truncated. */
const TRUNCATION_TOLERANCE = 1
const DEFAULT_FPS = 25
const MIN_SAMPLED_BYTES_PER_SECOND = 4000

/** Reads samples of the stream that is most likely the main one; null if the whole file has to be read. */
async function sampleMainStream(
  file: string,
  streams: FfprobeStream[],
  options: { start: number; duration: number; timeoutMs: number }
): Promise<{ index: number; times: StreamTimes } | null> {
  const main =
    streams.find(({ codec_type, disposition }) => codec_type === 'video' && disposition?.attached_pic !== 1) ??
    streams.find(({ codec_type }) => codec_type === 'audio')
  const times = main && (await samplePackets(file, main.index, options))
  return times ? { index: main.index, times } : null
}

function applyVideoTimes(video: VideoStream, times: StreamTimes & { sampled: boolean }): void {
  video.keyframeInterval = times.keyframeGap
  video.edited = times.hidesStart || times.hidesPackets
  video.changesParameters = times.changesParameters
  video.jumps = times.jumps
  video.longestInterval = times.longestInterval
  // Frames before the first keyframe are not decoded; what an edit list hides contains one.
  video.start = Math.max(0, times.start, times.hidesStart ? 0 : (times.firstKeyframe ?? 0))
  if (!times.sampled) {
    video.lastFrame = times.last
    video.duration = Math.max(0, times.end - video.start)
    // In other codecs a packet need not be a displayed frame; AVI also counts frames that were dropped.
    video.frames = ['h264', 'hevc'].includes(video.codec) ? times.packets : video.frames && Math.min(video.frames, times.packets)
  }
  // Many containers state a wrong frame rate.
  if (times.rate > 0 && Math.abs(times.rate - video.fps) > video.fps * 0.02) {
    video.fps = times.rate
    video.variableFps = true
  }
  // Times in milliseconds make the densest intervals look a little shorter than they are.
  video.peakFps = times.peakRate > video.fps * 1.1 ? times.peakRate : video.fps
}

function applyAudioTimes(audio: AudioStream, times: StreamTimes): void {
  audio.start = times.start
  audio.duration = Math.max(0, times.end - times.start)
  audio.edited = times.hidesPackets
  audio.changesParameters = times.changesParameters
  audio.jumps = times.jumps
  // In MP4 the packet before a gap lasts until its end.
  audio.longestGap = Math.max(times.longestGap, times.longestInterval - 2 / Math.max(1, times.peakRate))
}

/** Whether the packets end before the length that the file states, in MP4 of any stream, else of the file. */
function isTruncated(
  container: string[],
  statedDuration: number,
  streams: FfprobeStream[],
  start: number,
  timesOf: (index: number) => StreamTimes | null
): boolean {
  if (!container.some(name => CONTAINERS_WITH_DURATION.includes(name))) return false
  const isMissing = (statedEnd: number, end: number): boolean => end < statedEnd - TRUNCATION_TOLERANCE
  const stated = streams
    .filter(({ codec_type, disposition }) => ['video', 'audio'].includes(codec_type ?? '') && disposition?.attached_pic !== 1)
    .map(stream => ({
      statedDuration: streamDuration(stream, start),
      start: parseFfprobeNumber(stream.start_time) - start,
      times: timesOf(stream.index)
    }))
    .filter(stream => stream.statedDuration !== null)
  // Elsewhere the lengths of the streams follow from counts of other things, or are tags that tools leave as they were.
  if (container.includes('mov') && stated.length > 0)
    return stated.some(stream => isMissing(stream.start + stream.statedDuration!, stream.times?.end ?? 0))
  return isMissing(statedDuration, Math.max(0, ...streams.map(({ index }) => timesOf(index)?.end ?? 0)))
}

function assertDuration(duration: number, { maxDuration }: ProbeLimits): void {
  if (maxDuration !== null && duration > maxDuration) throw new MediaError('too_long', `${duration} s`)
}

/** Silence longer than this (seconds) is not made: ffmpeg makes it at once, in up to a gigabyte of memory. */
const MAX_SILENCE = 1800
/** A frame that is shown longer than this (seconds) is a mistake; each second of it has to be encoded. */
const MAX_STILL = 24 * 3600

/** Throws a MediaError if nothing comes for so long that the times must be wrong. */
function assertGaps(video: VideoStream | null, audios: AudioStream[]): void {
  const still = video ? Math.max(video.start, video.longestInterval ?? 0) : 0
  const silence = Math.max(0, ...audios.flatMap(({ start, longestGap = 0 }) => [start, longestGap]))
  if (still > MAX_STILL || silence > MAX_SILENCE)
    throw new MediaError('broken_times', `${still} s without a frame, ${silence} s without sound`)
}

/** Whether there is moving video; false for audio files, also with a cover image. */
export function hasMovingVideo(probe: Probe): boolean {
  return probe.video !== null && !probe.video.attachedPic
}
