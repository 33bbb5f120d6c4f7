/** Returns the current frame of a video as a JPEG data URL; null where there is none, or where the video is cross-origin without CORS. */
export function captureFrame(media: HTMLVideoElement): string | null {
  if (media.videoWidth === 0) return null
  const canvas = document.createElement('canvas')
  canvas.width = media.videoWidth
  canvas.height = media.videoHeight
  canvas.getContext('2d')?.drawImage(media, 0, 0)
  try {
    return canvas.toDataURL('image/jpeg')
  } catch {
    return null
  }
}
