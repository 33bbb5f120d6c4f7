import { randomUUID } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MediaError, runFfmpeg } from './ffmpeg.ts'
import type { SubtitleStream } from './ffprobe-streams.ts'
import type { PauseControl } from './pause-control.ts'
import type { SubtitleFormat } from './subtitle-cues.ts'
import { SUBTITLES } from './subtitle-internals.ts'
import { convertToWebVtt } from './webvtt.ts'

/** Codecs whose packets are copied into a file of their format. Others are decoded, to SRT. */
const COPIED_FORMATS: Record<string, SubtitleFormat> = { subrip: 'srt', srt: 'srt', text: 'srt', webvtt: 'webvtt', ass: 'ass' }
/** Without its buffer, which would hold a whole stream back if the file lies about the order of its lines. */
const FORMAT_OPTIONS: Record<SubtitleFormat, string[]> = { srt: [], webvtt: [], ass: ['-ignore_readorder', '1'] }

type ExtractedStream = { stream: SubtitleStream; format: SubtitleFormat; file: string }

/**
 * Extracts text subtitle streams in one pass over the file and yields each as WebVTT, within the bounds of `SUBTITLES`, null where nothing
 * is left of it. Times are relative to the start of the file, as those of renditions. A stream that ffmpeg cannot extract may be cut, or
 * end the others early; throws only if ffmpeg was stopped or is missing, or the disk is full. Writes to `folder`, and leaves nothing there.
 */
export async function* extractSubtitles(
  input: string,
  streams: SubtitleStream[],
  options: {
    folder: string
    duration: number | null
    timeoutMs: number
    nice?: number
    signal?: AbortSignal
    pauseControl?: PauseControl
  }
): AsyncGenerator<{ stream: SubtitleStream; webVtt: string | null }> {
  const { folder, duration, ...limits } = options
  const extracted = streams.map<ExtractedStream>(stream => {
    const format = COPIED_FORMATS[stream.codec ?? ''] ?? 'srt'
    return { stream, format, file: `${randomUUID()}.${format}` }
  })
  const last = extracted.at(-1)
  if (!last) return
  try {
    const { done } = runFfmpeg({
      input,
      ...limits,
      cwd: folder,
      options: extracted.flatMap(one => [...outputOptions(one), ...(one === last ? [] : [join(folder, one.file)])]),
      output: last.file
    })
    await done.catch((error: unknown) => {
      if (!(error instanceof MediaError) || ['aborted', 'ffmpeg_missing', 'disk_full'].includes(error.code)) throw error
    })
    for (const { stream, format, file } of extracted) {
      const source = await readBeginning(join(folder, file), SUBTITLES.maxSourceBytes)
      yield { stream, webVtt: source && convertToWebVtt(source, format, duration) }
    }
  } finally {
    for (const { file } of extracted) await rm(join(folder, file), { force: true })
  }
}

function outputOptions({ stream, format }: ExtractedStream): string[] {
  const codec = COPIED_FORMATS[stream.codec ?? ''] ? 'copy' : 'srt'
  const limit = ['-fs', String(SUBTITLES.maxSourceBytes)]
  return ['-map', `0:${stream.index}`, '-map_metadata', '-1', '-c:s', codec, ...limit, ...FORMAT_OPTIONS[format], '-f', format]
}

/** Returns the first bytes of a file; null if it is missing. */
async function readBeginning(path: string, maxBytes: number): Promise<Uint8Array | null> {
  const file = await open(path, 'r').catch(() => null)
  if (!file) return null
  try {
    const buffer = Buffer.alloc(Math.min(maxBytes, (await file.stat()).size))
    let length = 0
    for (let bytesRead = -1; bytesRead !== 0 && length < buffer.length; length += bytesRead)
      ({ bytesRead } = await file.read(buffer, length, buffer.length - length, length))
    return buffer.subarray(0, length)
  } finally {
    await file.close()
  }
}
