import { randomUUID } from 'node:crypto'
import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { SOFTWARE_ENCODER, type H264Encoder } from '../../shared/encoders.ts'
import type { PauseControl } from './pause-control.ts'
import { hardwareEncoderArgs, hardwareSetup } from './hardware-encoders.ts'
import { MediaError, runFfmpeg, type FfmpegRun, type FfmpegProgress } from './ffmpeg.ts'
import { audioFilters, ladderFilterGraph, reinitFilterOptions, VIDEO_TIMESCALE } from './ffmpeg-filters.ts'
import { planStagger } from './stagger.ts'
import { VBV_BUFFER_SECONDS, type TranscodingPlan, type PlannedRendition, type PlannedAudioTrack } from './ladder.ts'
import { readMediaPlaylist, type HlsOutput } from './hls-playlist.ts'
import type { Probe } from './probe.ts'

export type { HlsOutput } from './hls-playlist.ts'

export type HlsResult = {
  /** Length of the shortest rendition, in seconds. */
  seconds: number
  /** The source ended before its time or could not be read whole; what could be read is there. */
  damaged: boolean
  /** Something that was decoded could not be, or only in part: also in what was copied of it. */
  broken: boolean
  /** What ffmpeg complained about. */
  log: string
}

export type HlsOptions = {
  onProgress?: (progress: FfmpegProgress) => void
  signal?: AbortSignal
  nice?: number
  /** Ends an ffmpeg that has not got any further for so long (ms). */
  stallMs?: number
  brake?: PauseControl | undefined
  /** Whether the encode makes the shared sound too; by default where no copy does. */
  withAudio?: boolean
  /** libx264 unless named. */
  encoder?: H264Encoder
  /** Bytes that may be taken so that the smallest rungs of an encode begin before the others; none by default. */
  spareMemory?: number
}

export type HlsRun = {
  /** Known at once; the playlists appear with their first segment, grow, and carry ENDLIST when `done` resolves. */
  outputs: HlsOutput[]
  /** The same, by when they begin: those of a group within the same second, in a first group all sound. */
  groups: HlsOutput[][]
  /** Rejects with a MediaError when ffmpeg fails, is stopped, or made a rendition without anything in it; files written so far stay. */
  done: Promise<HlsResult>
  kill(): void
}

/** File names of one new rendition, unique for ever. */
export function newHlsFilenames(resolution: number): { playlist: string; file: string } {
  const stem = `${randomUUID()}-${resolution}`
  return { playlist: `${stem}.m3u8`, file: `${stem}-fragmented.mp4` }
}

/** Puts the source's own picture into segments without decoding it, with the shared sound; needs `plan.copyVideo`. */
export function copyToHls(input: string, folder: string, plan: TranscodingPlan, probe: Probe, options: HlsOptions): HlsRun {
  const rung = plan.copyVideo
  if (!rung || !probe.video) throw new TypeError('this plan copies no picture')
  const video = ['-map', `0:${probe.video.index}`, '-c:v', 'copy', '-tag:v', 'avc1', ...unevenTimes(probe)]
  return start(input, folder, probe, plan, [renditionsOf([rung], plan, true)], options, async () => [video])
}

/**
 * Encodes every rung of `plan.encode` (and the shared sound, unless a copy makes it) in one process with one decode; the smallest rungs
 * with
 * the sound first, where `spareMemory` allows it and no copy can be watched.
 */
export function encodeToHls(input: string, folder: string, plan: TranscodingPlan, probe: Probe, options: HlsOptions): HlsRun {
  const encoder = options.encoder ?? SOFTWARE_ENCODER
  const hold = planStagger(plan, probe, options.spareMemory ?? 0)
  const renditions = renditionsOf(plan.encode, plan, options.withAudio ?? plan.copyVideo === null)
  const waiting = hold?.rungs ?? 0
  const pictures = (from: number, to?: number): string[] => {
    const rungs = plan.encode.slice(from, to)
    return [
      ...rungs.flatMap((_, i) => ['-map', `[v${from + i}]`]),
      ...rungs.flatMap((rung, i) => videoEncoderArgs(rung, i, plan, probe, encoder)),
      ...(hold && from === 0 ? evenTimes(rungs[0]!.fps) : plan.keepsFrameTimes ? unevenTimes(probe) : []),
      '-fps_mode',
      'vfr',
      '-enc_time_base:v',
      `1:${VIDEO_TIMESCALE}`
    ]
  }
  const build = async (): Promise<string[][]> => {
    const graph = ['-filter_complex', await ladderFilterGraph(probe, plan, { upload: hardwareSetup(encoder).upload, hold })]
    return [[...graph, ...pictures(waiting)], ...(hold ? [pictures(0, waiting)] : [])]
  }
  return start(input, folder, probe, plan, [renditions.slice(waiting), ...(hold ? [renditions.slice(0, waiting)] : [])], options, build)
}

