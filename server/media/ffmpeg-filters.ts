import { hasFfmpegFilter } from './ffmpeg.ts'
import type { Stagger } from './stagger.ts'
import { colorTagFilters, matrixTagFilters, playableColorOptions } from './color.ts'
import type { TranscodingPlan, PlannedRendition } from './ladder.ts'
import { audioEndGap, needsAddedFrames, pictureEndGap } from './track-gaps.ts'
import type { AudioStream, Probe, VideoStream } from './probe.ts'

/** Time base (units per second) of encoders and renditions. */
export const VIDEO_TIMESCALE = 90_000
/** Tags frames as BT.709 in limited range. */
const BT709_TAG_FILTER = 'setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv'

/**
 * Input options for a video whose frames may change their size in the middle, as recordings of calls do: the filter graph is not
 * reinitialized, so that frames buffered in it are kept; its first filter scales all frames to the size of the first. Not for rotated
 * videos: ffmpeg rotates their frames before the graph, and knows the first size only.
 */
export function reinitFilterOptions({ video }: Pick<Probe, 'video'>): string[] {
  return video?.rotation === 0 ? ['-reinit_filter:v', '0'] : []
}

/** A time range of a video, in seconds; the last one has no end. */
export type TimeRange = { start: number; end: number | null }

/**
 * The filter graph that turns one decoded video stream into every rendition of the plan, under the labels [v0], [v1], … in order. `range`
 * limits it to a part of the video, `upload` are filters appended to each rendition, `stagger` delays the first renditions.
 */
export async function ladderFilterGraph(
  probe: Probe,
  plan: TranscodingPlan,
  { range, upload = [], stagger }: { range?: TimeRange; upload?: string[]; stagger?: Stagger | null } = {}
): Promise<string> {
  if (plan.audioOnly || !probe.video) return stillImageGraph(probe, plan, upload)
  const toneMapping = await toneMappingFilters(probe.video)
  const video = probe.video
  const scaleFilter = ({ width, height }: PlannedRendition): string =>
    ['scale=flags=bicubic', ...playableColorOptions(video), `w=${width}`, `h=${height}`].join(':')
  // Applied once for all renditions; HDR is tone-mapped after scaling to the largest rendition.
  const sharedFilters = [
    'scale',
    ...timingFilters(probe, plan, range),
    ...trimFilters(range),
    ...(toneMapping.length > 0 && plan.encode[0] ? [scaleFilter(plan.encode[0]), ...toneMapping] : [])
  ]
  // Each rendition is scaled from the source: from the next larger one it would lose quality twice.
  const renditionChains = plan.encode.map(
    (rendition, i) =>
      `[s${i}]${[scaleFilter(rendition), 'setsar=1', 'format=yuv420p', ...colorTagFilters(video), ...upload].join(',')}[v${i}]`
  )
  return [
    ...splitFilters(
      `[0:${probe.video.index}]`,
      sharedFilters,
      plan.encode.map((_, i) => `[s${i}]`),
      stagger && { ...stagger, fps: plan.encode[0]!.fps }
    ),
    ...renditionChains
  ].join(';')
}

/** Applies the shared filters and splits the result to every pad; with `stagger` the first pads are delayed. */
function splitFilters(inputPad: string, sharedFilters: string[], pads: string[], stagger?: (Stagger & { fps: number }) | null): string[] {
  if (!stagger) return [`${inputPad}${[...sharedFilters, `split=${pads.length}`].join(',')}${pads.join('')}`]
  const [delayedPads, undelayedPads] = [pads.slice(0, stagger.delayedRenditions), pads.slice(stagger.delayedRenditions)]
  return [
    // interleave counts in microseconds: so do all pads, or the renditions would differ by a tick.
    `${inputPad}${[...sharedFilters, 'settb=AVTB', `split=${undelayedPads.length + 2}`].join(',')}[clock][kept]${undelayedPads.join('')}`,
    // A delayed frame passes when a frame of [clock] is that many seconds ahead of it; the frames of [clock] are dropped.
    `[clock]setpts=PTS-${formatSeconds(stagger.seconds)}/TB[ahead]`,
    // A hostile file may have far more frames than its rate claims: at most a few times as many are buffered as were planned.
    `[kept]select='isnan(prev_selected_t)+gte(t-prev_selected_t,${(0.25 / stagger.fps).toFixed(6)})',` +
      'metadata=mode=add:key=kept:value=1[waiting]',
    `[waiting][ahead]interleave,metadata=mode=select:key=kept:value=1,split=${delayedPads.length}${delayedPads.join('')}`
  ]
}

/** Filters that tone-map HDR video to SDR (BT.709, limited range); none for other video. */
export async function toneMappingFilters(video: VideoStream): Promise<string[]> {
  if (!video.hdr) return []
  // Without zscale the colors come out flat, but at least they are not tagged as wide gamut.
  if (!(await hasFfmpegFilter('zscale')) || !(await hasFfmpegFilter('tonemap'))) return ['format=yuv420p', BT709_TAG_FILTER]
  return [
    `zscale=tin=${video.transfer}:min=2020_ncl:pin=2020:rin=tv:t=linear:npl=100`,
    'format=gbrpf32le',
    'zscale=p=bt709',
    'tonemap=tonemap=hable:desat=0',
    'zscale=t=bt709:m=bt709:r=tv',
    'format=yuv420p',
    BT709_TAG_FILTER
  ]
}

