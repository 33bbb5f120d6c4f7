import { open } from 'node:fs/promises'
import { MediaError } from './ffmpeg.ts'
import { hasMovingVideo, type Probe } from './probe.ts'

/**
 * Bounds of an animated GIF. Its frames are decoded onto the whole canvas, however few bytes they have: 1 MB may hold hours of work.
 * The total is that of 17 minutes at 1920x1080 and ten frames a second.
 */
const MAX_CANVAS_PIXELS = 4096 * 4096
const MAX_TOTAL_PIXELS = 20e9

/** Throws `too_large` for a GIF whose canvas, or whose frames together, have more pixels than are decoded; other files pass. */
export function assertGifLimits({ container, video, duration }: Pick<Probe, 'container' | 'video' | 'duration'>): void {
  if (!container.includes('gif') || !video) return
  const canvas = video.width * video.height
  const frames = video.frames ?? Math.ceil(duration * video.fps)
  if (canvas > MAX_CANVAS_PIXELS || canvas * frames > MAX_TOTAL_PIXELS)
    throw new MediaError('too_large', `a GIF of ${frames} frames of ${video.width}x${video.height} pixels`)
}

/** Whether the file is a GIF with more pixels than are decoded, which ffmpeg may not open at all. */
export async function isHugeGif(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(10), 0, 10, 0)
    const isGif = bytesRead === 10 && /^GIF8[79]a$/.test(buffer.toString('latin1', 0, 6))
    return isGif && buffer.readUInt16LE(6) * buffer.readUInt16LE(8) > MAX_CANVAS_PIXELS
  } finally {
    await file.close()
  }
}

/** Whether the file is a GIF of a single frame, which is a picture. */
export function isStillGif(probe: Probe): boolean {
  return (
    probe.container.includes('gif') && hasMovingVideo(probe) && (probe.video!.frames ?? Math.round(probe.duration * probe.video!.fps)) <= 1
  )
}