/** Makes the shared sound alone. */
export function audioToHls(input: string, folder: string, plan: TranscodingPlan, probe: Probe, options: HlsOptions): HlsRun {
  return start(input, folder, probe, plan, [renditionsOf([], plan, true)], options, async () => [[]])
}

// One output of the HLS muxer, and which sound goes into it.
type Rendition = HlsOutput & { audio: PlannedAudioTrack | null }

function renditionsOf(rungs: PlannedRendition[], plan: TranscodingPlan, sharedAudio: boolean): Rendition[] {
  const muxed = plan.splitAudio ? null : (plan.audios[0] ?? null)
  const renditions: Rendition[] = rungs.map(rung => ({
    kind: 'video',
    resolution: rung.resolution,
    ...newHlsFilenames(rung.resolution),
    audio: muxed
  }))
  if (sharedAudio && plan.audioRendition) {
    plan.audios.forEach((audio, track) =>
      renditions.push({
        kind: 'audio',
        resolution: 0,
        ...newHlsFilenames(0),
        audio,
        sound: { track, language: audio.language, name: audio.name }
      })
    )
  }
  return renditions
}

// One ffmpeg, with a muxer for each group of renditions: within a muxer none begins before the others. `build` gives the options of their
// pictures.
function start(
  input: string,
  folder: string,
  probe: Probe,
  plan: TranscodingPlan,
  parts: Rendition[][],
  options: HlsOptions,
  build: () => Promise<string[][]>
): HlsRun {
  const groups = parts.map(part =>
    part.map(({ kind, resolution, playlist, file, sound }) => ({ kind, resolution, playlist, file, ...(sound ? { sound } : {}) }))
  )
  // As the plan has them, highest first.
  const outputs = groups.flat().sort((a, b) => b.resolution - a.resolution)
  let run: FfmpegRun | null = null
  let killed = false
  const done = (async () => {
    const pictures = await build()
    if (killed) throw new MediaError('aborted', 'ffmpeg was stopped')
    const output = '%v.m3u8'
    run = runFfmpeg({
      input,
      cwd: folder,
      output,
      before: [...hardwareSetup(options.encoder ?? SOFTWARE_ENCODER).device, ...reinitFilterOptions(probe)],
      options: parts.flatMap((part, i) => [
        ...(i > 0 ? [join(folder, output)] : []),
        ...pictures[i]!,
        ...audioArgs(probe, plan, part),
        ...muxerArgs(part, plan, folder)
      ]),
      nice: options.nice,
      signal: options.signal,
      stallMs: options.stallMs,
      brake: options.brake,
      duration: probe.duration,
      onProgress: options.onProgress
    })
    const { log, frames, seconds, broken } = await run.done
    const result = await verify(folder, outputs, probe, { log, encoded: frames > 0 || seconds > 0 })
    const expected = plan.keepsFrameTimes && outputs.some(({ kind }) => kind === 'video') ? (probe.video?.frames ?? 0) : 0
    return { ...result, broken, damaged: result.damaged || frames < expected * 0.95 }
  })()
  // A caller that only kills need not listen.
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

// Every picture says itself how long it lasts; otherwise segments would end after the usual time and the next begin too early.
function unevenTimes(probe: Probe): string[] {
  return probe.video?.variableFps ? ['-bsf:v', 'setts=pts=PTS:dts=DTS:duration=if(gt(NEXT_DTS\\,DTS)\\,NEXT_DTS-DTS\\,DURATION)'] : []
}

// What waits has lost its rate on the way: without it the last picture would last no time.
function evenTimes(fps: number): string[] {
  return ['-bsf:v', `setts=pts=PTS:dts=DTS:duration=${Math.round(VIDEO_TIMESCALE / fps)}`]
}

/** Options of the encoder for one rung, the `i`th picture of its output. */
export function videoEncoderArgs(
  rung: PlannedRendition,
  i: number,
  plan: TranscodingPlan,
  probe: Probe,
  encoder: H264Encoder = SOFTWARE_ENCODER
): string[] {
  const { settings } = plan
  const s = settings.segmentSeconds
  const gop = Math.max(250, Math.ceil(rung.fps * s * 2))
  return [
    [`-c:v:${i}`, encoder],
    [`-profile:v:${i}`, 'high'],
    encoder === SOFTWARE_ENCODER ? softwareArgs(rung, i, plan, probe) : hardwareEncoderArgs(encoder, rung, i),
    [`-maxrate:v:${i}`, String(rung.maxrate)],
    [`-bufsize:v:${i}`, String(rung.maxrate * VBV_BUFFER_SECONDS)],
    // On the grid of the segments, whatever the frame times: the rungs then have their keyframes at the same instants.
    [`-force_key_frames:v:${i}`, `expr:if(isnan(prev_forced_t),1,gte(t,(floor(prev_forced_t/${s}+0.0001)+1)*${s}))`],
    [`-g:v:${i}`, String(gop)]
  ].flat()
}

function softwareArgs(
  rung: PlannedRendition,
  i: number,
  { settings, audioOnly, keepsFrameTimes }: TranscodingPlan,
  probe: Probe
): string[] {
  return [
    [`-preset:v:${i}`, settings.preset],
    [`-crf:v:${i}`, String(settings.crf)],
    // The muxer times the first picture of a segment rightly only where uneven pictures come in the order they are shown.
    ...(keepsFrameTimes && probe.video?.variableFps ? [[`-bf:v:${i}`, '0']] : []),
    ...(audioOnly ? [[`-tune:v:${i}`, 'stillimage']] : []),
    // Some files claim thousands of frames per second; the level and the rate control must not believe them.
    [`-x264-params:v:${i}`, `fps=${Math.max(1, Math.round(rung.fps * 1000))}/1000`],
    [`-sc_threshold:v:${i}`, '0'],
    [`-threads:v:${i}`, String(settings.threadsPerRung)]
  ].flat()
}

function audioArgs(probe: Probe, plan: TranscodingPlan, renditions: Rendition[]): string[] {
  const sounds = renditions.flatMap(({ audio }) => (audio ? [audio] : []))
  return [
    ...sounds.flatMap(({ stream }) => ['-map', `0:${stream.index}`]),
    ...sounds.flatMap((sound, i) => soundArgs(probe, plan, sound, i))
  ]
}

function soundArgs(probe: Probe, { settings }: TranscodingPlan, { stream, copy, language }: PlannedAudioTrack, i: number): string[] {
  const named = language ? [`-metadata:s:a:${i}`, `language=${stream.language}`] : []
  // What comes before the first instant is the encoder's lead-in, which would push the sound behind the picture.
  if (copy) return [...named, `-c:a:${i}`, 'copy', `-copypriorss:a:${i}`, '0', `-bsf:a:${i}`, 'aac_adtstoasc']
  const bitrate = stream.bitrate > 0 ? Math.min(settings.audioBitrate, Math.max(48_000, stream.bitrate)) : settings.audioBitrate
  return [
    ...named,
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

function muxerArgs(renditions: Rendition[], { settings }: TranscodingPlan, folder: string): string[] {
  let [videos, sounds] = [0, 0]
  const map = renditions.map(({ kind, audio, playlist }) =>
    [
      ...(kind === 'video' ? [`v:${videos++}`] : []),
      ...(audio ? [`a:${sounds++}`] : []),
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
    // Pictures and sound start at 0 in every rendition, without an edit list that only some players obey.
    '-hls_segment_options',
    'movflags=+negative_cts_offsets:use_editlist=0',
    '-var_stream_map',
    map.join(' '),
    '-hls_segment_filename',
    join(folder, '%v-fragmented.mp4')
  ]
}

async function verify(
  folder: string,
  outputs: HlsOutput[],
  probe: Probe,
  { log, encoded }: { log: string; encoded: boolean }
): Promise<Omit<HlsResult, 'broken'>> {
  const lengths = await Promise.all(
    outputs.map(async output => {
      const list = await readMediaPlaylist(join(folder, output.playlist)).catch(() => null)
      if (!list || !list.ended || list.segments.length === 0) {
        // The space may be there again by now: what was encoded and is not in the file is no fault of the source.
        throw new MediaError(
          (await isFull(folder)) ? 'disk_full' : encoded ? 'ffmpeg_failed' : 'nothing_decoded',
          `nothing came out for ${output.resolution}p\n${log}`
        )
      }
      // ffmpeg takes no notice of a disk that becomes full.
      const last = list.segments.at(-1)!.byterange
      if (last && (await stat(join(folder, output.file))).size < last.offset + last.length)
        throw new MediaError(
          (await isFull(folder)) ? 'disk_full' : 'ffmpeg_failed',
          `the file of ${output.resolution}p is shorter than its playlist says\n${log}`
        )
      return list.segments.reduce((sum, segment) => sum + segment.duration, 0)
    })
  )
  const seconds = Math.min(...lengths)
  return { seconds, damaged: probe.truncated || seconds < probe.duration - Math.max(1, probe.duration * 0.02), log }
}

const LITTLE = 1024 * 1024

/** Whether there is hardly any room left where a folder is. */
async function isFull(folder: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize < LITTLE
}
