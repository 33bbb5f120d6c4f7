import { randomUUID } from 'node:crypto'
import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { SOFTWARE_ENCODER, type H264Encoder } from '../../shared/encoders.ts'
import type { PauseControl } from './pause-control.ts'
import { hardwareEncoderArgs, hardwareSetup } from './hardware-encoders.ts'
import { MediaError, runFfmpeg, type FfmpegRun, type FfmpegProgress } from './ffmpeg.ts'
import { copiedStreamArgs, encodedDurationArgs } from './bitstream-filters.ts'
import { audioFilters, ladderFilterGraph, reinitFilterOptions, VIDEO_TIMESCALE } from './ffmpeg-filters.ts'
import { planStagger } from './stagger.ts'
import { VBV_BUFFER_SECONDS, type TranscodingPlan, type PlannedRendition, type PlannedAudioTrack } from './ladder.ts'
import { completeMediaPlaylist } from './complete-playlist.ts'
import { readMediaPlaylist, type HlsOutput } from './hls-playlist.ts'
import type { Probe } from './probe.ts'

export type { HlsOutput } from './hls-playlist.ts'

export type HlsResult = {
  /** Length of the shortest rendition, in seconds. */
  seconds: number
  /** The source ended early or could not be read completely; the readable part is encoded. */
  damaged: boolean
  /** Some packets could not be decoded, or only in part; copies of the same stream contain them too. */
  decodeErrors: boolean
  /** Warnings of ffmpeg. */
  log: string
}

export type HlsOptions = {
  onProgress?: (progress: FfmpegProgress) => void
  signal?: AbortSignal
  nice?: number
  /** Ends an ffmpeg that makes no progress for this long (ms). */
  stallMs?: number
  pauseControl?: PauseControl | undefined
  /** Whether the encode makes the shared audio too; by default only if no copy does. */
  withAudio?: boolean
  /** libx264 by default. */
  encoder?: H264Encoder
  /** Bytes that may be used to encode the smallest renditions before the others (stagger.ts); none by default. */
  spareMemory?: number
}

export type HlsRun = {
  /** Known at once; the playlists appear with their first segment, grow, and have ENDLIST when `done` resolves. */
  outputs: HlsOutput[]
  /** The same outputs, grouped by when they start: those of a group within the same second; the first group has all audio. */
  groups: HlsOutput[][]
  /** Rejects with a MediaError if ffmpeg fails, is stopped, or produced an empty rendition; files written so far stay. */
  done: Promise<HlsResult>
  kill(): void
}

/** Globally unique file names for one new rendition. */
export function newHlsFilenames(resolution: number): { playlist: string; file: string } {
  const stem = `${randomUUID()}-${resolution}`
  return { playlist: `${stem}.m3u8`, file: `${stem}-fragmented.mp4` }
}

/** Copies the source's video stream into segments without decoding it, with the shared audio; requires `plan.copyVideo`. */
export function copyToHls(input: string, folder: string, plan: TranscodingPlan, probe: Probe, options: HlsOptions): HlsRun {
  const rendition = plan.copyVideo
  if (!rendition || !probe.video) throw new TypeError('this plan copies no picture')
  const video = ['-map', `0:${probe.video.index}`, '-c:v', 'copy', '-tag:v', 'avc1', ...copiedStreamArgs(probe, probe.video)]
  return startHlsRun(input, folder, probe, plan, [planOutputs([rendition], plan, true)], options, async () => [video])
}

/**
 * Encodes every rendition of `plan.encode` (and the shared audio, unless a copy makes it) in one process with one decode; the smallest
 * renditions and the audio first, if `spareMemory` allows it and there is no copy to play.
 */
export function encodeToHls(input: string, folder: string, plan: TranscodingPlan, probe: Probe, options: HlsOptions): HlsRun {
  const encoder = options.encoder ?? SOFTWARE_ENCODER
  const stagger = planStagger(plan, probe, options.spareMemory ?? 0)
  const outputs = planOutputs(plan.encode, plan, options.withAudio ?? plan.copyVideo === null)
  const delayedCount = stagger?.delayedRenditions ?? 0
  const videoArgs = (from: number, to?: number): string[] => {
    const encoded = plan.encode.slice(from, to)
    return [
      ...encoded.flatMap((_, i) => ['-map', `[v${from + i}]`]),
      ...encoded.flatMap((rendition, i) => videoEncoderArgs(rendition, i, plan, probe, encoder)),
      ...encodedDurationArgs(probe, plan, stagger !== null && from === 0),
      '-fps_mode',
      'vfr',
      '-enc_time_base:v',
      `1:${VIDEO_TIMESCALE}`
    ]
  }
  const build = async (): Promise<string[][]> => {
    const graph = ['-filter_complex', await ladderFilterGraph(probe, plan, { upload: hardwareSetup(encoder).upload, stagger })]
    return [[...graph, ...videoArgs(delayedCount)], ...(stagger ? [videoArgs(0, delayedCount)] : [])]
  }
  return startHlsRun(
    input,
    folder,
    probe,
    plan,
    [outputs.slice(delayedCount), ...(stagger ? [outputs.slice(0, delayedCount)] : [])],
    options,
    build
  )
}

