import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MediaError, runFfmpeg, type FfmpegRun } from './ffmpeg.ts'
import { ladderFilterGraph, reinitFilterOptions, VIDEO_TIMESCALE, type TimeRange } from './ffmpeg-filters.ts'
import { encodedDurationArgs } from './bitstream-filters.ts'
import { videoEncoderArgs, type HlsOptions } from './hls.ts'
import type { TranscodingPlan } from './ladder.ts'
import type { Probe } from './probe.ts'

/** The length of a chunk is a multiple of this, and of whole segments. */
const GRID_SECONDS = 4
/** Decoding begins at least this many seconds before a chunk; the frames before the chunk are discarded. */
const DECODE_LEAD_SECONDS = 1
/** Seconds between two keyframes of the source above which each chunk would decode too many frames that are discarded. */
const MAX_KEYFRAME_INTERVAL = 20

/**
 * Splits a video of `duration` seconds into chunks of `length` (seconds, rounded to the grid); the first ones are shorter, so that the
 * video becomes playable soon.
 */
export function splitIntoChunks(duration: number, length: number, segmentSeconds: number): TimeRange[] {
  const gridSeconds = segmentSeconds * Math.ceil(GRID_SECONDS / segmentSeconds)
  const maxSteps = Math.max(1, Math.round(length / gridSeconds))
  const ranges: TimeRange[] = []
  let start = 0
  for (let steps = 1; start === 0 || start < duration; steps = Math.min(maxSteps, steps * 2)) {
    ranges.push({ start, end: start + steps * gridSeconds })
    start += steps * gridSeconds
  }
  ranges.at(-1)!.end = null
  return ranges
}

/** Why a video cannot be encoded in chunks, as text for the log; null if its joined chunks equal the result of one pass. */
export function reasonNotToSplit(probe: Probe, plan: TranscodingPlan): string | null {
  const { video } = probe
  if (!video || plan.audioOnly || plan.encode.length === 0) return 'no moving picture is encoded'
  // Not all of the other containers support frame-exact seeking.
  if (!probe.container.some(name => ['mov', 'matroska'].includes(name))) return 'this kind of file may not be searched exactly'
  if (!plan.splitAudio && plan.audios.length > 0) return 'the sound is inside every rendition'
  if (!plan.keepsFrameTimes) return 'the frame rate is cut, or frames are added'
  if (video.variableFps) return 'the frame rate varies'
  if (video.interlaced) return 'pictures are made of their neighbours'
  if (video.hdr) return 'the dynamic range is high'
  if (probe.truncated) return 'the file is truncated'
  if (video.edited || video.jumps || video.changesParameters) return 'the picture is put together from parts'
  if (video.keyframeInterval === null || video.keyframeInterval > MAX_KEYFRAME_INTERVAL) return 'keyframes are too sparse'
  return null
}

/** The name of the file that a rendition of a chunk is encoded to; `stem` identifies the chunk. */
export function chunkFilename(stem: string, resolution: number): string {
  return `${stem}-${resolution}.mp4`
}

/**
 * Encodes one chunk in every rendition of `plan.encode`, in one process: fragmented MP4s in `folder`, which must exist, one fragment a
 * segment. Existing files are overwritten.
 */
export function encodeChunk(
  input: string,
  folder: string,
  { stem, ...range }: TimeRange & { stem: string },
  plan: TranscodingPlan,
  probe: Probe,
  options: HlsOptions
): FfmpegRun {
  let run: FfmpegRun | null = null
  let killed = false
  const done = (async () => {
    const graph = await ladderFilterGraph(probe, plan, { range })
    if (killed) throw new MediaError('aborted', 'ffmpeg was stopped')
    const outputs = plan.encode.map((rendition, i) => [
      '-map',
      `[v${i}]`,
      ...videoEncoderArgs(rendition, 0, plan, probe),
      ...(range.end === null ? encodedDurationArgs(probe, plan) : []),
      '-fps_mode',
      'vfr',
      '-enc_time_base:v',
      `1:${VIDEO_TIMESCALE}`,
      '-map_metadata',
      '-1',
      '-map_chapters',
      '-1',
      '-video_track_timescale',
      String(VIDEO_TIMESCALE),
      '-avoid_negative_ts',
      'disabled',
      '-use_editlist',
      '0',
      '-movflags',
      '+frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets+frag_discont',
      '-f',
      'mp4',
      join(folder, chunkFilename(stem, rendition.resolution))
    ])
    run = runFfmpeg({
      input,
      cwd: folder,
      output: chunkFilename(stem, plan.encode.at(-1)!.resolution),
      // Timestamps count from the start of the source, wherever decoding begins.
      inputOptions: [
        ...reinitFilterOptions(probe),
        '-copyts',
        '-start_at_zero',
        ...(range.start > 0 ? ['-ss', String(range.start - DECODE_LEAD_SECONDS)] : [])
      ],
      options: ['-filter_complex', graph, ...outputs.flat().slice(0, -1)],
      nice: options.nice,
      signal: options.signal,
      stallMs: options.stallMs,
      pauseControl: options.pauseControl,
      duration: (range.end ?? probe.duration) - range.start,
      onProgress: options.onProgress
    })
    return await run.done
  })()
  done.catch(() => {})
  return {
    done,
    kill() {
      killed = true
      run?.kill()
    }
  }
}

/** Removes the files of one chunk. */
export async function removeChunkFiles(folder: string, stem: string, plan: TranscodingPlan): Promise<void> {
  for (const { resolution } of plan.encode) await rm(join(folder, chunkFilename(stem, resolution)), { force: true })
}
