import { toLanguageTag } from './ffprobe-streams.ts'
import { addedFramesRate, audioEndGap, MAX_HELD_SECONDS, needsAddedFrames } from './track-gaps.ts'
import { hasMovingVideo, type AudioStream, type Probe, type VideoStream } from './probe.ts'

export type LadderSettings = {
  /** Enabled short sides in pixels; 0 is audio alone. */
  resolutions: number[]
  alwaysOriginal: boolean
  maxFps: number
  /** Separate audio renditions shared by all, instead of audio in every rendition. */
  splitAudio: boolean
  crf: number
  /** Bits per second. */
  audioBitrate: number
  /** How many audio tracks are kept. */
  maxAudioTracks: number
  /** Seconds between keyframes above which a stream is not copied. */
  maxKeyframeInterval: number
  segmentSeconds: number
  preset: string
  threadsPerRung: number
  /** Bits per second above which the source's video stream is encoded rather than copied. */
  maxCopyBitrate?: number | null
}

/** One video rendition to make: `resolution` is the short side in pixels, `maxrate` in bits per second. */
export type PlannedRendition = { resolution: number; width: number; height: number; fps: number; maxrate: number }

/** An audio track: the stream of the source, whether it is copied, the language (BCP 47; null if unknown) and a unique name. */
export type PlannedAudioTrack = { stream: AudioStream; copy: boolean; language: string | null; name: string }

export type TranscodingPlan = {
  /** The highest rendition, if the source's own stream can be copied. */
  copyVideo: PlannedRendition | null
  /** The renditions to encode, highest first. */
  encode: PlannedRendition[]
  /** The audio tracks, the default first. */
  audios: PlannedAudioTrack[]
  /** The source is audio: the only video rendition shows a still image. */
  audioOnly: boolean
  splitAudio: boolean
  /** An audio-only rendition is made. */
  audioRendition: boolean
  /** The source's own frame times are kept: the frame rate is not reduced, and no frames are added. */
  keepsFrameTimes: boolean
  settings: LadderSettings
}

/**
 * Plans the renditions of a source: none larger than the source, by the short side; the highest is copied if browsers can play the stream.
 */
export function planLadder(probe: Probe, settings: LadderSettings): TranscodingPlan {
  const audios = nameAudioTracks(probe.audios.slice(0, settings.maxAudioTracks)).map(track => ({
    ...track,
    copy: canCopyAudio(probe, track.stream, settings)
  }))
  const audioOnly = !hasMovingVideo(probe)
  // Several tracks cannot all be muxed into every rendition.
  const splitAudio = settings.splitAudio || audios.length > 1
  const common = {
    audios,
    audioOnly,
    splitAudio,
    settings,
    audioRendition: audios.length > 0 && (splitAudio || settings.resolutions.includes(0))
  }
  if (audioOnly || !probe.video) {
    return { ...common, copyVideo: null, encode: [stillImageRendition], keepsFrameTimes: false }
  }
  const video = probe.video
  const addsFrames = needsAddedFrames(probe)
  // Frames that are added have a constant rate: it must suffice for where the source's are dense.
  const fps = capFps(addsFrames ? addedFramesRate(video, probe.duration) : video.fps, settings.maxFps)
  const renditions = selectResolutions(shortSide(video), settings).map(resolution => planRendition(video, resolution, fps, probe.duration))
  const [top, ...smaller] = renditions
  const canCopy = top && top.resolution === shortSide(video) && canCopyVideo(probe, video, settings)
  return {
    ...common,
    copyVideo: canCopy ? { ...top, maxrate: video.bitrate } : null,
    encode: canCopy ? smaller : renditions,
    keepsFrameTimes: fps === video.fps && !addsFrames
  }
}

/** Whether browsers can play this stream if it is only remuxed into segments. */
export function canCopyVideo(probe: Probe, video: VideoStream, settings: LadderSettings): boolean {
  // Some of the other containers have unreliable timestamps.
  const hasReliableTimestamps = probe.container.some(name => ['mov', 'matroska', 'mpegts', 'flv'].includes(name))
  return (
    hasReliableTimestamps &&
    video.codec === 'h264' &&
    ['Constrained Baseline', 'Baseline', 'Main', 'High'].includes(video.profile) &&
    ['yuv420p', 'yuvj420p'].includes(video.pixFmt) &&
    video.level > 0 &&
    video.level <= 52 &&
    video.rotation === 0 &&
    !video.transformed &&
    !video.edited &&
    !video.changesParameters &&
    !video.jumps &&
    video.squarePixels &&
    !video.interlaced &&
    !video.hdr &&
    video.keyframeInterval !== null &&
    video.keyframeInterval <= settings.maxKeyframeInterval &&
    video.fps <= settings.maxFps * FPS_TOLERANCE &&
    video.start <= MAX_COPY_START &&
    // In segments of such a stream the first frame has a wrong time.
    !(video.variableFps && video.reordered) &&
    // The last frame of a copy can be held a little longer; to seek in a longer time there must be frames.
    probe.duration - video.start - (video.duration ?? probe.duration) <= MAX_HELD_SECONDS &&
    (!settings.maxCopyBitrate || video.bitrate <= settings.maxCopyBitrate)
  )
}