/** Makes the shared audio alone. */
export function audioToHls(input: string, folder: string, plan: TranscodingPlan, probe: Probe, options: HlsOptions): HlsRun {
  return startHlsRun(input, folder, probe, plan, [planOutputs([], plan, true)], options, async () => [[]])
}

// One output of the HLS muxer, and the audio track that is muxed into it.
type MuxerOutput = HlsOutput & { audio: PlannedAudioTrack | null }

function planOutputs(videoRenditions: PlannedRendition[], plan: TranscodingPlan, sharedAudio: boolean): MuxerOutput[] {
  const muxedAudio = plan.splitAudio ? null : (plan.audios[0] ?? null)
  const outputs: MuxerOutput[] = videoRenditions.map(rendition => ({
    kind: 'video',
    resolution: rendition.resolution,
    ...newHlsFilenames(rendition.resolution),
    audio: muxedAudio
  }))
  if (sharedAudio && plan.audioRendition) {
    plan.audios.forEach((audio, track) =>
      outputs.push({
        kind: 'audio',
        resolution: 0,
        ...newHlsFilenames(0),
        audio,
        audioTrack: { track, language: audio.language, name: audio.name }
      })
    )
  }
  return outputs
}

// One ffmpeg process with an HLS muxer for each group of outputs: within one muxer all outputs start together. `build` returns the video
// options of each group.
function startHlsRun(
  input: string,
  folder: string,
  probe: Probe,
  plan: TranscodingPlan,
  outputGroups: MuxerOutput[][],
  options: HlsOptions,
  build: () => Promise<string[][]>
): HlsRun {
  const groups = outputGroups.map(group =>
    group.map(({ kind, resolution, playlist, file, audioTrack }) => ({
      kind,
      resolution,
      playlist,
      file,
      ...(audioTrack ? { audioTrack } : {})
    }))
  )
  // Highest first, as in the plan.
  const outputs = groups.flat().sort((a, b) => b.resolution - a.resolution)
  let run: FfmpegRun | null = null
  let killed = false
  const done = (async () => {
    const videoArgs = await build()
    if (killed) throw new MediaError('aborted', 'ffmpeg was stopped')
    const output = '%v.m3u8'
    run = runFfmpeg({
      input,
      cwd: folder,
      output,
      inputOptions: [...hardwareSetup(options.encoder ?? SOFTWARE_ENCODER).device, ...reinitFilterOptions(probe)],
      options: outputGroups.flatMap((group, i) => [
        ...(i > 0 ? [join(folder, output)] : []),
        ...videoArgs[i]!,
        ...audioArgs(probe, plan, group),
        ...muxerArgs(group, plan, folder)
      ]),
      nice: options.nice,
      signal: options.signal,
      stallMs: options.stallMs,
      pauseControl: options.pauseControl,
      duration: probe.duration,
      onProgress: options.onProgress
    })
    const { log, frames, seconds, decodeErrors } = await run.done
    await verifyOutputs(folder, outputs, { log, encoded: frames > 0 || seconds > 0 })
    const durations = await Promise.all(outputs.map(async output => await completeMediaPlaylist(folder, output)))
    const shortest = Math.min(...durations)
    const expected = plan.keepsFrameTimes && outputs.some(({ kind }) => kind === 'video') ? (probe.video?.frames ?? 0) : 0
    const damaged = probe.truncated || shortest < probe.duration - Math.max(1, probe.duration * 0.02) || frames < expected * 0.95
    return { seconds: shortest, decodeErrors, damaged, log }
  })()
  // A caller that only kills the run need not handle the rejection.
  done.catch(() => {})
  return {
    outputs,
    groups,
    done,
    kill() {
      killed = true
      run?.kill()
    }
  }
}

/** Encoder options for one rendition, the `i`th video stream of its output. */
export function videoEncoderArgs(
  rendition: PlannedRendition,
  i: number,
  plan: TranscodingPlan,
  probe: Probe,
  encoder: H264Encoder = SOFTWARE_ENCODER
): string[] {
  const { settings } = plan
  const segmentSeconds = settings.segmentSeconds
  const maxGopFrames = Math.max(250, Math.ceil(rendition.fps * segmentSeconds * 2))
  return [
    [`-c:v:${i}`, encoder],
    [`-profile:v:${i}`, 'high'],
    encoder === SOFTWARE_ENCODER ? x264Args(rendition, i, plan, probe) : hardwareEncoderArgs(encoder, rendition, i),
    [`-maxrate:v:${i}`, String(rendition.maxrate)],
    [`-bufsize:v:${i}`, String(rendition.maxrate * VBV_BUFFER_SECONDS)],
    // On the segment grid, whatever the frame times: all renditions then have their keyframes at the same times.
    [
      `-force_key_frames:v:${i}`,
      `expr:if(isnan(prev_forced_t),1,gte(t,(floor(prev_forced_t/${segmentSeconds}+0.0001)+1)*${segmentSeconds}))`
    ],
    [`-g:v:${i}`, String(maxGopFrames)]
  ].flat()
}

