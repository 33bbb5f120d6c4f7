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

/** Returns a text of at most `max` characters on one line that may be plain or HTML; of angle brackets only known tags are taken away. */
export function lineOfHtml(html: string, max: number): string {
  const text = html.slice(0, TITLE_SOURCE).replace(TAGS, (_tag, name: string) => (INLINE_TAGS.has(name.toLowerCase()) ? '' : ' '))
  return cleanLine(decodeEntities(text), max)
}

const INLINE_TAGS: ReadonlySet<string> = new Set(['a', 'abbr', 'b', 'code', 'em', 'i', 's', 'small', 'span', 'strong', 'sub', 'sup', 'u'])
const TAGS =
  /<\/?(abbr|a|blockquote|br|b|code|div|em|figure|h[1-6]|hr|img|i|li|ol|pre|p|script|small|span|strong|style|sub|sup|s|ul|u)\b[^<>]*>/gi

const decodeEntities = (text: string) =>
  text.replace(
    /&(amp|lt|gt|quot|#39|nbsp);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: ' ' })[name]!
  )
