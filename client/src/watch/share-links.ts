import type { VideoDetails } from '../../../shared/videos.ts'

/** What a shared link begins with: a position in seconds, and captions by their language. */
export type SharedStart = { start?: number; subtitle?: string }

type SharedVideo = Pick<VideoDetails, 'name' | 'shortUUID' | 'embedPath' | 'aspectRatio'>

/** Returns the URL of the page of a video. */
export function watchLink({ shortUUID }: SharedVideo, shared: SharedStart = {}): string {
  return `${location.origin}/w/${shortUUID}${queryOf(shared)}`
}

/** Returns the HTML that embeds a video in another page. */
export function embedHtml({ name, embedPath, aspectRatio }: SharedVideo, shared: SharedStart = {}): string {
  const [width, height] = aspectRatio && aspectRatio < 1 ? [315, 560] : [560, 315]
  const src = location.origin + embedPath + queryOf(shared)
  return `<iframe title="${escapeAttribute(name)}" width="${width}" height="${height}" src="${escapeAttribute(src)}" allowfullscreen loading="lazy"></iframe>`
}

function queryOf({ start, subtitle }: SharedStart): string {
  const query = new URLSearchParams()
  if (start !== undefined) query.set('start', formatStartTime(start))
  if (subtitle !== undefined) query.set('subtitle', subtitle)
  return query.size > 0 ? `?${query}` : ''
}

/** Formats seconds as `parseStartTime` reads them: 1h2m3s. */
function formatStartTime(seconds: number): string {
  const whole = Math.floor(seconds)
  const parts: [number, string][] = [
    [Math.floor(whole / 3600), 'h'],
    [Math.floor(whole / 60) % 60, 'm'],
    [whole % 60, 's']
  ]
  return parts.map(([value, unit]) => (value > 0 ? value + unit : '')).join('') || '0s'
}

function escapeAttribute(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/"/g, '&quot;')
}