function x264Args(
  rendition: PlannedRendition,
  i: number,
  { settings, audioOnly, keepsFrameTimes }: TranscodingPlan,
  probe: Probe
): string[] {
  return [
    [`-preset:v:${i}`, settings.preset],
    [`-crf:v:${i}`, String(settings.crf)],
    // With a variable frame rate the muxer gets the time of the first frame of a segment right only without B-frames.
    ...(keepsFrameTimes && probe.video?.variableFps ? [[`-bf:v:${i}`, '0']] : []),
    ...(audioOnly ? [[`-tune:v:${i}`, 'stillimage']] : []),
    // Some files claim thousands of frames per second, which must not affect the level and the rate control.
    [`-x264-params:v:${i}`, `fps=${Math.max(1, Math.round(rendition.fps * 1000))}/1000`],
    [`-sc_threshold:v:${i}`, '0'],
    [`-threads:v:${i}`, String(settings.threadsPerRung)]
  ].flat()
}

function audioArgs(probe: Probe, plan: TranscodingPlan, outputs: MuxerOutput[]): string[] {
  const audioTracks = outputs.flatMap(({ audio }) => (audio ? [audio] : []))
  return [
    ...audioTracks.flatMap(({ stream }) => ['-map', `0:${stream.index}`]),
    ...audioTracks.flatMap((track, i) => audioTrackArgs(probe, plan, track, i))
  ]
}

function audioTrackArgs(probe: Probe, { settings }: TranscodingPlan, { stream, copy, language }: PlannedAudioTrack, i: number): string[] {
  const languageArgs = language ? [`-metadata:s:a:${i}`, `language=${stream.language}`] : []
  // Samples before time 0 are the encoder's priming, which would delay the audio.
  if (copy) return [...languageArgs, `-c:a:${i}`, 'copy', `-copypriorss:a:${i}`, '0', `-bsf:a:${i}`, 'aac_adtstoasc']
  const bitrate = stream.bitrate > 0 ? Math.min(settings.audioBitrate, Math.max(48_000, stream.bitrate)) : settings.audioBitrate
  return [
    ...languageArgs,
    `-c:a:${i}`,
    'aac',
    `-profile:a:${i}`,
    'aac_low',
    `-b:a:${i}`,
    String(bitrate),
    `-ac:a:${i}`,
    String(Math.min(2, stream.channels)),
    `-filter:a:${i}`,
    audioFilters(probe, stream).join(',')
  ]
}

function muxerArgs(outputs: MuxerOutput[], { settings }: TranscodingPlan, folder: string): string[] {
  let [videoIndex, audioIndex] = [0, 0]
  const map = outputs.map(({ kind, audio, playlist }) =>
    [
      ...(kind === 'video' ? [`v:${videoIndex++}`] : []),
      ...(audio ? [`a:${audioIndex++}`] : []),
      `name:${playlist.slice(0, -'.m3u8'.length)}`
    ].join(',')
  )
  return [
    '-map_metadata',
    '-1',
    '-map_chapters',
    '-1',
    '-f',
    'hls',
    '-hls_segment_type',
    'fmp4',
    '-hls_list_size',
    '0',
    '-hls_time',
    String(settings.segmentSeconds),
    '-hls_playlist_type',
    'event',
    '-hls_flags',
    'single_file+independent_segments',
    // Video and audio start at 0 in every rendition, without an edit list, which only some players support.
    '-hls_segment_options',
    'movflags=+negative_cts_offsets:use_editlist=0',
    '-var_stream_map',
    map.join(' '),
    '-hls_segment_filename',
    join(folder, '%v-fragmented.mp4')
  ]
}

/** Throws a MediaError if an output is missing, not complete or has nothing in it. */
async function verifyOutputs(folder: string, outputs: HlsOutput[], { log, encoded }: { log: string; encoded: boolean }): Promise<void> {
  await Promise.all(
    outputs.map(async output => {
      const playlist = await readMediaPlaylist(join(folder, output.playlist)).catch(() => null)
      if (!playlist || !playlist.ended || playlist.segments.length === 0) {
        // There may be disk space again by now: output that was encoded but is not in the file is no fault of the source.
        throw new MediaError(
          (await isDiskFull(folder)) ? 'disk_full' : encoded ? 'ffmpeg_failed' : 'nothing_decoded',
          `nothing came out for ${output.resolution}p\n${log}`
        )
      }
      // ffmpeg does not report a disk that became full.
      const lastRange = playlist.segments.at(-1)!.byterange
      if (lastRange && (await stat(join(folder, output.file))).size < lastRange.offset + lastRange.length)
        throw new MediaError(
          (await isDiskFull(folder)) ? 'disk_full' : 'ffmpeg_failed',
          `the file of ${output.resolution}p is shorter than its playlist says\n${log}`
        )
    })
  )
}

const MIN_FREE_BYTES = 1024 * 1024

/** Whether the disk of a folder has hardly any space left. */
async function isDiskFull(folder: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize < MIN_FREE_BYTES
}
