import { toLanguageTag } from './ffprobe-streams.ts'
import { hasMovingVideo, type AudioStream, type Probe, type VideoStream } from './probe.ts'

export type LadderSettings = {
  /** Enabled short sides in pixels; 0 is sound alone. */
  resolutions: number[]
  alwaysOriginal: boolean
  maxFps: number
  /** One shared audio rendition instead of sound in every rendition. */
  splitAudio: boolean
  crf: number
  /** Bits per second. */
  audioBitrate: number
  /** How many sound tracks are kept. */
  maxAudioTracks: number
  /** Seconds between keyframes above which a stream is not copied. */
  maxKeyframeInterval: number
  segmentSeconds: number
  preset: string
  threadsPerRung: number
  /** Bits per second above which the source's picture is encoded rather than copied. */
  maxCopyBitrate?: number | null
}

/** One picture size: `resolution` is its short side, `maxrate` in bits per second. */
export type PlannedRendition = { resolution: number; width: number; height: number; fps: number; maxrate: number }

/**
 * A sound track: the stream of the source, whether it is played as it is, the language (BCP 47; null where unknown) and a name of its own.
 */
export type PlannedAudioTrack = { stream: AudioStream; copy: boolean; language: string | null; name: string }

export type TranscodingPlan = {
  /** The top rung where the source's own stream can be played as it is. */
  copyVideo: PlannedRendition | null
  /** The rungs to encode, highest first. */
  encode: PlannedRendition[]
  /** The sound tracks, the one to begin with first. */
  audios: PlannedAudioTrack[]
  /** The source has no moving picture: the only rung shows a still one. */
  audioOnly: boolean
  splitAudio: boolean
  /** A rendition with sound alone is made. */
  audioRendition: boolean
  /** The source's own frame times are kept (no rung has its rate cut). */
  keepsFrameTimes: boolean
  settings: LadderSettings
}

/**
 * The renditions to make of a source: never larger than it, counted by the short side, the top one copied where browsers play it as it is.
 */
export function planLadder(probe: Probe, settings: LadderSettings): TranscodingPlan {
  const audios = named(probe.audios.slice(0, settings.maxAudioTracks)).map(sound => ({
    ...sound,
    copy: canCopyAudio(probe, sound.stream, settings)
  }))
  const audioOnly = !hasMovingVideo(probe)
  // Several cannot all be inside every rendition.
  const splitAudio = settings.splitAudio || audios.length > 1
  const shared = {
    audios,
    audioOnly,
    splitAudio,
    settings,
    audioRendition: audios.length > 0 && (splitAudio || settings.resolutions.includes(0))
  }
  if (audioOnly || !probe.video) {
    return { ...shared, copyVideo: null, encode: [stillRung], keepsFrameTimes: false }
  }
  const video = probe.video
  const fps = cappedFps(video.fps, settings.maxFps)
  const rungs = resolutionsFor(shortSide(video), settings).map(resolution => rungFor(video, resolution, fps, probe.duration))
  const [top, ...lower] = rungs
  const copies = top && top.resolution === shortSide(video) && canCopyVideo(probe, video, settings)
  return {
    ...shared,
    copyVideo: copies ? { ...top, maxrate: video.bitrate } : null,
    encode: copies ? lower : rungs,
    keepsFrameTimes: fps === video.fps
  }
}

/** Whether browsers play this stream as it is when it is merely put into segments. */
export function canCopyVideo(probe: Probe, video: VideoStream, settings: LadderSettings): boolean {
  // Of the other containers some have no frame times worth copying.
  const timed = probe.container.some(name => ['mov', 'matroska', 'mpegts', 'flv'].includes(name))
  return (
    timed &&
    video.codec === 'h264' &&
    ['Constrained Baseline', 'Baseline', 'Main', 'High'].includes(video.profile) &&
    ['yuv420p', 'yuvj420p'].includes(video.pixFmt) &&
    video.level > 0 &&
    video.level <= 52 &&
    video.rotation === 0 &&
    video.squarePixels &&
    !video.interlaced &&
    !video.hdr &&
    video.keyframeInterval !== null &&
    video.keyframeInterval <= settings.maxKeyframeInterval &&
    video.fps <= settings.maxFps * leeway &&
    video.start <= 0.05 &&
    // Segments made of such a stream have their first picture at a wrong time.
    !(video.variableFps && video.reordered) &&
    videoEndGap(probe) === 0 &&
    (!settings.maxCopyBitrate || video.bitrate <= settings.maxCopyBitrate)
  )
}

