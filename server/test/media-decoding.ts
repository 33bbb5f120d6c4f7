import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { safeInputOptions } from '../media/ffmpeg.ts'
import type { Probe } from '../media/probe.ts'

const run = promisify(execFile)

/** Size in pixels of the pictures that are compared. */
export const PICTURE_WIDTH = 32
export const PICTURE_HEIGHT = 18
/** Bytes of one such picture: red, green, blue. */
export const PICTURE_BYTES = PICTURE_WIDTH * PICTURE_HEIGHT * 3
/** Samples per second of the sound that is compared. */
export const SOUND_RATE = 8000

/** Decoded video: the presentation time of each frame in seconds, and the frames at PICTURE_WIDTH x PICTURE_HEIGHT, one after another. */
export type Pictures = { times: number[]; rgb: Buffer }
/** What a video stream says about its colors, as ffmpeg prints it: e.g. `yuv420p`, `tv`, `bt709`; null where it says nothing. */
export type ColorTags = { pixelFormat: string; range: string | null; color: string | null; width: number; height: number }
/** A packet of a file: units of its stream's time base, and a checksum. */
export type Packet = { stream: number; dts: number; pts: number; size: number; checksum: string }
/** A decoded file: null without video; a mono track of sound for each audio stream that was asked for. */
export type DecodedMedia = { pictures: Pictures | null; sounds: Int16Array[] }

/** The streams of a file to decode: the absolute index of its video stream, null for none, and the indexes of its audio streams. */
export type DecodedStreams = {
  file: string
  video: number | null
  audios: number[]
  tags: ColorTags | undefined
  /** Seconds at which each audio stream starts; where they are not given, the times of the samples say it. */
  audioStarts?: number[]
}

/**
 * Decodes a source the way a player shows it: edit lists and rotation applied, times from the start of the file, gaps of the sound filled
 * with silence. Also returns the color tags of the video streams of `others`. What cannot be decoded is left out.
 */
export async function decodeSource(
  source: string | null,
  probe: Probe,
  others: string[],
  scratch: string
): Promise<DecodedMedia & { tags: Map<string, ColorTags> }> {
  const video = probe.video && !probe.video.attachedPic ? probe.video.index : null
  const raw = (probe.metadata.streams as Record<string, unknown>[] | undefined)?.find(({ index }) => index === video)
  const tags = raw && {
    pixelFormat: String(raw.pix_fmt),
    range: known(raw.color_range),
    color: known(raw.color_space),
    width: Number(raw.width),
    height: Number(raw.height)
  }
  const [audios, audioStarts] = [probe.audios.map(({ index }) => index), probe.audios.map(({ start }) => start)]
  const streams = source === null ? null : { file: source, video, audios, tags, audioStarts }
  const target = join(scratch, 'source')
  // The others come first, so that their numbers do not depend on whether there is a source.
  const log = await runDecoder(
    [
      '-v',
      'level+info',
      ...others.flatMap(file => ['-i', `file:${file}`]),
      ...(streams ? [...safeInputOptions, '-i', `file:${streams.file}`] : [])
    ],
    streams ? outputArgs(streams, others.length, target) : []
  )
  return { ...(streams ? await readDecoded(streams, target) : { pictures: null, sounds: [] }), tags: readColorTags(log, others) }
}

/**
 * Decodes renditions in one process, their times as they are stored, and lists the packets of the files of `demuxed`. `errors` are the lines
 * that ffmpeg printed as errors.
 */
export async function decodeRenditions(
  renditions: DecodedStreams[],
  demuxed: string[],
  scratch: string
): Promise<{ decoded: DecodedMedia[]; packets: Packet[][]; errors: string[] }> {
  const target = (index: number) => join(scratch, `rendition-${index}`)
  const inputs = [...renditions.map(({ file }) => file), ...demuxed]
  const log = await runDecoder(
    ['-v', 'level+error', '-copyts', ...inputs.flatMap(file => ['-i', `file:${file}`])],
    [
      ...renditions.flatMap((streams, index) => outputArgs(streams, index, target(index))),
      ...demuxed.flatMap((_, index) => ['-map', `${renditions.length + index}`, '-c', 'copy', '-f', 'framecrc', `${target(index)}.packets`])
    ]
  )
  return {
    decoded: await Promise.all(renditions.map((streams, index) => readDecoded(streams, target(index)))),
    packets: await Promise.all(demuxed.map(async (_, index) => readPackets(await readText(`${target(index)}.packets`)))),
    errors: errorLines(log)
  }
}

/** The matrix that a player takes for a stream: that of its tags, else BT.709 for HD and BT.601 below. */
export function playerMatrix({ color, width, height }: ColorTags): string {
  const named = /^(bt709|smpte170m|bt470bg|fcc|smpte240m|bt2020nc|bt2020c)$/.exec(color?.split('/')[0] ?? '')?.[1]
  if (named) return { smpte170m: 'smpte170m', bt470bg: 'bt470', bt2020nc: 'bt2020', bt2020c: 'bt2020' }[named] ?? named
  return Math.max(width, height) >= 1280 || height > 576 ? 'bt709' : 'bt601'
}

