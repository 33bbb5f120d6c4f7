import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import type { PauseControl } from './pause-control.ts'
import { MediaError, runFfmpeg } from './ffmpeg.ts'
import { matrixTagFilters } from './color.ts'
import { toneMappingFilters } from './ffmpeg-filters.ts'
import { hasMovingVideo, type Probe } from './probe.ts'

export type ImageSize = { width: number; height: number }
export type ImageOptions = { timeoutMs?: number; signal?: AbortSignal; nice?: number; pauseControl?: PauseControl }

/** An image to write: its path and exact size. */
export type ImageTarget = ImageSize & { path: string }

/**
 * Writes a representative frame of a video as JPEGs: from the first of the given `positions` (fractions of its length) whose frame is not
 * dark, blank or flat, else from the best of them. For audio files it is the cover, or a plain dark image. `folder` holds temporary files.
 */
export async function writeThumbnails(
  input: string,
  probe: Probe,
  targets: ImageTarget[],
  options: ImageOptions & { folder: string; positions?: number[] }
): Promise<void> {
  if (!probe.video) {
    await Promise.all(targets.map(async target => await writePlainImage(target.path, target)))
    return
  }
  const positions = hasMovingVideo(probe) ? (options.positions ?? [0.3, 0.15, 0.5, 0.7, 0.05, 0.85]) : [0]
  let best: { framePath: string; score: number } | null = null
  try {
    for (const position of [
      ...positions.filter(candidate => hasKeyframeBefore(probe, candidate)),
      ...positions.filter(candidate => !hasKeyframeBefore(probe, candidate))
    ]) {
      const framePath = join(options.folder, `.${randomUUID()}.png`)
      await extractFrame(input, probe, position, framePath, options)
      const score = positions.length === 1 ? 0 : await brightnessSpread(framePath)
      const worseFrame: string | undefined = best && best.score >= score ? framePath : best?.framePath
      if (!best || score > best.score) best = { framePath, score }
      if (worseFrame) await rm(worseFrame, { force: true })
      if (score > MIN_BRIGHTNESS_SPREAD) break
    }
    // A portrait frame is fitted into a landscape thumbnail as a whole, not cropped.
    const portrait = probe.video.height > probe.video.width
    const sharp = await loadSharp()
    await Promise.all(
      targets.map(async ({ path, width, height }) => {
        await writeAtomically(path, temporaryPath =>
          sharp(best!.framePath)
            .resize({ width, height, fit: portrait && width > height ? 'contain' : 'cover', background: BACKGROUND_COLOR })
            .flatten({ background: BACKGROUND_COLOR })
            .jpeg({ quality: 80, progressive: true })
            .toFile(temporaryPath)
        )
      })
    )
  } finally {
    if (best) await rm(best.framePath, { force: true })
  }
}

/**
 * Converts an uploaded image to a JPEG of exactly this size, cropped to fit; throws `bad_image` for anything but a JPEG, PNG, WebP, GIF or
 * AVIF within `maxPixels`.
 */
export async function convertToJpeg(input: string, target: string, size: ImageSize, options: { maxPixels?: number } = {}): Promise<void> {
  const image = await openImage(input, options.maxPixels)
  await withImageErrors(() =>
    writeAtomically(target, temporaryPath =>
      image
        .resize({ ...size, fit: 'cover' })
        .flatten({ background: '#ffffff' })
        .jpeg({ quality: 80, progressive: true })
        .toFile(temporaryPath)
    )
  )
}

/** Makes square images of the given widths from an uploaded one, under new names in `folder`; PNG if it has transparency, else JPEG. */
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

/** As `resizeToAvatars`, for any aspect ratio (banners). */
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
    await withImageErrors(() =>
      writeAtomically(join(folder, file), temporaryPath =>
        (transparent ? resized.png() : resized.jpeg({ quality: 85 })).toFile(temporaryPath)
      )
    )
    files.push({ ...size, file })
  }
  return files
}

/**
 * Writes a picture of unknown origin again, in the format of the extension of `target` (.jpg, .png, .webp or .gif) and without anything but
 * what is shown; an animation stays one where all its frames are within `maxPixels`. Throws `bad_image` as `convertToJpeg` does.
 */
