import { PICTURE_BYTES, SOUND_RATE, type Pictures } from './media-decoding.ts'

/** A comparison: what is wrong, and why something could not be judged. */
export type Comparison = { findings: string[]; notMeasurable: string[] }

/** Seconds by which picture or sound may be off: less than people notice. */
export const OFFSET_TOLERANCE = 0.04
/** Seconds in which a rendition is searched for an offset, to both sides. */
const SEARCH_SECONDS = 1
/** Parts of a video that are compared on their own: a drift shows at its end. */
const PARTS = 3
const FRAMES_PER_PART = 12

/**
 * Finds the offset between a rendition's pictures and the source's, in each third of the video. `sameColors` says that both should also
 * look alike. Still content cannot be measured.
 */
export function comparePictures(source: Pictures, rendition: Pictures, { sameColors }: { sameColors: boolean }): Comparison {
  const result: Comparison = { findings: [], notMeasurable: [] }
  if (source.times.length === 0) return { findings: [], notMeasurable: ['the source has no frames that can be decoded'] }
  const frameSeconds = Math.max(medianStep(source.times), medianStep(rendition.times))
  // At a lower frame rate a frame stays until after the next one of the source.
  const tolerance = Math.max(OFFSET_TOLERANCE, frameSeconds) + 0.001
  const brightness = { source: toBrightness(source), rendition: toBrightness(rendition) }
  for (let part = 0; part < PARTS; part++) {
    const frames = pickFrames(rendition.times.length, part)
    if (frames.length === 0) continue
    const compareAt = (lag: number, compare: (a: Float32Array, b: Float32Array) => number) =>
      mean(
        frames.map(frame =>
          compare(
            pictureOf(brightness.rendition, frame),
            pictureOf(brightness.source, frameAt(source.times, rendition.times[frame]! + lag + 1e-4))
          )
        )
      )
    const costs = lagCosts(lag => compareAt(lag, difference))
    const resemblanceAt = (lag: number) => compareAt(lag, resemblance)
    const near = best(costs.filter(({ lag }) => Math.abs(lag) <= tolerance))!
    const far = best(costs.filter(({ lag }) => Math.abs(lag) > tolerance))
    const from = rendition.times[frames[0]!]!.toFixed(1)
    if (far && far.cost < near.cost * 0.7 && near.cost - far.cost > 0.5)
      result.findings.push(`the picture is off by ${Math.round(-far.lag * 1000)} ms from ${from} s on`)
    else if (near.cost > MAX_PICTURE_COST && sameColors && resemblanceAt(near.lag) < MIN_RESEMBLANCE)
      result.findings.push(`from ${from} s on it shows something else than the source (mean difference ${near.cost.toFixed(1)} of 255)`)
    else if (!far) result.notMeasurable.push(`the picture's offset from ${from} s on: its frames last too long`)
    else if (far.cost < near.cost * 1.15 + 0.1) result.notMeasurable.push(`the picture's offset from ${from} s on: it hardly moves`)
  }
  return result
}

/** Mean difference of brightness (of 255) between the same pictures: compression and deinterlacing cost up to 3. */
const MAX_PICTURE_COST = 6
/** Correlation of the brightness of the same pictures; another matrix costs a fortieth, turned or other pictures have less. */
const MIN_RESEMBLANCE = 0.94

/** Finds the offset between a rendition's sound and the source's, and parts that are silent in one of them; samples at SOUND_RATE. */
export function compareSounds(source: Int16Array, rendition: Int16Array): Comparison {
  const result: Comparison = { findings: [], notMeasurable: [] }
  const seconds = Math.min(source.length, rendition.length) / SOUND_RATE
  for (const { from, to, silent } of silentParts(source, rendition))
    result.findings.push(`the sound of the ${silent} is silent from ${from.toFixed(2)} to ${to.toFixed(2)} s, that of the other is not`)
  const windowSeconds = Math.min(4, seconds)
  for (const start of seconds <= 4 ? [0] : [0, (seconds - windowSeconds) / 2, seconds - windowSeconds]) {
    const { near, far } = correlationPeaks(source, rendition, Math.round(start * SOUND_RATE), Math.floor(windowSeconds * SOUND_RATE))
    const from = start.toFixed(1)
    if (far.height > 0.3 && far.height > near.height * 1.25)
      result.findings.push(`the sound is off by ${Math.round((far.lag * 1000) / SOUND_RATE)} ms from ${from} s on`)
    else if (near.height < 0.3) result.notMeasurable.push(`the sound's offset from ${from} s on: it resembles the source too little`)
    else if (far.height > near.height * 0.9) result.notMeasurable.push(`the sound's offset from ${from} s on: it repeats itself`)
  }
  return result
}

