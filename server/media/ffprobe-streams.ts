import { z } from 'zod'

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
  /** As the file says it, in two letters, three or more. */
  language: string | null
  title: string | null
  /** The one to begin with. */
  main?: boolean
}

/** Subtitles as text, inside a file; language as the file says it. */
export type SubtitleStream = { index: number; language: string | null }

/** Codecs of subtitles that are words, not pictures of words. */
const WORDS = ['subrip', 'srt', 'ass', 'ssa', 'mov_text', 'webvtt', 'text']

/** A number as ffprobe writes it, or "N/A". */
export const FfprobeNumber = z.union([z.string(), z.number()]).optional()
/** What is wanted of ffprobe's account of one stream. */
export const FfprobeStream = z.object({
  index: z.number(),
  codec_type: z.string().optional(),
  codec_name: z.string().optional(),
  profile: FfprobeNumber,
  level: FfprobeNumber,
  pix_fmt: z.string().optional(),
  width: FfprobeNumber,
  height: FfprobeNumber,
  sample_aspect_ratio: z.string().optional(),
  avg_frame_rate: z.string().optional(),
  r_frame_rate: z.string().optional(),
  field_order: z.string().optional(),
  has_b_frames: FfprobeNumber,
  color_transfer: z.string().optional(),
  bit_rate: FfprobeNumber,
  nb_frames: FfprobeNumber,
  start_time: FfprobeNumber,
  duration: FfprobeNumber,
  channels: FfprobeNumber,
  sample_rate: FfprobeNumber,
  disposition: z.record(z.string(), z.number()).optional(),
  tags: z.record(z.string(), z.string()).optional(),
  side_data_list: z.array(z.looseObject({ rotation: FfprobeNumber })).optional()
})
export type FfprobeStream = z.infer<typeof FfprobeStream>

/** A picture stream from ffprobe's account; `start` is the file's own first instant. */
export function parseVideoStream(stream: FfprobeStream, start: number): VideoStream {
  const rotation = rotationOf(stream)
  const { width: codedWidth, height: codedHeight } = { width: parseFfprobeNumber(stream.width), height: parseFfprobeNumber(stream.height) }
  const [sarX, sarY] = (stream.sample_aspect_ratio ?? '1:1').split(':').map(Number)
  const shape = sarX && sarY ? sarX / sarY : 1
  // A pixel four times as wide as high is a lie; the picture is then shown as it was coded.
  const aspect = shape > 0.25 && shape < 4 ? shape : 1
  const stretched = aspect >= 1 ? [codedWidth * aspect, codedHeight] : [codedWidth, codedHeight / aspect]
  const [width, height] = rotation % 180 === 0 ? stretched : stretched.reverse()
  const mean = rate(stream.avg_frame_rate)
  const nominal = rate(stream.r_frame_rate)
  const profile = String(stream.profile ?? '')
  const level = parseFfprobeNumber(stream.level)
  const transfer = stream.color_transfer ?? ''
  const stills = ['mjpeg', 'png', 'bmp', 'gif', 'webp', 'tiff']
  const frames = parseFfprobeNumber(stream.nb_frames) || null
  return {
    index: stream.index,
    codec: stream.codec_name ?? '',
    profile,
    level,
    pixFmt: stream.pix_fmt ?? '',
    width: even(width ?? 0),
    height: even(height ?? 0),
    rotation,
    squarePixels: Math.abs(aspect - 1) < 0.001,
    fps: mean || nominal,
    variableFps: mean > 0 && nominal > 0 && Math.abs(mean - nominal) / nominal > 0.01,
    reordered: parseFfprobeNumber(stream.has_b_frames) > 0,
    bitrate: parseFfprobeNumber(stream.bit_rate),
    frames,
    start: Math.max(0, parseFfprobeNumber(stream.start_time) - start),
    duration: durationOf(stream, start),
    keyframeInterval: null,
    attachedPic:
      stream.disposition?.attached_pic === 1 || (stream.disposition?.still_image === 1 && stills.includes(stream.codec_name ?? '')),
    hdr: transfer === 'smpte2084' || transfer === 'arib-std-b67',
    transfer,
    interlaced: ['tt', 'bb', 'tb', 'bt'].includes(stream.field_order ?? ''),
    codecString: stream.codec_name === 'h264' ? avcString(profile, level) : ''
  }
}