export async function reencodeImage(input: string, target: string, { maxPixels }: { maxPixels: number }): Promise<void> {
  const still = await openImage(input, maxPixels)
  const { pages = 1, width, height } = await still.metadata()
  const extension = extname(target)
  const isAnimated = pages > 1 && ['.gif', '.webp'].includes(extension) && pages * width * height <= maxPixels
  const image = isAnimated ? await openImage(input, maxPixels, { animated: true }) : still
  await withImageErrors(() =>
    writeAtomically(target, temporaryPath =>
      (extension === '.png'
        ? image.png()
        : extension === '.webp'
          ? image.webp({ quality: 85 })
          : extension === '.gif'
            ? image.gif()
            : image.flatten({ background: '#ffffff' }).jpeg({ quality: 85, progressive: true })
      ).toFile(temporaryPath)
    )
  )
}

export type StoryboardLayout = {
  spriteWidth: number
  spriteHeight: number
  totalWidth: number
  totalHeight: number
  spriteDuration: number
}
export type StoryboardOptions = ImageOptions & {
  /** Longer side of one sprite, in pixels. */
  spriteWidth?: number
  maxSprites?: number
  columns?: number
  /** Up to this length, in seconds, every frame is decoded, above it keyframes alone. */
  fullDecodeSeconds?: number
}

/** Writes small frames of the whole video, `spriteDuration` seconds apart, as a grid into one JPEG; null for audio files. */
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
  const [spriteWidth, spriteHeight] = [roundToEven(video.width * scale), roundToEven(video.height * scale)]

  const hasDenseKeyframes = video.keyframeInterval !== null && video.keyframeInterval <= spriteDuration
  const keyframesOnly = hasDenseKeyframes || probe.duration > (options.fullDecodeSeconds ?? 120)
  const filters = [
    "setpts='if(eq(N,0),0,PTS)'",
    ...matrixTagFilters(video),
    // The last frame counts for its interval, also in a video of less than one.
    `fps=fps=1/${spriteDuration}:start_time=0:eof_action=pass`,
    `scale=${spriteWidth}:${spriteHeight}`,
    'setsar=1',
    ...(await toneMappingFilters(video)),
    // JPEG has its own matrix, and no tag for another (ITU-T T.871).
    'scale=out_color_matrix=bt601:out_range=full',
    'tpad=stop=-1:stop_mode=clone',
    `trim=end_frame=${count}`,
    `tile=${columns}x${rows}`
  ]
  await writeImageWithFfmpeg(
    input,
    target,
    [...(keyframesOnly ? ['-skip_frame', 'nokey'] : [])],
    ['-filter_complex', `[0:${video.index}]${filters.join(',')},format=yuvj420p[v]`, '-map', '[v]', '-q:v', '4'],
    options
  )
  return { spriteWidth, spriteHeight, totalWidth: spriteWidth * columns, totalHeight: spriteHeight * rows, spriteDuration }
}

const BACKGROUND_COLOR = '#14171c'

// libvips uses tens of megabytes: it is loaded with the first image, not at server start.
async function loadSharp() {
  const { default: sharp } = await import('sharp')
  sharp.cache(false)
  return sharp
}

async function openImage(input: string, maxPixels = 64_000_000, { animated = false } = {}) {
  const sharp = await loadSharp()
  // A buffer, since decoders may interpret a file name.
  const bytes = await readFile(input)
  if (bytes.length === 0) throw new MediaError('bad_image', 'the file is empty')
  const image = sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error', animated })
  const { format } = await withImageErrors(() => image.metadata())
  if (!['jpeg', 'png', 'webp', 'gif', 'heif', 'avif'].includes(format ?? ''))
    throw new MediaError('bad_image', `${format} is no allowed picture format`)
  return animated ? image : image.rotate()
}

async function withImageErrors<T>(convert: () => Promise<T>): Promise<T> {
  try {
    return await convert()
  } catch (error) {
    if (error instanceof MediaError || (error as NodeJS.ErrnoException).code?.startsWith('E')) throw error
    const { message } = error as Error
    // libvips has no code for it.
    throw new MediaError(/No space left on device|quota exceeded/i.test(message) ? 'disk_full' : 'bad_image', message, { cause: error })
  }
}

