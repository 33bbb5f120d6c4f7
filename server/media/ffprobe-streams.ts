import { z } from 'zod'
import type { CaptionKind } from '../../shared/captions.ts'
import { captionKind } from './caption-kind.ts'

export type VideoStream = {
  index: number
  codec: string
  profile: string
  level: number
  pixFmt: string
  /** Display size: rotation and pixel aspect ratio applied, both even. */
  width: number
  height: number
  /** Clockwise rotation that a player has to apply, in degrees: 0, 90, 180 or 270. */
  rotation: number
  /** The display matrix mirrors or tilts the picture, beyond `rotation` (ISO 14496-12, 8.3.2). */
  transformed?: boolean
  squarePixels: boolean
  /** Mean frames per second. */
  fps: number
  variableFps: boolean
  /** Frames per second where they are dense: above `fps` if the frame rate varies. */
  peakFps?: number
  /** Longest time from one frame to the next, in seconds. */
  longestInterval?: number
  /** Frames are stored in another order than they are shown in (B-frames). */
  reordered: boolean
  /** Bits per second; derived from the file's size if the container does not state it. */
  bitrate: number
  frames: number | null
  /** Seconds from the start of the file to this stream's first frame, and to its last. */
  start: number
  lastFrame?: number
  duration: number | null
  /** Longest interval without a keyframe, in seconds; null if it was not measured. */
  keyframeInterval: number | null
  /** An edit list hides some of the packets (ISO 14496-12, 8.6.6). */
  edited?: boolean
  /** The sample description changes in mid-track. */
  changesParameters?: boolean
  /** Decode times go back or repeat, or jump. */
  jumps?: boolean
  attachedPic: boolean
  hdr: boolean
  /** As tagged in the file, in the words of ffmpeg; '' if it is not. */
  transfer: string
  colorSpace?: string
  primaries?: string
  range?: string
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
  /** As in VideoStream; what is hidden before the first sample shown does not count. */
  edited?: boolean
  changesParameters?: boolean
  jumps?: boolean
  /** Longest time without a packet, in seconds. */
  longestGap?: number
  /** As tagged in the file, in two letters, three or more. */
  language: string | null
  title: string | null
  /** The default track. */
  main?: boolean
}

/** An embedded text subtitle stream; language as tagged in the file. */
export type SubtitleStream = {
  index: number
  language: string | null
  /** Older probes do not have what follows. */
  codec?: string
  kind?: CaptionKind
  /** The default track. */
  main?: boolean
}

/** Subtitle codecs that hold text, not images. */
const TEXT_SUBTITLE_CODECS = ['subrip', 'srt', 'ass', 'ssa', 'mov_text', 'webvtt', 'text']

/** A number as ffprobe prints it, or "N/A". */
export const FfprobeNumber = z.union([z.string(), z.number()]).optional()
/** The fields used of ffprobe's description of one stream. */
export const FfprobeStream = z.object({
  index: z.number(),
  codec_type: z.string().optional(),
  codec_name: z.string().optional(),
  codec_tag_string: z.string().optional(),
  profile: FfprobeNumber,
  level: FfprobeNumber,
  pix_fmt: z.string().optional(),
  sample_fmt: z.string().optional(),
  width: FfprobeNumber,
  height: FfprobeNumber,
  sample_aspect_ratio: z.string().optional(),
  avg_frame_rate: z.string().optional(),
  r_frame_rate: z.string().optional(),
  field_order: z.string().optional(),
  has_b_frames: FfprobeNumber,
  color_transfer: z.string().optional(),
  color_space: z.string().optional(),
  color_primaries: z.string().optional(),
  color_range: z.string().optional(),
  bit_rate: FfprobeNumber,
  nb_frames: FfprobeNumber,
  start_time: FfprobeNumber,
  duration: FfprobeNumber,
  channels: FfprobeNumber,
  sample_rate: FfprobeNumber,
  disposition: z.record(z.string(), z.number()).optional(),
  tags: z.record(z.string(), z.string()).optional(),
  side_data_list: z.array(z.looseObject({ rotation: FfprobeNumber, displaymatrix: z.string().optional() })).optional()
})
export type FfprobeStream = z.infer<typeof FfprobeStream>