function outputArgs({ video, audios, tags, audioStarts }: DecodedStreams, input: number, target: string): string[] {
  const matrix = tags && /^(yuv|nv|p0|y4|uyv)/.test(tags.pixelFormat) ? `:in_color_matrix=${playerMatrix(tags)}` : ''
  const frameTimes = ['-fps_mode', 'passthrough', '-enc_time_base', '1:90000']
  return [
    ...(video === null
      ? []
      : [
          '-filter_complex',
          `[${input}:${video}]scale=${PICTURE_WIDTH}:${PICTURE_HEIGHT}:flags=area+accurate_rnd+full_chroma_int${matrix},` +
            `format=rgb24,split[pictures${input}][times${input}]`,
          ...['-map', `[pictures${input}]`, ...frameTimes, '-f', 'rawvideo', `${target}.rgb`],
          ...['-map', `[times${input}]`, ...frameTimes, '-f', 'framecrc', `${target}.times`]
        ]),
    ...audios.flatMap((stream, track) => [
      // Where the form of the samples changes, ffmpeg makes the filters anew, which would pad from 0 again.
      ...['-map', `${input}:${stream}`, '-af', `aresample=${SOUND_RATE}:async=1${audioStarts ? '' : ':first_pts=0'}`],
      ...['-ac', '1', '-f', 's16le'],
      `${target}.${track}.pcm`
    ])
  ]
}

async function readDecoded({ video, audios, audioStarts }: DecodedStreams, target: string): Promise<DecodedMedia> {
  return {
    pictures:
      video === null
        ? null
        : {
            times: readPackets(await readText(`${target}.times`)).map(({ pts }) => pts / 90_000),
            rgb: await readBytes(`${target}.rgb`)
          },
    sounds: await Promise.all(
      audios.map(async (_, track) => {
        const bytes = await readBytes(`${target}.${track}.pcm`)
        const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~1)))
        const late = Math.round((audioStarts?.[track] ?? 0) * SOUND_RATE)
        if (late <= 0) return samples.subarray(-late)
        const padded = new Int16Array(late + samples.length)
        padded.set(samples, late)
        return padded
      })
    )
  }
}

/** The lines that ffmpeg prints as errors when it decodes a file. */
export async function decodingErrors(file: string): Promise<string[]> {
  return errorLines(await runDecoder(['-v', 'level+error', '-i', `file:${file}`], ['-map', '0', '-f', 'null', '-']))
}

const errorLines = (log: string) => log.split('\n').filter(line => /\[(error|fatal|panic)\]/.test(line))

/** Runs ffmpeg, whatever its exit status: what it says is judged. */
async function runDecoder(inputs: string[], outputs: string[]): Promise<string> {
  const args = ['-hide_banner', '-nostdin', '-nostats', '-y', ...inputs, ...outputs]
  if (outputs.length === 0) args.push('-t', '0', '-f', 'null', '-')
  const options = { maxBuffer: 64 * 1024 * 1024 }
  return await run('ffmpeg', args, options).then(
    ({ stderr }) => stderr,
    (error: { stderr?: string; message: string }) => `${error.stderr}\n[fatal] ${error.message.split('\n').at(-1)}`
  )
}

function readPackets(text: string): Packet[] {
  return text
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => {
      const [stream, dts, pts, , size, checksum] = line.split(',').map(field => field.trim())
      return { stream: Number(stream), dts: Number(dts), pts: Number(pts), size: Number(size), checksum: checksum ?? '' }
    })
}

/** The color tags of the first video stream of each input, from ffmpeg's description of its inputs; `files` are its inputs in order. */
function readColorTags(log: string, files: string[]): Map<string, ColorTags> {
  const tags = new Map<string, ColorTags>()
  for (const [, input, pixelFormat, details, width, height] of log.matchAll(
    /Stream #(\d+):\d+\S*: Video: .*?, (\w+)(?:\(([^)]*)\))?, (\d+)x(\d+)/g
  )) {
    const file = files[Number(input)]
    if (!file || tags.has(file)) continue
    const words = details?.split(/,\s*/) ?? []
    tags.set(file, {
      pixelFormat: pixelFormat!,
      range: words.find(word => /^(tv|pc)$/.test(word)) ?? null,
      color: words.find(word => !/^(tv|pc|progressive|top .*|bottom .*)$/.test(word)) ?? null,
      width: Number(width),
      height: Number(height)
    })
  }
  return tags
}

const known = (value: unknown) => (typeof value === 'string' && value !== 'unknown' ? value : null)
const readBytes = async (file: string) => await readFile(file).catch(() => Buffer.alloc(0))
const readText = async (file: string) => (await readBytes(file)).toString('latin1')
