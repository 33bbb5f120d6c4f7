import type { VideoStream } from './probe.ts'

/** Color matrices (in ffmpeg's words) that players convert to RGB by the tag of the stream; others are converted to BT.709. */
const PLAYABLE_MATRICES = ['bt709', 'smpte170m', 'bt470bg', 'bt2020nc']
/** Color matrices that ffmpeg converts, and their names in its `scale` filter. */
const SCALE_MATRICES: Record<string, string> = {
  bt709: 'bt709',
  smpte170m: 'smpte170m',
  bt470bg: 'bt470',
  bt2020nc: 'bt2020',
  fcc: 'fcc',
  smpte240m: 'smpte240m'
}
const PRIMARIES = ['bt709', 'bt470m', 'bt470bg', 'smpte170m', 'smpte240m', 'film', 'bt2020', 'smpte428', 'smpte431', 'smpte432']
const TRANSFERS = ['bt709', 'bt470m', 'bt470bg', 'smpte170m', 'smpte240m', 'iec61966-2-1', 'iec61966-2-4', 'bt2020-10', 'bt2020-12']

/** The pixel formats that hold RGB. */
function isRgb({ pixFmt, colorSpace }: VideoStream): boolean {
  return colorSpace === 'gbr' || /^(gbr|rgb|bgr|argb|abgr|0rgb|0bgr|x2rgb|x2bgr|pal8|rgba|bgra|bayer|xyz)/.test(pixFmt)
}

/**
 * The color matrix of a video in ffmpeg's words. Without a tag it is that which players assume: BT.709 for HD, BT.601 for smaller video;
 * for RGB that which it is converted to.
 */
export function colorMatrix(video: VideoStream): string {
  if (isRgb(video)) return 'bt709'
  const tag = video.colorSpace ?? ''
  return tag in SCALE_MATRICES ? tag : isHighDefinition(video) ? 'bt709' : 'smpte170m'
}

function isHighDefinition({ width, height }: VideoStream): boolean {
  return width >= 1280 || height > 576
}

/** Whether browsers assume another color matrix for an untagged video than `colorMatrix`: they look at the height alone. */
export function needsMatrixTag(video: VideoStream): boolean {
  return !video.colorSpace && isHighDefinition(video) !== video.height >= 720
}

/** Filters that tag the frames of SDR video with its color matrix, so that filters after them convert it to RGB right. */
export function matrixTagFilters(video: VideoStream): string[] {
  return video.hdr || isRgb(video) ? [] : [`setparams=colorspace=${colorMatrix(video)}`]
}

/** Options of `scale` that convert SDR video to a matrix that players know, in limited range; none if it is so already. */
export function playableColorOptions(video: VideoStream): string[] {
  if (video.hdr) return []
  const matrix = colorMatrix(video)
  const convertsMatrix = isRgb(video) || !PLAYABLE_MATRICES.includes(matrix)
  return [
    ...(convertsMatrix && !isRgb(video) ? [`in_color_matrix=${SCALE_MATRICES[matrix]}`] : []),
    ...(convertsMatrix ? ['out_color_matrix=bt709'] : []),
    ...(isRgb(video) ? ['out_range=tv', 'flags=bicubic+accurate_rnd+full_chroma_inp'] : isFullRange(video) ? ['out_range=tv'] : [])
  ]
}

function isFullRange({ range, pixFmt }: VideoStream): boolean {
  return range === 'pc' || pixFmt.startsWith('yuvj')
}

/** Filters that tag the frames of a rendition with all that describes their colors (ITU-T H.273). */
export function colorTagFilters(video: VideoStream): string[] {
  // Tone mapping tags its result.
  if (video.hdr) return []
  const matrix = PLAYABLE_MATRICES.includes(colorMatrix(video)) ? colorMatrix(video) : 'bt709'
  const standard =
    matrix === 'bt2020nc'
      ? { primaries: 'bt2020', transfer: 'bt2020-10' }
      : { primaries: matrix, transfer: matrix === 'bt709' ? 'bt709' : 'smpte170m' }
  const known = (list: string[], tag: string | undefined, fallback: string): string => (tag && list.includes(tag) ? tag : fallback)
  return [
    `setparams=color_primaries=${known(PRIMARIES, video.primaries, standard.primaries)}` +
      `:color_trc=${known(TRANSFERS, video.transfer, standard.transfer)}:colorspace=${matrix}:range=tv`
  ]
}
