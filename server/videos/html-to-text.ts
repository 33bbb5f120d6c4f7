import { cleanLine } from '../fediverse/text-limits.ts'

/** Characters of HTML in which a title is looked for. */
const TITLE_SOURCE = 2000

/** Converts untrusted HTML to plain text, paragraphs to lines; null if nothing is left (docs/federation.md#html-and-text). */
export async function htmlToText(html: string): Promise<string | null> {
  // Few servers send HTML, so the module is loaded on first use.
  const { default: sanitizeHtml } = await import('sanitize-html')
  const withLineBreaks = html.replace(/<br\s*\/?>/gi, '\n').replace(/<\/(p|div|li|h[1-6])>/gi, '\n\n')
  const text = decodeEntities(sanitizeHtml(withLineBreaks, { allowedTags: [], allowedAttributes: {}, nestingLimit: 50 }))
  return text.replace(/\n{3,}/g, '\n\n').trim() || null
}

/** Returns the first line of untrusted HTML as plain text that may be a title, at most `max` characters; empty where there is none. */
export function firstLineOfHtml(html: string, max: number): string {
  const lines = html
    .slice(0, TITLE_SOURCE)
    .replace(/<(br|\/p|\/div|\/li|\/h[1-6])\b[^<>]*>/gi, '\n')
    .replace(/<[^<>]*(>|$)/g, '')
    .split('\n')
    .map(line => cleanLine(decodeEntities(line), TITLE_SOURCE))
  const line = lines.find(candidate => candidate !== '') ?? ''
  return line.length <= max ? line : `${cleanLine(line, max - 1)}…`
}

const decodeEntities = (text: string) =>
  text.replace(
    /&(amp|lt|gt|quot|#39|nbsp);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: ' ' })[name]!
  )
