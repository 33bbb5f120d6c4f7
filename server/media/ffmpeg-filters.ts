import { hasFfmpegFilter } from './ffmpeg.ts'
import type { Stagger } from './stagger.ts'
import { audioEndGap, videoEndGap, type TranscodingPlan, type PlannedRendition } from './ladder.ts'
import type { AudioStream, Probe, VideoStream } from './probe.ts'

/** Units a second in which encoders and renditions count. */
export const VIDEO_TIMESCALE = 90_000

/**
 * Options before an input whose pictures may change their size in the middle, as recordings of calls do: the graph stays, and what was kept
 * in it;
 * its first filter gives all pictures the size of the first. Not where ffmpeg turns pictures before the graph, which only knows the first
 * size.
 */
export function reinitFilterOptions({ video }: Pick<Probe, 'video'>): string[] {
  return video?.rotation === 0 ? ['-reinit_filter:v', '0'] : []
}

/** A stretch of a film, in seconds of the film; a last one has no end. */
export type TimeRange = { start: number; end: number | null }

/**
 * The filter graph that decodes the picture once and gives every rung of the plan under the labels [v0], [v1], … in order; of a `piece` of
 * the
 * film where one is named, each rung through the filters `upload` at last; the first rungs later where a `hold` says so.
 */
export async function ladderFilterGraph(
  probe: Probe,
  plan: TranscodingPlan,
  { piece, upload = [], hold }: { piece?: TimeRange; upload?: string[]; hold?: Stagger | null } = {}
): Promise<string> {
  if (plan.audioOnly || !probe.video) return stillGraph(probe, plan, upload)
  const toneMap = await toneMappingFilters(probe.video)
  const size = (rung: PlannedRendition): string => `scale=${rung.width}:${rung.height}:flags=bicubic`
  // Once for all; a high dynamic range is mapped where there are no more pixels than the largest rung has.
  const shared = [
    'scale',
    ...timing(probe, plan, piece),
    ...cut(piece),
    ...(toneMap.length > 0 && plan.encode[0] ? [size(plan.encode[0]), ...toneMap] : [])
  ]
  // Each rung of the picture itself: scaled from the next larger one it would lose twice.
  const rungs = plan.encode.map((rung, i) => `[s${i}]${[size(rung), 'setsar=1', 'format=yuv420p', ...upload].join(',')}[v${i}]`)
  return [
    ...divided(
      `[0:${probe.video.index}]`,
      shared,
      plan.encode.map((_, i) => `[s${i}]`),
      hold && { ...hold, fps: plan.encode[0]!.fps }
    ),
    ...rungs
  ].join(';')
}

/** The picture through the `shared` filters, once for every pad; for the first ones later where they are to wait. */
function divided(picture: string, shared: string[], pads: string[], hold?: (Stagger & { fps: number }) | null): string[] {
  if (!hold) return [`${picture}${[...shared, `split=${pads.length}`].join(',')}${pads.join('')}`]
  const [later, now] = [pads.slice(0, hold.rungs), pads.slice(hold.rungs)]
  return [
    // interleave counts in microseconds: so do all, or the rungs would differ by a tick.
    `${picture}${[...shared, 'settb=AVTB', `split=${now.length + 2}`].join(',')}[clock][kept]${now.join('')}`,
    // A picture is let go when one of the clock says that the film is that far ahead of it; those of the clock are dropped.
    `[clock]setpts=PTS-${seconds(hold.seconds)}/TB[ahead]`,
    // However many more than usual a hostile film has at once, a few times as many wait as there is room for.
    `[kept]select='isnan(prev_selected_t)+gte(t-prev_selected_t,${(0.25 / hold.fps).toFixed(6)})',metadata=mode=add:key=kept:value=1[waiting]`,
    `[waiting][ahead]interleave,metadata=mode=select:key=kept:value=1,split=${later.length}${later.join('')}`
  ]
}

