import { readFile } from 'node:fs/promises'
import sharp from 'sharp'
import type { Probe } from '../media/probe.ts'
import { difference, flatness, pictureOf, resemblance, toBrightness, type Comparison } from './media-correlation.ts'
import { PICTURE_HEIGHT, PICTURE_WIDTH, type Pictures } from './media-decoding.ts'

/** A storyboard: pixels, and seconds per sprite. */
export type CheckedStoryboard = {
  path: string
  spriteWidth: number
  spriteHeight: number
  totalWidth: number
  totalHeight: number
  spriteDuration: number
}
/** Images that were made of frames of a source, by name, and its storyboard. */
export type CheckedImages = { frames?: Record<string, string>; storyboard?: CheckedStoryboard | null }

/** Standard deviation of brightness (of 255) below which a picture shows nothing. */
const FLAT = 4
/** Correlation of an image with the frame it shows. */
const MIN_RESEMBLANCE = 0.94
/** Sprites of a long video are as many as this; each then stands for more seconds. */
const MAX_SPRITES = 100
/** Seconds by which a sprite may be off besides its interval: sprites are taken from keyframes. */
const KEYFRAME_SECONDS = 5

/** Looks whether the images of a video show frames of it, and whether a storyboard has a sprite for each interval. */
export async function checkImages(
  images: CheckedImages,
  source: Pictures | null,
  { video, duration }: Pick<Probe, 'video' | 'duration'>
): Promise<Comparison> {
  const result: Comparison = { findings: [], notMeasurable: [] }
  const frames = source && source.times.length > 0 ? splitFrames(source) : null
  for (const [name, path] of Object.entries(images.frames ?? {})) {
    const image = await readBrightness(path).catch(error => String(error))
    if (typeof image === 'string') result.findings.push(`${name}: cannot be read: ${image}`)
    else if (!frames) result.notMeasurable.push(`${name}: there is no source to compare it with`)
    else if (!frames.some(({ pixels }) => flatness(pixels) > 2 * FLAT)) result.notMeasurable.push(`${name}: the source is as flat`)
    else if (flatness(image) < FLAT) result.findings.push(`${name}: shows nothing, unlike the source`)
    else if (!(await hasShape(path, video))) result.notMeasurable.push(`${name}: it has another shape than the source`)
    else if (!frames.some(({ pixels }) => resemblance(image, pixels) > MIN_RESEMBLANCE))
      result.findings.push(`${name}: is no frame of the source`)
  }
  if (images.storyboard) result.findings.push(...(await checkStoryboard(images.storyboard, frames, duration)))
  return result
}

/** Whether an image has the proportions of a video: otherwise it shows a part of a frame, or has margins. */
async function hasShape(path: string, video: Probe['video']): Promise<boolean> {
  const { width, height } = await sharp(path).metadata()
  return video !== null && Math.abs((width / height) * (video.height / video.width) - 1) < 0.05
}

type Frame = { time: number; pixels: Float32Array }

async function checkStoryboard(storyboard: CheckedStoryboard, frames: Frame[] | null, duration: number): Promise<string[]> {
  const { path, spriteWidth, spriteHeight, totalWidth, totalHeight, spriteDuration } = storyboard
  const sheet = await readFile(path).catch(() => null)
  const metadata =
    sheet &&
    (await sharp(sheet)
      .metadata()
      .catch(() => null))
  if (!metadata) return ['storyboard: cannot be read']
  const findings: string[] = []
  if (metadata.width !== totalWidth || metadata.height !== totalHeight)
    findings.push(`storyboard: has ${metadata.width}x${metadata.height} pixels instead of ${totalWidth}x${totalHeight}`)
  const columns = Math.floor(totalWidth / spriteWidth)
  const places = columns * Math.floor(totalHeight / spriteHeight)
  const count = Math.min(MAX_SPRITES, Math.max(1, Math.floor(duration / spriteDuration)))
  if (places < count) findings.push(`storyboard: ${places} sprites of ${spriteDuration} s for ${duration.toFixed(1)} s`)
  if (findings.length > 0) return findings
  for (let sprite = 0; frames && sprite < count; sprite++) {
    const image = await readBrightness(sheet, {
      left: (sprite % columns) * spriteWidth,
      top: Math.floor(sprite / columns) * spriteHeight,
      width: spriteWidth,
      height: spriteHeight
    })
    const [from, to] = [sprite * spriteDuration - KEYFRAME_SECONDS, (sprite + 1) * spriteDuration + KEYFRAME_SECONDS]
    const near = frames.filter(({ time }) => time >= from && time <= to)
    const candidates = near.length > 0 ? near : frames.slice(-1)
    if (!candidates.some(({ pixels }) => resemblance(image, pixels) > MIN_RESEMBLANCE || difference(image, pixels) < 2 * FLAT))
      findings.push(`storyboard: sprite ${sprite} shows nothing of the source near ${(sprite * spriteDuration).toFixed(0)} s`)
  }
  return findings
}

function splitFrames(pictures: Pictures): Frame[] {
  const brightness = toBrightness(pictures)
  // A few a second are enough: what is looked for is the scene.
  const step = Math.max(1, Math.floor(pictures.times.length / Math.max(1, pictures.times.at(-1)! * 5)))
  return pictures.times.flatMap((time, frame) => (frame % step === 0 ? [{ time, pixels: pictureOf(brightness, frame) }] : []))
}

/** The brightness of an image (a path, or its bytes), or of a part of it, at PICTURE_WIDTH x PICTURE_HEIGHT. */
export async function readBrightness(
  image: string | Buffer,
  part?: { left: number; top: number; width: number; height: number }
): Promise<Float32Array> {
  const opened = sharp(typeof image === 'string' ? await readFile(image) : image)
  const rgb = await (part ? opened.extract(part) : opened)
    .removeAlpha()
    .toColorspace('srgb')
    .resize(PICTURE_WIDTH, PICTURE_HEIGHT, { fit: 'fill' })
    .raw()
    .toBuffer()
  return toBrightness({ times: [0], rgb })
}
