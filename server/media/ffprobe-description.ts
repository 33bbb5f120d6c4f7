import { z } from 'zod'
import { MediaError, runFfprobe, safeInputOptions } from './ffmpeg.ts'
import { FfprobeNumber, FfprobeStream, parseFfprobeNumber } from './ffprobe-streams.ts'

const FfprobeOutput = z.object({
  format: z.object({ format_name: z.string(), start_time: FfprobeNumber, duration: FfprobeNumber, bit_rate: FfprobeNumber }),
  streams: z.array(FfprobeStream),
  chapters: z.array(z.object({ start_time: FfprobeNumber, tags: z.record(z.string(), z.string()).optional() })).default([])
})

/** A file as ffprobe describes it, and the same in the form of the API. */
export type FfprobeDescription = z.infer<typeof FfprobeOutput> & { raw: Record<string, unknown> }

/** More is read where the description of a stream is missing: it begins later than ffprobe looks by default (microseconds, bytes). */
const DEEP_PROBE_OPTIONS = ['-analyzeduration', '120000000', '-probesize', '200000000']

/**
 * Reads ffprobe's description of a file; `raw` has it in the form of the API: `format`, `streams`, `chapters`. Throws a MediaError if ffprobe
 * cannot open the file.
 */
export async function readFfprobeDescription(file: string, limits: { timeoutMs: number }): Promise<FfprobeDescription> {
  const result = await readDescription(file, limits)
  const isIncomplete = result.streams.some(
    stream =>
      ['video', 'audio'].includes(stream.codec_type ?? '') && !['unknown', undefined].includes(stream.codec_name) && !isDescribed(stream)
  )
  return isIncomplete ? await readDescription(file, limits, DEEP_PROBE_OPTIONS) : result
}

async function readDescription(file: string, limits: { timeoutMs: number }, options: string[] = []): Promise<FfprobeDescription> {
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
        ...options,
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

/** Whether the size of the frames or the form of the samples of a video or audio stream is known. */
export function isDescribed({ codec_type, width, height, sample_rate, channels }: FfprobeStream): boolean {
  return (codec_type === 'video' ? [width, height] : [sample_rate, channels]).every(value => parseFfprobeNumber(value) > 0)
}