async function writePlainImage(target: string, size: ImageSize): Promise<void> {
  const sharp = await loadSharp()
  await writeAtomically(target, temporaryPath =>
    sharp({ create: { ...size, channels: 3, background: BACKGROUND_COLOR } })
      .jpeg()
      .toFile(temporaryPath)
  )
}

/** Whether there is a keyframe before a position, other than the first one: no other frame need be decoded then. */
function hasKeyframeBefore({ video, duration }: Probe, position: number): boolean {
  return video !== null && video.keyframeInterval !== null && position * duration > video.keyframeInterval
}

async function extractFrame(input: string, probe: Probe, position: number, framePath: string, options: ImageOptions): Promise<void> {
  const video = probe.video
  if (!video) return
  const outputArgsWith = async (scale: string) => [
    '-map',
    `0:${video.index}`,
    '-frames:v',
    '1',
    '-compression_level',
    '1',
    '-vf',
    ['setpts=PTS-STARTPTS', ...matrixTagFilters(video), scale, 'setsar=1', ...(await toneMappingFilters(video))].join(',')
  ]
  const outputArgs = await outputArgsWith(`scale=${fitWithin(video, 1920)}`)
  const seconds = Math.max(0, Math.min(probe.duration * position, probe.duration - 0.1))
  const seekAttempts =
    video.attachedPic || seconds === 0
      ? []
      : [
          ...(hasKeyframeBefore(probe, position) ? [['-skip_frame', 'nokey', '-noaccurate_seek', '-ss', seconds.toFixed(3)]] : []),
          ['-ss', seconds.toFixed(3)]
        ]
  for (const inputOptions of seekAttempts) {
    try {
      return await writeImageWithFfmpeg(input, framePath, inputOptions, outputArgs, options)
    } catch (error) {
      if (!(error instanceof MediaError) || ['aborted', 'timeout', 'ffmpeg_missing'].includes(error.code)) throw error
    }
  }
  // For positions after the last frame, and files that are not seekable: the first frame.
  await writeImageWithFfmpeg(input, framePath, [], outputArgs, options)
}

/** The standard deviation of the brightness of a small copy; low for black, white and plain images. */
async function brightnessSpread(framePath: string): Promise<number> {
  const sharp = await loadSharp()
  const pixels = await sharp(framePath).resize(64, 36, { fit: 'fill' }).greyscale().raw().toBuffer()
  const mean = pixels.reduce((sum, pixel) => sum + pixel, 0) / pixels.length
  return Math.sqrt(pixels.reduce((sum, pixel) => sum + (pixel - mean) ** 2, 0) / pixels.length)
}
const MIN_BRIGHTNESS_SPREAD = 30

async function writeImageWithFfmpeg(
  input: string,
  target: string,
  inputOptions: string[],
  options: string[],
  { timeoutMs = 120_000, ...ffmpegOptions }: ImageOptions
): Promise<void> {
  await writeAtomically(target, async temporaryPath => {
    const suffix = ['-f', 'image2', '-update', '1', '-c:v', target.endsWith('.png') ? 'png' : 'mjpeg']
    const run = runFfmpeg({
      input,
      inputOptions,
      options: [...options, ...suffix],
      output: basename(temporaryPath),
      cwd: dirname(target),
      timeoutMs,
      ...ffmpegOptions
    })
    const { frames } = await run.done
    const { size } = await stat(temporaryPath).catch(() => ({ size: 0 }))
    if (size === 0) throw new MediaError(frames > 0 ? 'ffmpeg_failed' : 'nothing_decoded', 'no picture there')
  })
}

async function writeAtomically(target: string, write: (temporaryPath: string) => Promise<unknown>): Promise<void> {
  const temporaryPath = join(dirname(target), `.${randomUUID()}.draft`)
  try {
    await write(temporaryPath)
    await rename(temporaryPath, target)
  } finally {
    await rm(temporaryPath, { force: true })
  }
}

function fitWithin(size: ImageSize, longest: number): string {
  const scale = Math.min(1, longest / Math.max(size.width, size.height))
  return `${roundToEven(size.width * scale)}:${roundToEven(size.height * scale)}`
}

function roundToEven(pixels: number): number {
  return Math.max(2, 2 * Math.round(pixels / 2))
}
