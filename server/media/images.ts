import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { PauseControl } from './pause-control.ts'
import { MediaError, runFfmpeg } from './ffmpeg.ts'
import { toneMappingFilters } from './ffmpeg-filters.ts'
import { hasMovingVideo, type Probe } from './probe.ts'

export type ImageSize = { width: number; height: number }
export type ImageOptions = { timeoutMs?: number; signal?: AbortSignal; nice?: number; brake?: PauseControl }

/** A picture to write: where, and exactly how large. */
export type ImageTarget = ImageSize & { path: string }

/**
 * Writes a telling picture of a film as JPEGs: of the first of the given `parts` (of its length) that is neither dark, blank nor flat, else
 * of the
 * best of them; the cover or a dark picture where nothing moves. Needs a `folder` for what lies between.
 */
export async function writeThumbnails(
  input: string,
  probe: Probe,
  wanted: ImageTarget[],
  options: ImageOptions & { folder: string; parts?: number[] }
): Promise<void> {
  if (!probe.video) {
    await Promise.all(wanted.map(async one => await writePlain(one.path, one)))
    return
  }
  const parts = hasMovingVideo(probe) ? (options.parts ?? [0.3, 0.15, 0.5, 0.7, 0.05, 0.85]) : [0]
  let best: { frame: string; score: number } | null = null
  try {
    for (const part of [...parts.filter(one => isFast(probe, one)), ...parts.filter(one => !isFast(probe, one))]) {
      const frame = join(options.folder, `.${randomUUID()}.png`)
      await extract(input, probe, part, frame, options)
      const score = parts.length === 1 ? 0 : await liveliness(frame)
      const worse: string | undefined = best && best.score >= score ? frame : best?.frame
      if (!best || score > best.score) best = { frame, score }
      if (worse) await rm(worse, { force: true })
      if (score > LIVELY) break
    }
    // A tall picture is shown whole on a wide card, instead of a slice of it.
    const upright = probe.video.height > probe.video.width
    const sharp = await loadSharp()
    await Promise.all(
      wanted.map(async ({ path, width, height }) => {
        await replace(path, draft =>
          sharp(best!.frame)
            .resize({ width, height, fit: upright && width > height ? 'contain' : 'cover', background: dark })
            .flatten({ background: dark })
            .jpeg({ quality: 80, progressive: true })
            .toFile(draft)
        )
      })
    )
  } finally {
    if (best) await rm(best.frame, { force: true })
  }
}

/**
 * Turns an uploaded picture into a JPEG of exactly this size, cropped to fit; throws `bad_image` for anything but a JPEG, PNG, WebP, GIF or
 * AVIF within `maxPixels`.
 */
export async function convertToJpeg(input: string, target: string, size: ImageSize, options: { maxPixels?: number } = {}): Promise<void> {
  const image = await openImage(input, options.maxPixels)
  await convert(() =>
    replace(target, draft =>
      image
        .resize({ ...size, fit: 'cover' })
        .flatten({ background: '#ffffff' })
        .jpeg({ quality: 80, progressive: true })
        .toFile(draft)
    )
  )
}

/**
 * Makes square pictures of the given widths from an uploaded one, under new names in `folder`; PNG where it has transparency, else JPEG.
 */
export async function resizeToAvatars(
  input: string,
  folder: string,
  sizes: number[],
  options: { maxPixels?: number } = {}
): Promise<{ width: number; height: number; file: string }[]> {
  return await resizeToSizes(
    input,
    folder,
    sizes.map(width => ({ width, height: width })),
    options
  )
}

/** As `toAvatars`, for any shape (banners). */
export async function resizeToSizes(
  input: string,
  folder: string,
  sizes: ImageSize[],
  options: { maxPixels?: number } = {}
): Promise<{ width: number; height: number; file: string }[]> {
  const image = await openImage(input, options.maxPixels)
  const transparent = (await image.stats().catch(() => null))?.isOpaque === false
  const files = []
  for (const size of sizes) {
    const file = `${randomUUID()}.${transparent ? 'png' : 'jpg'}`
    const resized = image.clone().resize({ ...size, fit: 'cover' })
    await convert(() => replace(join(folder, file), draft => (transparent ? resized.png() : resized.jpeg({ quality: 85 })).toFile(draft)))
    files.push({ ...size, file })
  }
  return files
}

export type StoryboardLayout = {
  spriteWidth: number
  spriteHeight: number
  totalWidth: number
  totalHeight: number
  spriteDuration: number
}
export type StoryboardOptions = ImageOptions & {
  /** Longer side of one picture, in pixels. */
  spriteWidth?: number
  maxSprites?: number
  columns?: number
  /** Up to this length, in seconds, every picture is decoded rather than keyframes alone. */
  fullDecodeSeconds?: number
}