/** Parses ffprobe's description of a video stream; `start` is the start time of the file in seconds. */
export function parseVideoStream(stream: FfprobeStream, start: number): VideoStream {
  const rotation = streamRotation(stream)
  const { width: codedWidth, height: codedHeight } = { width: parseFfprobeNumber(stream.width), height: parseFfprobeNumber(stream.height) }
  const [sarX, sarY] = (stream.sample_aspect_ratio ?? '1:1').split(':').map(Number)
  const pixelAspect = sarX && sarY ? sarX / sarY : 1
  // A pixel aspect ratio of 4 or more is wrong; the frame is then shown in its coded size.
  const aspect = pixelAspect > 0.25 && pixelAspect < 4 ? pixelAspect : 1
  const stretched = aspect >= 1 ? [codedWidth * aspect, codedHeight] : [codedWidth, codedHeight / aspect]
  const [width, height] = rotation % 180 === 0 ? stretched : stretched.reverse()
  const meanFps = parseFraction(stream.avg_frame_rate)
  const nominalFps = parseFraction(stream.r_frame_rate)
  const profile = String(stream.profile ?? '')
  const level = parseFfprobeNumber(stream.level)
  const transfer = colorTag(stream.color_transfer)
  const stillImageCodecs = ['mjpeg', 'png', 'bmp', 'gif', 'webp', 'tiff']
  const frames = parseFfprobeNumber(stream.nb_frames) || null
  return {
    index: stream.index,
    codec: stream.codec_name ?? '',
    profile,
    level,
    pixFmt: stream.pix_fmt ?? '',
    width: roundToEven(width ?? 0),
    height: roundToEven(height ?? 0),
    rotation,
    transformed: isTransformed(stream, rotation),
    squarePixels: Math.abs(aspect - 1) < 0.001,
    fps: meanFps || nominalFps,
    variableFps: meanFps > 0 && nominalFps > 0 && Math.abs(meanFps - nominalFps) / nominalFps > 0.01,
    reordered: parseFfprobeNumber(stream.has_b_frames) > 0,
    bitrate: parseFfprobeNumber(stream.bit_rate),
    frames,
    start: Math.max(0, parseFfprobeNumber(stream.start_time) - start),
    duration: streamDuration(stream, start),
    keyframeInterval: null,
    attachedPic:
      stream.disposition?.attached_pic === 1 ||
      (stream.disposition?.still_image === 1 && stillImageCodecs.includes(stream.codec_name ?? '')),
    hdr: transfer === 'smpte2084' || transfer === 'arib-std-b67',
    transfer,
    colorSpace: colorTag(stream.color_space),
    primaries: colorTag(stream.color_primaries),
    range: colorTag(stream.color_range),
    interlaced: ['tt', 'bb', 'tb', 'bt'].includes(stream.field_order ?? ''),
    codecString: stream.codec_name === 'h264' ? avcCodecString(profile, level) : ''
  }
}

/** Parses ffprobe's description of an audio stream; `start` is the start time of the file in seconds. */
export function parseAudioStream(stream: FfprobeStream, start: number): AudioStream {
  return {
    index: stream.index,
    codec: stream.codec_name ?? '',
    profile: String(stream.profile ?? ''),
    channels: parseFfprobeNumber(stream.channels),
    sampleRate: parseFfprobeNumber(stream.sample_rate),
    bitrate: parseFfprobeNumber(stream.bit_rate),
    start: parseFfprobeNumber(stream.start_time) - start,
    duration: streamDuration(stream, start),
    language: streamLanguage(stream),
    title: stream.tags?.title ?? null,
    main: stream.disposition?.default === 1
  }
}

/** Parses ffprobe's description of a text subtitle stream; null for any other stream, and for text that is not about the audio. */
export function parseSubtitleStream(stream: FfprobeStream): SubtitleStream | null {
  const { index, codec_type: type, codec_name: codec = '', disposition = {}, tags = {} } = stream
  if (type !== 'subtitle' || !TEXT_SUBTITLE_CODECS.includes(codec)) return null
  const kind = captionKind(disposition, `${tags.title ?? ''} ${tags.handler_name ?? ''}`)
  return kind && { index, codec, language: streamLanguage(stream), kind, main: disposition.default === 1 }
}

