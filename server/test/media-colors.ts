import { frameAt, OFFSET_TOLERANCE, type Comparison } from './media-correlation.ts'
import { PICTURE_BYTES, PICTURE_WIDTH, type ColorTags, type Pictures } from './media-decoding.ts'

/**
 * Mean difference of a color channel (of 255) between what looks the same: 3, and 1.5 for compression (measured: 0.5 at 144 lines with the
 * fastest preset). Another matrix costs 10 to 25 in one of the channels.
 */
const COLOR_TOLERANCE = 4.5
/** Frames of a video whose colors are compared. */
const COMPARED_FRAMES = 9

/**
 * Compares the mean error of red, green and blue between a source and a rendition, both as players show them, at the same times. Only the
 * flatter half of a frame counts: elsewhere compression and scaling cost more than a wrong matrix.
 */
export function compareColors(source: Pictures, rendition: Pictures): Comparison {
  if (source.times.length === 0 || rendition.times.length === 0) return { findings: [], notMeasurable: ['colors: no frames'] }
  // The median of some frames: at a cut the frames before and after it may be compared.
  const errors = Array.from({ length: COMPARED_FRAMES }, (_, index) => {
    const frame = Math.floor(((index + 0.5) * rendition.times.length) / COMPARED_FRAMES)
    // Offsets are judged elsewhere: of the frames shown within the tolerance, the one that fits best counts.
    const near = [-1, 0, 1].map(side => frameAt(source.times, rendition.times[frame]! + side * OFFSET_TOLERANCE + 1e-4))
    const [first, last] = [Math.max(0, Math.min(...near) - 1), Math.min(source.times.length - 1, Math.max(...near) + 1)]
    return Array.from({ length: last - first + 1 }, (_, i) => channelErrors(rendition.rgb, frame, source.rgb, first + i)).reduce((a, b) =>
      sum(b) < sum(a) ? b : a
    )
  })
  const medians = [0, 1, 2].map(channel => errors.map(error => error[channel]!).sort((a, b) => a - b)[COMPARED_FRAMES >> 1]!)
  return Math.max(...medians) > COLOR_TOLERANCE
    ? { findings: [`colors differ by ${medians.map(value => value.toFixed(1)).join(', ')} (red, green, blue; of 255)`], notMeasurable: [] }
    : { findings: [], notMeasurable: [] }
}

/** What is missing in the color tags of an encoded rendition. */
export function checkColorTags(tags: ColorTags | undefined): string[] {
  if (!tags) return ['no video stream to be found']
  const [space, primaries = space, transfer = space] = tags.color?.split('/') ?? []
  const missing = Object.entries({ 'color space': space, primaries, transfer })
    .filter(([, value]) => !value || value === 'unknown')
    .map(([name]) => name)
  return [
    ...(missing.length > 0 ? [`not tagged: ${missing.join(', ')}`] : []),
    ...(tags.range === 'tv' ? [] : [`the range is tagged ${tags.range ?? 'as nothing'}, not tv`])
  ]
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)

/** The mean errors of red, green and blue in the flatter half of frame `frameB`. */
function channelErrors(a: Buffer, frameA: number, b: Buffer, frameB: number): number[] {
  const [startA, startB] = [frameA * PICTURE_BYTES, frameB * PICTURE_BYTES]
  const steps: { at: number; steepness: number }[] = []
  for (let at = 0; at < PICTURE_BYTES; at += 3) {
    let steepness = 0
    for (const neighbor of [at - 3, at + 3, at - PICTURE_WIDTH * 3, at + PICTURE_WIDTH * 3])
      for (let channel = 0; channel < 3; channel++)
        steepness = Math.max(steepness, Math.abs((b[startB + neighbor + channel] ?? 0) - b[startB + at + channel]!))
    steps.push({ at, steepness })
  }
  const flat = steps.sort((one, other) => one.steepness - other.steepness).slice(0, steps.length / 2)
  return [0, 1, 2].map(channel =>
    sum(flat.map(({ at }) => Math.abs(a[startA + at + channel]! - b[startB + at + channel]!)).map(error => error / flat.length))
  )
}
