/** The picture that a video shows, as a data URL; null where there is none, or where it is not ours to read. */
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