/** The loudest peaks of the normalized cross-correlation of a window, within the tolerance and outside; lags in samples, of `rendition`. */
function correlationPeaks(source: Int16Array, rendition: Int16Array, start: number, length: number) {
  const size = 2 ** Math.ceil(Math.log2(length * 2))
  const [a, b] = [spectrum(source, start, length, size), spectrum(rendition, start, length, size)]
  const product = { re: new Float64Array(size), im: new Float64Array(size) }
  for (let i = 0; i < size; i++) {
    product.re[i] = b.re[i]! * a.re[i]! + b.im[i]! * a.im[i]!
    // Conjugated: the inverse transform of a real result is then the forward one.
    product.im[i] = -(b.im[i]! * a.re[i]! - b.re[i]! * a.im[i]!)
  }
  transform(product.re, product.im)
  const [energyA, energyB] = [energySums(source, start, length), energySums(rendition, start, length)]
  const peaks = { near: { height: 0, lag: 0 }, far: { height: 0, lag: 0 } }
  const limit = Math.min(SEARCH_SECONDS * SOUND_RATE, Math.floor(length / 2))
  for (let lag = -limit; lag <= limit; lag++) {
    // Only what overlaps is compared.
    const overlap = length - Math.abs(lag)
    const energy =
      (energyB[Math.max(0, lag) + overlap]! - energyB[Math.max(0, lag)]!) *
      (energyA[Math.max(0, -lag) + overlap]! - energyA[Math.max(0, -lag)]!)
    const height = energy > 0 ? product.re[(lag + size) % size]! / size / Math.sqrt(energy) : 0
    const peak = Math.abs(lag) <= OFFSET_TOLERANCE * SOUND_RATE ? peaks.near : peaks.far
    if (height > peak.height) Object.assign(peak, { height, lag })
  }
  return peaks
}

/** Sums of the squares of the first samples of a window: entry n is that of n samples. */
function energySums(samples: Int16Array, start: number, length: number): Float64Array {
  const sums = new Float64Array(length + 1)
  for (let i = 0; i < length; i++) sums[i + 1] = sums[i]! + (samples[start + i] ?? 0) ** 2
  return sums
}

function spectrum(samples: Int16Array, start: number, length: number, size: number): { re: Float64Array; im: Float64Array } {
  const [re, im] = [new Float64Array(size), new Float64Array(size)]
  for (let i = 0; i < length; i++) re[i] = samples[start + i] ?? 0
  transform(re, im)
  return { re, im }
}

/** The fast Fourier transform (Cooley and Tukey) of as many complex numbers as a power of two, in place. */
function transform(re: Float64Array, im: Float64Array): void {
  const size = re.length
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i < j) [re[i], re[j], im[i], im[j]] = [re[j]!, re[i]!, im[j]!, im[i]!]
  }
  for (let half = 1; half < size; half *= 2) {
    for (let k = 0; k < half; k++) {
      const [cos, sin] = [Math.cos((Math.PI * k) / half), -Math.sin((Math.PI * k) / half)]
      for (let i = k; i < size; i += 2 * half) {
        const j = i + half
        const [x, y] = [re[j]! * cos - im[j]! * sin, re[j]! * sin + im[j]! * cos]
        re[j] = re[i]! - x
        im[j] = im[i]! - y
        re[i] = re[i]! + x
        im[i] = im[i]! + y
      }
    }
  }
}

/** Seconds of sound whose loudness is measured at once. */
const LOUDNESS_STEP = 0.01
/** Loudness (RMS of 16 bit samples) of what is heard, and of what is silence after compression. */
const AUDIBLE = 400
const SILENCE = 40