/** A sound stream from ffprobe's account; `start` is the file's own first instant. */
export function parseAudioStream(stream: FfprobeStream, start: number): AudioStream {
  return {
    index: stream.index,
    codec: stream.codec_name ?? '',
    profile: String(stream.profile ?? ''),
    channels: parseFfprobeNumber(stream.channels),
    sampleRate: parseFfprobeNumber(stream.sample_rate),
    bitrate: parseFfprobeNumber(stream.bit_rate),
    start: parseFfprobeNumber(stream.start_time) - start,
    duration: durationOf(stream, start),
    language: languageOf(stream),
    title: stream.tags?.title ?? null,
    main: stream.disposition?.default === 1
  }
}

/** A stream of text subtitles from ffprobe's account; null for any other. */
export function parseSubtitleStream(stream: FfprobeStream): SubtitleStream | null {
  return stream.codec_type === 'subtitle' && WORDS.includes(stream.codec_name ?? '')
    ? { index: stream.index, language: languageOf(stream) }
    : null
}

function languageOf({ tags }: FfprobeStream): string | null {
  return tags?.language && tags.language !== 'und' ? tags.language : null
}

/** A language as playlists and pages name it (BCP 47: `fr`) by what a file says (ISO 639-2: `fre` or `fra`); null where that is nothing. */
export function toLanguageTag(language: string | null): string | null {
  try {
    return Intl.getCanonicalLocales(language ?? [])[0] ?? null
  } catch {
    return null
  }
}

// Matroska keeps the stream's end in a tag: "00:01:02.345000000".
function durationOf(stream: FfprobeStream, start: number): number | null {
  const [hours, minutes, seconds] = (stream.tags?.DURATION ?? '').split(':').map(Number)
  const tagged = (hours ?? NaN) * 3600 + (minutes ?? NaN) * 60 + (seconds ?? NaN)
  return (
    parseFfprobeNumber(stream.duration) || (tagged > 0 ? Math.max(0.001, tagged - parseFfprobeNumber(stream.start_time) + start) : null)
  )
}

function rotationOf(stream: FfprobeStream): number {
  const matrix = stream.side_data_list?.find(data => data.rotation !== undefined)?.rotation
  const counterclockwise = matrix !== undefined ? Number(matrix) : -Number(stream.tags?.rotate ?? 0)
  if (!Number.isFinite(counterclockwise)) return 0
  return (((Math.round(-counterclockwise / 90) * 90) % 360) + 360) % 360
}

function avcString(profile: string, level: number): string {
  const profiles: Record<string, string> = {
    'Constrained Baseline': '42e0',
    Baseline: '4200',
    Main: '4d40',
    Extended: '5800',
    High: '6400',
    'High 10': '6e00',
    'High 4:2:2': '7a00',
    'High 4:4:4 Predictive': 'f400'
  }
  const prefix = profiles[profile]
  return prefix && level > 0 ? `avc1.${prefix}${level.toString(16).padStart(2, '0')}` : ''
}

function rate(text: string | undefined): number {
  const [over, under] = (text ?? '').split('/').map(Number)
  return over && under ? over / under : 0
}

/** The number ffprobe means, 0 where it does not know. */
export function parseFfprobeNumber(value: string | number | undefined): number {
  const parsed = Number(value)
  return Number.isFinite(parsed) ? parsed : 0
}

function even(pixels: number): number {
  return Math.max(2, 2 * Math.round(pixels / 2))
}