/** Filters that turn a high dynamic range picture into an ordinary one (BT.709, limited range); none for other pictures. */
export async function toneMappingFilters(video: VideoStream): Promise<string[]> {
  if (!video.hdr) return []
  const tags = 'setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv'
  // Without zscale the colours come out flat, but at least nobody is told that they are still wide.
  if (!(await hasFfmpegFilter('zscale')) || !(await hasFfmpegFilter('tonemap'))) return ['format=yuv420p', tags]
  return [
    `zscale=tin=${video.transfer}:min=2020_ncl:pin=2020:rin=tv:t=linear:npl=100`,
    'format=gbrpf32le',
    'zscale=p=bt709',
    'tonemap=tonemap=hable:desat=0',
    'zscale=t=bt709:m=bt709:r=tv',
    'format=yuv420p',
    tags
  ]
}

/** Filters for a sound: gaps filled, starting with the file, as long as the picture. */
export function audioFilters(probe: Probe, audio: AudioStream): string[] {
  const sampleRate = audio.sampleRate === 44_100 ? 44_100 : 48_000
  return [
    `aresample=${sampleRate}:async=1:first_pts=0`,
    // The AAC encoder puts 1024 samples of its own before the first: as many are taken away, and the sound stays with the picture.
    'atrim=start_sample=1024',
    'asetpts=PTS-STARTPTS',
    // Players stall where the sound ends before the picture.
    ...(audioEndGap(probe, audio) > 0 ? [`apad=whole_dur=${seconds(probe.duration)}`] : [])
  ]
}

/** Cuts in the time base of the encoder, where the grid of the keyframes is, so that every picture is in exactly one piece. */
function cut(piece?: TimeRange): string[] {
  if (!piece) return []
  const at = (name: string, time: number | null): string[] => (time ? [`${name}=${Math.round(time * VIDEO_TIMESCALE)}`] : [])
  const ends = [...at('start_pts', piece.start), ...at('end_pts', piece.end)]
  return [`settb=1/${VIDEO_TIMESCALE}`, ...(ends.length > 0 ? [`trim=${ends.join(':')}`] : [])]
}

function timing(probe: Probe, plan: TranscodingPlan, piece?: TimeRange): string[] {
  const video = probe.video
  const rung = plan.encode[0]
  if (!video || !rung) return []
  const gap = videoEndGap(probe)
  return [
    ...(video.interlaced ? ['bwdif=mode=send_frame:deint=interlaced'] : []),
    // A picture that comes in late is shown from the start.
    ...(piece && piece.start > 0 ? [] : ["setpts='if(eq(N,0),0,PTS)'"]),
    ...(gap > 0 || !plan.keepsFrameTimes ? [`fps=fps=${rung.fps.toFixed(6)}`] : []),
    ...(gap > 0 ? [`tpad=stop_mode=clone:stop_duration=${seconds(gap)}`] : [])
  ]
}

function stillGraph(probe: Probe, plan: TranscodingPlan, upload: string[]): string {
  const rung = plan.encode[0]
  if (!rung) return ''
  const size = `${rung.width}:${rung.height}`
  const trim = `trim=end_frame=${Math.max(1, Math.round(probe.duration * rung.fps))}`
  if (!probe.video)
    return `color=c=0x14171c:s=${rung.width}x${rung.height}:r=${rung.fps},${[trim, 'format=yuv420p', ...upload].join(',')}[v0]`
  return (
    `[0:${probe.video.index}]scale=${size}:force_original_aspect_ratio=decrease:force_divisible_by=2,` +
    `pad=${size}:(ow-iw)/2:(oh-ih)/2:color=0x14171c,setsar=1,format=yuv420p,` +
    `loop=loop=-1:size=1,setpts=N/(${rung.fps}*TB),${[`fps=${rung.fps}`, trim, ...upload].join(',')}[v0]`
  )
}

function seconds(value: number): string {
  return value.toFixed(3)
}