/** Parts, longer than the tolerance, that are loud in one of two sounds and silent in the other. */
function silentParts(source: Int16Array, rendition: Int16Array): { from: number; to: number; silent: 'source' | 'rendition' }[] {
  const [a, b] = [loudness(source), loudness(rendition)]
  const parts: { from: number; to: number; silent: 'source' | 'rendition' }[] = []
  let from = 0
  const silentOne = (step: number): 'source' | 'rendition' | null =>
    a[step]! < SILENCE && b[step]! > AUDIBLE ? 'source' : b[step]! < SILENCE && a[step]! > AUDIBLE ? 'rendition' : null
  const steps = Math.min(a.length, b.length)
  for (let step = 1; step <= steps; step++) {
    const before = silentOne(step - 1)
    if (step < steps && silentOne(step) === before) continue
    if (before && (step - from) * LOUDNESS_STEP > OFFSET_TOLERANCE + LOUDNESS_STEP)
      parts.push({ from: from * LOUDNESS_STEP, to: step * LOUDNESS_STEP, silent: before })
    from = step
  }
  return parts
}

function loudness(samples: Int16Array): Float64Array {
  const count = Math.round(SOUND_RATE * LOUDNESS_STEP)
  return Float64Array.from({ length: Math.floor(samples.length / count) }, (_, step) => {
    let sum = 0
    for (let i = step * count; i < (step + 1) * count; i++) sum += samples[i]! ** 2
    return Math.sqrt(sum / count)
  })
}

/** The last frame that begins at or before a time; the first one before that. */
export function frameAt(times: number[], time: number): number {
  let [low, high] = [0, times.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (times[middle]! <= time) low = middle
    else high = middle - 1
  }
  return low
}

function pickFrames(count: number, part: number): number[] {
  const [first, end] = [Math.floor((count * part) / PARTS), Math.floor((count * (part + 1)) / PARTS)]
  const step = Math.max(1, (end - first) / FRAMES_PER_PART)
  const frames: number[] = []
  for (let frame = first; frame < end; frame += step) frames.push(Math.floor(frame))
  return frames
}

function lagCosts(costOf: (lag: number) => number): { lag: number; cost: number }[] {
  const steps = SEARCH_SECONDS * 100
  return Array.from({ length: 2 * steps + 1 }, (_, step) => {
    const lag = (step - steps) / 100
    return { lag, cost: costOf(lag) }
  })
}

/** The brightness of each pixel (ITU-R BT.601), as a player shows it. */
export function toBrightness({ rgb }: Pictures): Float32Array {
  return Float32Array.from({ length: rgb.length / 3 }, (_, i) => 0.299 * rgb[i * 3]! + 0.587 * rgb[i * 3 + 1]! + 0.114 * rgb[i * 3 + 2]!)
}

/** The pixels of one frame. */
export const pictureOf = (pixels: Float32Array, frame: number) =>
  pixels.subarray((frame * PICTURE_BYTES) / 3, ((frame + 1) * PICTURE_BYTES) / 3)

/** The mean difference of two pictures (of 255). */
export function difference(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!)
  return sum / a.length
}

/** The correlation coefficient of two pictures (Pearson); 1 for flat ones, which have no shapes. */
export function resemblance(a: Float32Array, b: Float32Array): number {
  const [meanA, meanB] = [mean([...a]), mean([...b])]
  let [both, squaresA, squaresB] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    both += (a[i]! - meanA) * (b[i]! - meanB)
    squaresA += (a[i]! - meanA) ** 2
    squaresB += (b[i]! - meanB) ** 2
  }
  const flat = 4 * a.length
  return squaresA < flat && squaresB < flat ? 1 : both / Math.sqrt(Math.max(1, squaresA) * Math.max(1, squaresB))
}

/** The standard deviation of the brightness of a picture (of 255): 0 if it shows nothing. */
export function flatness(pixels: Float32Array): number {
  const average = mean([...pixels])
  return Math.sqrt(mean([...pixels].map(value => (value - average) ** 2)))
}

const best = (costs: { lag: number; cost: number }[]) => costs.toSorted((a, b) => a.cost - b.cost)[0]
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/** The median of the intervals between times; 0 for less than two. */
export function medianStep(times: number[]): number {
  const steps = times.slice(1).map((time, index) => time - times[index]!)
  return steps.sort((a, b) => a - b)[steps.length >> 1] ?? 0
}