/** The text subtitle streams in the output of ffprobe as it is stored; [] where it is not in the form expected. */
export function parseSubtitleStreams(metadata: Record<string, unknown> | undefined): SubtitleStream[] {
  const streams = z.array(FfprobeStream).safeParse(metadata?.streams).data ?? []
  return streams.map(parseSubtitleStream).filter(stream => stream !== null)
}

function streamLanguage({ tags }: FfprobeStream): string | null {
  return tags?.language && tags.language !== 'und' ? tags.language : null
}

/** The BCP 47 tag (`fr`) for the language tag of a file (ISO 639-2: `fre` or `fra`); null if there is none or it is invalid. */
export function toLanguageTag(language: string | null): string | null {
  try {
    return Intl.getCanonicalLocales(language ?? [])[0] ?? null
  } catch {
    return null
  }
}

/** The duration (seconds) that a file states of a stream, null if it does not; `start` is the start time of the file in seconds. */
export function streamDuration(stream: FfprobeStream, start: number): number | null {
  // Matroska stores the end of a stream in a tag: "00:01:02.345000000".
  const [hours, minutes, seconds] = (stream.tags?.DURATION ?? '').split(':').map(Number)
  const taggedEnd = (hours ?? NaN) * 3600 + (minutes ?? NaN) * 60 + (seconds ?? NaN)
  return (
    parseFfprobeNumber(stream.duration) ||
    (taggedEnd > 0 ? Math.max(0.001, taggedEnd - parseFfprobeNumber(stream.start_time) + start) : null)
  )
}

function streamRotation(stream: FfprobeStream): number {
  const displayMatrixRotation = stream.side_data_list?.find(data => data.rotation !== undefined)?.rotation
  const counterclockwise = displayMatrixRotation !== undefined ? Number(displayMatrixRotation) : -Number(stream.tags?.rotate ?? 0)
  if (!Number.isFinite(counterclockwise)) return 0
  return (((Math.round(-counterclockwise / 90) * 90) % 360) + 360) % 360
}

/** Whether the display matrix is another one than that of the rotation. */
function isTransformed(stream: FfprobeStream, rotation: number): boolean {
  const matrix = stream.side_data_list?.find(data => data.displaymatrix !== undefined)?.displaymatrix
  if (matrix === undefined) return false
  // Three lines of a number and three 16.16 (in the last column 2.30) fixed-point values.
  const rows = matrix
    .trim()
    .split('\n')
    .map(line => line.replace(/^.*:/, '').trim().split(/\s+/).map(Number))
  const [[a = 0, b = 0] = [], [c = 0, d = 0] = []] = rows
  const [cosine, sine] = [Math.round(Math.cos((rotation * Math.PI) / 180)), Math.round(Math.sin((rotation * Math.PI) / 180))]
  // Scaled by any positive factor, which is the pixel aspect ratio.
  const scale = Math.max(Math.abs(a), Math.abs(b), Math.abs(c), Math.abs(d))
  return [a - cosine * scale, b - sine * scale, c + sine * scale, d - cosine * scale].some(difference => Math.abs(difference) > scale / 2)
}

function colorTag(tag: string | undefined): string {
  return tag === undefined || ['unknown', 'unspecified', 'reserved'].includes(tag) ? '' : tag
}

function avcCodecString(profile: string, level: number): string {
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

function parseFraction(text: string | undefined): number {
  const [numerator, denominator] = (text ?? '').split('/').map(Number)
  return numerator && denominator ? numerator / denominator : 0
}

/** A number printed by ffprobe, 0 for "N/A". */
export function parseFfprobeNumber(value: string | number | undefined): number {
  const parsed = Number(value)
  return Number.isFinite(parsed) ? parsed : 0
}

function roundToEven(pixels: number): number {
  return Math.max(2, 2 * Math.round(pixels / 2))
}