/** A stream that starts this many seconds after the file is copied. */
const MAX_COPY_START = 0.05
/** Longer gaps (seconds) inside an audio track are filled with silence: players would close them. */
const MAX_AUDIO_GAP = 0.1

function canCopyAudio(probe: Probe, audio: AudioStream, settings: LadderSettings): boolean {
  const hasReliableTimestamps = probe.container.some(name => ['mov', 'matroska', 'mpegts', 'flv'].includes(name))
  return (
    hasReliableTimestamps &&
    audioEndGap(probe, audio) === 0 &&
    !audio.edited &&
    !audio.changesParameters &&
    !audio.jumps &&
    (audio.longestGap ?? 0) <= MAX_AUDIO_GAP &&
    audio.codec === 'aac' &&
    audio.profile === 'LC' &&
    audio.channels <= 2 &&
    audio.sampleRate >= 22_050 &&
    audio.sampleRate <= 48_000 &&
    Math.abs(audio.start) <= MAX_COPY_START &&
    audio.bitrate <= settings.audioBitrate * 1.5
  )
}

// Names by title, or by language for a track without one; names are unique in a group (RFC 8216, 4.3.4.1.1).
function nameAudioTracks(streams: AudioStream[]): Omit<PlannedAudioTrack, 'copy'>[] {
  const usedNames = new Set<string>()
  return streams.map(stream => {
    const language = toLanguageTag(stream.language)
    const baseName =
      stream.title
        ?.replace(/[\p{C}"]+/gu, ' ')
        .trim()
        .slice(0, MAX_TRACK_NAME_LENGTH) ||
      (language && new Intl.DisplayNames([language], { type: 'language' }).of(language)) ||
      'Audio'
    let name = baseName
    for (let number = 2; usedNames.has(name); number++) name = `${baseName} ${number}`
    usedNames.add(name)
    return { stream, language, name }
  })
}

const MAX_TRACK_NAME_LENGTH = 60

// The video rendition of an audio file: large enough for a legible cover, few frames.
const stillImageRendition: PlannedRendition = { resolution: 360, width: 640, height: 360, fps: 2, maxrate: 200_000 }

function selectResolutions(original: number, settings: LadderSettings): number[] {
  const fitting = [...new Set(settings.resolutions)].filter(resolution => resolution > 0 && resolution <= original)
  if (!settings.alwaysOriginal && fitting.length > 0) return fitting.sort((a, b) => b - a)
  // A rendition barely smaller than the original costs an encode without any benefit.
  const smaller = fitting.filter(resolution => resolution < original * 0.9)
  return [original, ...smaller.sort((a, b) => b - a)]
}

function planRendition(video: VideoStream, resolution: number, fps: number, duration: number): PlannedRendition {
  const scale = resolution / shortSide(video)
  const landscape = video.width >= video.height
  const longSide = roundToEven(Math.max(video.width, video.height) * scale)
  const width = landscape ? longSide : roundToEven(resolution)
  const height = landscape ? roundToEven(resolution) : longSide
  const seconds = Math.max(MIN_BOUNDED_SECONDS, duration)
  const cappedRate =
    ((renditionBitrateCap(video, resolution) - fps * TABLE_BITS_PER_FRAME) * seconds) / (seconds + BUFFER_HEAD_START_SECONDS)
  // Enough for complex content at this size; most videos stay far below it.
  const generousRate = (width * height) ** 0.9 * 0.5 * Math.max(fps, 15) ** 0.75 * 2
  return { resolution, width, height, fps, maxrate: Math.max(32_000, Math.round(Math.min(cappedRate, generousRate))) }
}

/** The highest average bit rate of a rendition, by its share of the source's resolution; Infinity if the source's is unknown. */
export function renditionBitrateCap(video: VideoStream, resolution: number): number {
  return video.bitrate > 0 ? video.bitrate * Math.min(1, resolution / shortSide(video)) ** 1.5 : Infinity
}

/** Size of the encoder's rate control buffer (VBV), in seconds of its bit rate. */
export const VBV_BUFFER_SECONDS = 2
/** Seconds' worth of bits that an encoder may use above its rate: its buffer is nearly full at the start. */
const BUFFER_HEAD_START_SECONDS = VBV_BUFFER_SECONDS * 0.9
/** Shorter videos are capped as if they had this length (seconds): a loop of one second would look bad and save nothing. */
const MIN_BOUNDED_SECONDS = 8
/** Bits per frame that a fragmented MP4 needs for its tables. */
const TABLE_BITS_PER_FRAME = 120

// A whole fraction of the source's rate keeps motion even: 100 becomes 50 under a cap of 60.
function capFps(fps: number, maxFps: number): number {
  return fps <= maxFps * FPS_TOLERANCE ? fps : fps / Math.ceil(fps / maxFps - 0.01)
}

// Measured rates are inexact: 60.1 is not above a cap of 60.
const FPS_TOLERANCE = 1.05

function shortSide(video: VideoStream): number {
  return Math.min(video.width, video.height)
}

function roundToEven(pixels: number): number {
  return Math.max(2, 2 * Math.round(pixels / 2))
}
