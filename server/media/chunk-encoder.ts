import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MediaError, runFfmpeg, type FfmpegRun } from './ffmpeg.ts'
import { ladderFilterGraph, reinitFilterOptions, VIDEO_TIMESCALE, type TimeRange } from './ffmpeg-filters.ts'
import { videoEncoderArgs, type HlsOptions } from './hls.ts'
import { videoEndGap, type TranscodingPlan } from './ladder.ts'
import type { Probe } from './probe.ts'

/** Chunks are a multiple of so many seconds long, and of whole segments. */
const GRID = 4
/** Seconds before a chunk at which decoding begins at the latest: what is there is thrown away. */
const LEAD = 1
/** Seconds between two keyframes of the source above which the chunks would decode too much that is thrown away. */
const SPARSEST = 20

/**
 * Cuts a film of `duration` seconds into chunks of `length` (seconds, rounded to the grid); the first ones are shorter, so that there is
 * something to watch soon.
 */
export function splitIntoChunks(duration: number, length: number, segmentSeconds: number): TimeRange[] {
  const step = segmentSeconds * Math.ceil(GRID / segmentSeconds)
  const longest = Math.max(1, Math.round(length / step))
  const pieces: TimeRange[] = []
  let at = 0
  for (let steps = 1; at === 0 || at < duration; steps = Math.min(longest, steps * 2)) {
    pieces.push({ start: at, end: at + steps * step })
    at += steps * step
  }
  pieces.at(-1)!.end = null
  return pieces
}

/** Why a film is not cut, in words for the log; null where its joined chunks are what one pass makes. */
export function reasonNotToSplit(probe: Probe, plan: TranscodingPlan): string | null {
  const { video } = probe
  if (!video || plan.audioOnly || plan.encode.length === 0) return 'no moving picture is encoded'
  // Of the other containers not all can be searched to the picture.
  if (!probe.container.some(name => ['mov', 'matroska'].includes(name))) return 'this kind of file may not be searched exactly'
  if (!plan.splitAudio && plan.audios.length > 0) return 'the sound is inside every rendition'
  if (!plan.keepsFrameTimes) return 'the frame rate is cut'
  if (video.variableFps) return 'the frame rate varies'
  if (video.interlaced) return 'pictures are made of their neighbours'
  if (video.hdr) return 'the dynamic range is high'
  if (probe.truncated || videoEndGap(probe) > 0) return 'the picture ends early'
  if (video.keyframeInterval === null || video.keyframeInterval > SPARSEST) return 'keyframes are too sparse'
  if (video.start >= LEAD) return 'the picture begins late'
  return null
}

/** The name of the file a chunk's rung is encoded to; `stem` is the chunk's. */
export function chunkFilename(stem: string, resolution: number): string {
  return `${stem}-${resolution}.mp4`
}

/**
 * Encodes one chunk in every rung of `plan.encode`, in one process: fragmented MP4s in `folder`, which must be there, a fragment a segment.
 * What is there already is written anew.
 */
export function encodeChunk(
  input: string,
  folder: string,
  { stem, ...piece }: TimeRange & { stem: string },
  plan: TranscodingPlan,
  probe: Probe,
  options: HlsOptions
): FfmpegRun {
  let run: FfmpegRun | null = null
  let killed = false
  const done = (async () => {
    const graph = await ladderFilterGraph(probe, plan, { piece })
    if (killed) throw new MediaError('aborted', 'ffmpeg was stopped')
    const outputs = plan.encode.map((rung, i) => [
      '-map',
      `[v${i}]`,
      ...videoEncoderArgs(rung, 0, plan, probe),
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
      join(folder, chunkFilename(stem, rung.resolution))
    ])
    run = runFfmpeg({
      input,
      cwd: folder,
      output: chunkFilename(stem, plan.encode.at(-1)!.resolution),
      // Times count from the film's first instant, wherever decoding begins.
      before: [...reinitFilterOptions(probe), '-copyts', '-start_at_zero', ...(piece.start > 0 ? ['-ss', String(piece.start - LEAD)] : [])],
      options: ['-filter_complex', graph, ...outputs.flat().slice(0, -1)],
      nice: options.nice,
      signal: options.signal,
      stallMs: options.stallMs,
      brake: options.brake,
      duration: (piece.end ?? probe.duration) - piece.start,
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
