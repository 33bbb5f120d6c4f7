import type { VideoDetails } from '../../shared/videos.ts'
import { instanceOrigin } from '../core/config.ts'
import { html } from './html.ts'

const LONG_SIDE = 560
const ASPECT_RATIOS = { default: 16 / 9, min: 0.4, max: 3 }

/** Returns the size in pixels of an embedded player: in the aspect ratio of the video, within `max`. */
export function embedIframeSize(
  { aspectRatio }: Pick<VideoDetails, 'aspectRatio'>,
  max: { width?: number; height?: number } = {}
): { width: number; height: number } {
  const ratio = Math.min(ASPECT_RATIOS.max, Math.max(ASPECT_RATIOS.min, aspectRatio ?? ASPECT_RATIOS.default))
  const [width, height] = ratio >= 1 ? [LONG_SIDE, LONG_SIDE / ratio] : [LONG_SIDE * ratio, LONG_SIDE]
  const scale = Math.min(1, (max.width ?? Infinity) / width, (max.height ?? Infinity) / height)
  const scaled = (side: number, max = Infinity) => Math.max(1, Math.min(max, Math.round(side * scale)))
  return { width: scaled(width, max.width), height: scaled(height, max.height) }
}

/** Returns the iframe element of an embedded player; `query` contains parameters for the player. */
export function embedIframeHtml(
  { name, embedPath }: { name: string; embedPath: string },
  { width, height }: { width: number; height: number },
  query: URLSearchParams
): string {
  const url = `${instanceOrigin()}${embedPath}${query.size > 0 ? `?${query}` : ''}`
  return html`<iframe title="${name}" width="${width}" height="${height}" src="${url}" frameborder="0" allowfullscreen loading="lazy"></iframe>`
    .text
}