/**
 * Filters for an audio track: gaps filled, starting with the file, as long as the video. ffmpeg makes them anew where the sample rate or the
 * channels change, as they do in recordings of television: none of them may depend on what came before.
 */
export function audioFilters(probe: Probe, audio: AudioStream): string[] {
  const sampleRate = audio.sampleRate === 44_100 ? 44_100 : 48_000
  const isLate = audio.start > MAX_LATE_SECONDS
  // By default gaps of less than 0.1 s are closed: silence before the sound may be as short.
  const minGap = isLate && audio.start < 0.2 ? ':min_hard_comp=0.02' : ''
  // Silence is made at once, in memory: a long one takes less of it in two channels.
  const isSparse = Math.max(audio.start, audio.longestGap ?? 0) > 60
  return [
    ...(isSparse && audio.channels > 2 ? ['aformat=channel_layouts=stereo'] : []),
    ...(isLate ? leadingSilenceFilters(audio) : []),
    `aresample=${sampleRate}:async=1${minGap}`,
    // The AAC encoder puts 1024 priming samples before the first one: as many are cut, which keeps audio and video in sync.
    'asetpts=PTS-1024',
    'atrim=start=0',
    // Players stall if the audio ends before the video.
    ...(audioEndGap(probe, audio) > 0 ? ['apad', `atrim=end=${formatSeconds(probe.duration)}`] : [])
  ]
}

/** A track that begins this many seconds after the file is not filled with silence. */
const MAX_LATE_SECONDS = 0.05
/** Of the first samples of a late track as many become silence. */
const MUTED_SAMPLES = 256

/** Moves the first samples of a track to the start of the file, and mutes them: what is missing after them is a gap to be filled. */
function leadingSilenceFilters({ start }: AudioStream): string[] {
  const isFirst = `eq(n\\,0)*lt(t\\,${formatSeconds(start + 0.1)})`
  return [
    `asetnsamples=n=${MUTED_SAMPLES}:p=0`,
    `volume=volume=0:enable=${isFirst}`,
    `asetpts=if(${isFirst.replace('(n', '(N').replace('(t', '(T')}\\,0\\,PTS)`
  ]
}

/** Trims in the time base of the encoder, which the keyframe grid uses too, so that every frame is in exactly one range. */
function trimFilters(range?: TimeRange): string[] {
  if (!range) return []
  const trimOption = (name: string, time: number | null): string[] => (time ? [`${name}=${Math.round(time * VIDEO_TIMESCALE)}`] : [])
  const trimOptions = [...trimOption('start_pts', range.start), ...trimOption('end_pts', range.end)]
  return [`settb=1/${VIDEO_TIMESCALE}`, ...(trimOptions.length > 0 ? [`trim=${trimOptions.join(':')}`] : [])]
}

function timingFilters(probe: Probe, plan: TranscodingPlan, range?: TimeRange): string[] {
  const video = probe.video
  const rendition = plan.encode[0]
  if (!video || !rendition) return []
  const endGap = pictureEndGap(probe)
  const addsFrames = needsAddedFrames(probe)
  return [
    ...(video.interlaced ? ['bwdif=mode=send_frame:deint=interlaced'] : []),
    // A first frame that is a little late is shown from the start.
    ...(addsFrames || (range && range.start > 0) ? [] : ["setpts='if(eq(N,0),0,PTS)'"]),
    // Repeats the first frame from the start of the file.
    ...(addsFrames || !plan.keepsFrameTimes ? [`fps=fps=${rendition.fps.toFixed(6)}${addsFrames ? ':start_time=0' : ''}`] : []),
    ...(endGap > 0 ? [`tpad=stop_mode=clone:stop_duration=${formatSeconds(endGap + 1)}`] : []),
    ...(addsFrames ? [`trim=end_frame=${Math.max(1, Math.round(probe.duration * rendition.fps))}`] : [])
  ]
}

const BT709_FROM_RGB = ['scale=out_color_matrix=bt709:out_range=tv', 'format=yuv420p', BT709_TAG_FILTER]

function stillImageGraph(probe: Probe, plan: TranscodingPlan, upload: string[]): string {
  const rendition = plan.encode[0]
  if (!rendition) return ''
  const { width, height, fps } = rendition
  const size = `${width}:${height}`
  const trim = `trim=end_frame=${Math.max(1, Math.floor(probe.duration * fps))}`
  // Made in RGB, so that the colors of the background and of the cover are converted alike.
  const toVideo = [...BT709_FROM_RGB, 'setsar=1', `loop=loop=-1:size=1,setpts=N/(${fps}*TB),fps=${fps}`, trim, ...upload].join(',')
  if (!probe.video) return `color=c=0x14171c:s=${size.replace(':', 'x')}:r=${fps},format=gbrp,${toVideo}[v0]`
  return (
    `[0:${probe.video.index}]${[...matrixTagFilters(probe.video), `scale=${size}:force_original_aspect_ratio=decrease:force_divisible_by=2`].join(',')},` +
    `format=gbrp,pad=${size}:(ow-iw)/2:(oh-ih)/2:color=0x14171c,${toVideo}[v0]`
  )
}

function formatSeconds(value: number): string {
  return value.toFixed(3)
}