/** Writes small pictures of the whole film, `spriteDuration` seconds apart, side by side into one JPEG; null where nothing moves. */
export async function writeStoryboard(
  input: string,
  probe: Probe,
  target: string,
  options: StoryboardOptions = {}
): Promise<StoryboardLayout | null> {
  const video = probe.video
  if (!video || video.attachedPic) return null
  const maxSprites = options.maxSprites ?? 100
  const spriteDuration = Math.max(1, Math.ceil(probe.duration / maxSprites))
  const count = Math.min(maxSprites, Math.max(1, Math.ceil(probe.duration / spriteDuration)))
  const columns = Math.min(count, options.columns ?? 10)
  const rows = Math.ceil(count / columns)
  const scale = (options.spriteWidth ?? 192) / Math.max(video.width, video.height)
  const [spriteWidth, spriteHeight] = [even(video.width * scale), even(video.height * scale)]

  const dense = video.keyframeInterval !== null && video.keyframeInterval <= spriteDuration
  const keyframesOnly = dense || probe.duration > (options.fullDecodeSeconds ?? 120)
  const filters = [
    "setpts='if(eq(N,0),0,PTS)'",
    `fps=fps=1/${spriteDuration}:start_time=0`,
    `scale=${spriteWidth}:${spriteHeight}`,
    'setsar=1',
    ...(await toneMappingFilters(video)),
    'tpad=stop=-1:stop_mode=clone',
    `trim=end_frame=${count}`,
    `tile=${columns}x${rows}`
  ]
  await picture(
    input,
    target,
    [...(keyframesOnly ? ['-skip_frame', 'nokey'] : [])],
    ['-filter_complex', `[0:${video.index}]${filters.join(',')},format=yuvj420p[v]`, '-map', '[v]', '-q:v', '4'],
    options
  )
  return { spriteWidth, spriteHeight, totalWidth: spriteWidth * columns, totalHeight: spriteHeight * rows, spriteDuration }
}

const dark = '#14171c'

// libvips takes tens of megabytes: it comes in with the first picture, not with the server.
async function loadSharp() {
  const { default: sharp } = await import('sharp')
  sharp.cache(false)
  return sharp
}

async function openImage(input: string, maxPixels = 64_000_000) {
  const sharp = await loadSharp()
  // A buffer: a file name could mean something else to the decoders.
  const bytes = await readFile(input)
  if (bytes.length === 0) throw new MediaError('bad_image', 'the file is empty')
  const image = sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error', animated: false })
  const { format } = await convert(() => image.metadata())
  if (!['jpeg', 'png', 'webp', 'gif', 'heif', 'avif'].includes(format ?? ''))
    throw new MediaError('bad_image', `${format} is no allowed picture format`)
  return image.rotate()
}

async function convert<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof MediaError || (error as NodeJS.ErrnoException).code?.startsWith('E')) throw error
    throw new MediaError('bad_image', (error as Error).message, { cause: error })
  }
}

async function writePlain(target: string, size: ImageSize): Promise<void> {
  const sharp = await loadSharp()
  await replace(target, draft =>
    sharp({ create: { ...size, channels: 3, background: dark } })
      .jpeg()
      .toFile(draft)
  )
}

/** Whether a keyframe lies before a part of the film that is not the first of all: it needs no other picture decoded. */
function isFast({ video, duration }: Probe, part: number): boolean {
  return video !== null && video.keyframeInterval !== null && part * duration > video.keyframeInterval
}

async function extract(input: string, probe: Probe, part: number, frame: string, options: ImageOptions): Promise<void> {
  const video = probe.video
  if (!video) return
  const args = async (scale: string) => [
    '-map',
    `0:${video.index}`,
    '-frames:v',
    '1',
    '-compression_level',
    '1',
    '-vf',
    ['setpts=PTS-STARTPTS', scale, 'setsar=1', ...(await toneMappingFilters(video))].join(',')
  ]
  const output = await args(`scale=${fitWithin(video, 1920)}`)
  const at = Math.max(0, Math.min(probe.duration * part, probe.duration - 0.1))
  const seeks =
    video.attachedPic || at === 0
      ? []
      : [...(isFast(probe, part) ? [['-skip_frame', 'nokey', '-noaccurate_seek', '-ss', at.toFixed(3)]] : []), ['-ss', at.toFixed(3)]]
  for (const seek of seeks) {
    try {
      return await picture(input, frame, seek, output, options)
    } catch (error) {
      if (!(error instanceof MediaError) || ['aborted', 'timeout', 'ffmpeg_missing'].includes(error.code)) throw error
    }
  }
  // Behind the last picture, or in a file that cannot be searched: the first picture will do.
  await picture(input, frame, [], output, options)
}

/** The spread of brightness of a small copy; low for black, white and plain pictures. */
async function liveliness(frame: string): Promise<number> {
  const sharp = await loadSharp()
  const pixels = await sharp(frame).resize(64, 36, { fit: 'fill' }).greyscale().raw().toBuffer()
  const mean = pixels.reduce((sum, pixel) => sum + pixel, 0) / pixels.length
  return Math.sqrt(pixels.reduce((sum, pixel) => sum + (pixel - mean) ** 2, 0) / pixels.length)
}
const LIVELY = 30

async function picture(
  input: string,
  target: string,
  before: string[],
  options: string[],
  { timeoutMs = 120_000, ...rest }: ImageOptions
): Promise<void> {
  await replace(target, async draft => {
    const suffix = ['-f', 'image2', '-update', '1', '-c:v', target.endsWith('.png') ? 'png' : 'mjpeg']
    const run = runFfmpeg({
      input,
      before,
      options: [...options, ...suffix],
      output: basename(draft),
      cwd: dirname(target),
      timeoutMs,
      ...rest
    })
    const { frames } = await run.done
    const { size } = await stat(draft).catch(() => ({ size: 0 }))
    if (size === 0) throw new MediaError(frames > 0 ? 'ffmpeg_failed' : 'nothing_decoded', 'no picture there')
  })
}

async function replace(target: string, write: (draft: string) => Promise<unknown>): Promise<void> {
  const draft = join(dirname(target), `.${randomUUID()}.draft`)
  try {
    await write(draft)
    await rename(draft, target)
  } finally {
    await rm(draft, { force: true })
  }
}

function fitWithin(size: ImageSize, longest: number): string {
  const scale = Math.min(1, longest / Math.max(size.width, size.height))
  return `${even(size.width * scale)}:${even(size.height * scale)}`
}

function even(pixels: number): number {
  return Math.max(2, 2 * Math.round(pixels / 2))
}