/** Seconds by which the picture ends before the file does, where that is more than a player bears. */
export function videoEndGap(probe: Probe): number {
  const video = probe.video
  if (!video || video.duration === null) return 0
  const gap = probe.duration - video.start - video.duration
  return gap > 1 ? gap : 0
}

/** Seconds by which a sound ends before the file does, where that is more than a player bears. */
export function audioEndGap(probe: Probe, audio: AudioStream): number {
  if (audio.duration === null) return 0
  const gap = probe.duration - audio.start - audio.duration
  return gap > 0.5 ? gap : 0
}

function canCopyAudio(probe: Probe, audio: AudioStream, settings: LadderSettings): boolean {
  const timed = probe.container.some(name => ['mov', 'matroska', 'mpegts', 'flv'].includes(name))
  return (
    timed &&
    audioEndGap(probe, audio) === 0 &&
    audio.codec === 'aac' &&
    audio.profile === 'LC' &&
    audio.channels <= 2 &&
    audio.sampleRate >= 22_050 &&
    audio.sampleRate <= 48_000 &&
    Math.abs(audio.start) <= 0.05 &&
    audio.bitrate <= settings.audioBitrate * 1.5
  )
}

// A language's own name where the track has none; no two alike (RFC 8216, 4.3.4.1.1).
function named(streams: AudioStream[]): Omit<PlannedAudioTrack, 'copy'>[] {
  const taken = new Set<string>()
  return streams.map(stream => {
    const language = toLanguageTag(stream.language)
    const wished =
      stream.title
        ?.replace(/[\p{C}"]+/gu, ' ')
        .trim()
        .slice(0, LONGEST_NAME) ||
      (language && new Intl.DisplayNames([language], { type: 'language' }).of(language)) ||
      'Audio'
    let name = wished
    for (let number = 2; taken.has(name); number++) name = `${wished} ${number}`
    taken.add(name)
    return { stream, language, name }
  })
}

const LONGEST_NAME = 60

// What a sound file shows: large enough for a legible cover, few frames.
const stillRung: PlannedRendition = { resolution: 360, width: 640, height: 360, fps: 2, maxrate: 200_000 }

function resolutionsFor(original: number, settings: LadderSettings): number[] {
  const fitting = [...new Set(settings.resolutions)].filter(side => side > 0 && side <= original)
  if (!settings.alwaysOriginal && fitting.length > 0) return fitting.sort((a, b) => b - a)
  // A rung barely smaller than the original costs an encode and shows nothing new.
  const lower = fitting.filter(side => side < original * 0.9)
  return [original, ...lower.sort((a, b) => b - a)]
}

function rungFor(video: VideoStream, resolution: number, fps: number, duration: number): PlannedRendition {
  const scale = resolution / shortSide(video)
  const landscape = video.width >= video.height
  const long = even(Math.max(video.width, video.height) * scale)
  const width = landscape ? long : even(resolution)
  const height = landscape ? even(resolution) : long
  const seconds = Math.max(SHORTEST, duration)
  const bounded = ((renditionBitrateCap(video, resolution) - fps * TABLES) * seconds) / (seconds + HEAD_START)
  // Enough for a hard picture at this size; most stay far below it.
  const generous = (width * height) ** 0.9 * 0.5 * Math.max(fps, 15) ** 0.75 * 2
  return { resolution, width, height, fps, maxrate: Math.max(32_000, Math.round(Math.min(bounded, generous))) }
}

/** Bits per second that the file of a rung has at most, by its share of the source's picture; Infinity where the source's are not known. */
export function renditionBitrateCap(video: VideoStream, resolution: number): number {
  return video.bitrate > 0 ? video.bitrate * Math.min(1, resolution / shortSide(video)) ** 1.5 : Infinity
}

/** An encoder's buffer, in seconds of its rate. */
export const VBV_BUFFER_SECONDS = 2
/** Seconds' worth of bits that an encoder may spend above its rate: its buffer is nearly full when it begins. */
const HEAD_START = VBV_BUFFER_SECONDS * 0.9
/** Shorter films (seconds) are bounded as if they were as long: a loop of a second would look bad and save nothing. */
const SHORTEST = 8
/** Bits per picture that a fragmented MP4 needs for its tables. */
const TABLES = 120

// A whole fraction of the source's rate keeps motion even: 100 becomes 50 under a cap of 60.
function cappedFps(fps: number, maxFps: number): number {
  return fps <= maxFps * leeway ? fps : fps / Math.ceil(fps / maxFps - 0.01)
}

// Measured rates waver: 60.1 is not above a cap of 60.
const leeway = 1.05

function shortSide(video: VideoStream): number {
  return Math.min(video.width, video.height)
}

function even(pixels: number): number {
  return Math.max(2, 2 * Math.round(pixels / 2))
}
