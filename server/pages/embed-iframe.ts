import type { VideoDetails } from '../../shared/videos.ts'
import { instanceOrigin } from '../core/config.ts'
import { html } from './html.ts'

const LONG_SIDE = 560
const RATIOS = { usual: 16 / 9, least: 0.4, most: 3 }

/** How large an embedded player is: as the picture is shaped, within the given pixels. */
export function embedIframeSize(
  { aspectRatio }: Pick<VideoDetails, 'aspectRatio'>,
  most: { width?: number; height?: number } = {}
): { width: number; height: number } {
  const ratio = Math.min(RATIOS.most, Math.max(RATIOS.least, aspectRatio ?? RATIOS.usual))
  const [width, height] = ratio >= 1 ? [LONG_SIDE, LONG_SIDE / ratio] : [LONG_SIDE * ratio, LONG_SIDE]
  const scale = Math.min(1, (most.width ?? Infinity) / width, (most.height ?? Infinity) / height)
  const whole = (side: number, most = Infinity) => Math.max(1, Math.min(most, Math.round(side * scale)))
  return { width: whole(width, most.width), height: whole(height, most.height) }
}

/** The element that puts a video's player into another page; `query` carries wishes for the player. */
export function embedIframeHtml(
  { name, embedPath }: VideoDetails,
  { width, height }: { width: number; height: number },
  query: URLSearchParams
): string {
  const address = `${instanceOrigin()}${embedPath}${query.size > 0 ? `?${query}` : ''}`
  return html`<iframe title="${name}" width="${width}" height="${height}" src="${address}" frameborder="0" allowfullscreen loading="lazy"></iframe>`
    .text
}
