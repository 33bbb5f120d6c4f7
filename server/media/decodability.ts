import { dirname } from 'node:path'
import { MediaError, runFfmpeg } from './ffmpeg.ts'
import { parseFfprobeNumber, type FfprobeStream } from './ffprobe-streams.ts'

/** Codecs that every ffmpeg decodes by itself, without a library. */
const NATIVE_CODECS = [
  'h264',
  'hevc',
  'mpeg4',
  'mpeg2video',
  'mpeg1video',
  'mjpeg',
  'vp8',
  'vp9',
  'prores',
  'dvvideo',
  'wmv2',
  'flv1',
  'theora',
  'gif',
  'png',
  'aac',
  'mp3',
  'mp2',
  'ac3',
  'eac3',
  'opus',
  'vorbis',
  'flac',
  'alac',
  'wmav2',
  'pcm_s16le',
  'pcm_s16be',
  'pcm_s24le',
  'pcm_s24be'
]
/** Profiles of AAC that are decoded; not among them is xHE-AAC (USAC), for example. */
const AAC_PROFILES = ['LC', 'HE-AAC', 'HE-AACv2']
/** Sample entries of encrypted tracks (ISO 14496-12, 8.12; 'drms' and 'drmi' are older). */
const ENCRYPTED_TAGS = ['encv', 'enca', 'drms', 'drmi']
/** A trial decodes this many seconds of the file at most. */
const TRIAL_SECONDS = 60
/** All trials together take no longer. */
const MAX_TRIAL_MS = 30_000

/**
 * The streams of one kind that the installed ffmpeg can decode: where that is not certain by the description, one frame is decoded.
 * Throws a MediaError if the trial itself was stopped.
 */
export async function findDecodableStreams(
  file: string,
  streams: FfprobeStream[],
  { timeoutMs }: { timeoutMs: number }
): Promise<FfprobeStream[]> {
  const deadline = Date.now() + Math.min(timeoutMs, MAX_TRIAL_MS)
  const decodable: FfprobeStream[] = []
  // One after the other: there may be many of them.
  for (const stream of streams)
    if (
      isCertainlyDecodable(stream) ||
      (stream.codec_name !== 'unknown' && (await decodesOneFrame(file, stream.index, deadline - Date.now())))
    )
      decodable.push(stream)
  return decodable
}

function isCertainlyDecodable(stream: FfprobeStream): boolean {
  const { codec_name: codec = '', codec_tag_string: tag = '', profile } = stream
  if (!NATIVE_CODECS.includes(codec) || ENCRYPTED_TAGS.includes(tag)) return false
  if (codec === 'aac' && !AAC_PROFILES.includes(String(profile))) return false
  return stream.codec_type === 'video'
    ? isKnown(stream.pix_fmt) && parseFfprobeNumber(stream.width) > 0
    : isKnown(stream.sample_fmt) && parseFfprobeNumber(stream.sample_rate) > 0 && parseFfprobeNumber(stream.channels) > 0
}

function isKnown(name: string | undefined): boolean {
  return name !== undefined && name !== 'unknown'
}

async function decodesOneFrame(file: string, index: number, timeoutMs: number): Promise<boolean> {
  if (timeoutMs <= 0) return false
  try {
    const { frames, seconds } = await runFfmpeg({
      input: file,
      cwd: dirname(file),
      inputOptions: ['-t', String(TRIAL_SECONDS)],
      options: ['-map', `0:${index}`, '-frames', '1', '-f', 'null'],
      output: '-',
      timeoutMs
    }).done
    return frames > 0 || seconds > 0
  } catch (error) {
    if (error instanceof MediaError && ['ffmpeg_failed', 'timeout'].includes(error.code)) return false
    throw error
  }
}
