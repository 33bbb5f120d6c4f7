const CONTROL = /(?![\t\n\r])[\p{Cc}\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/**
 * A stranger's text as it may be stored: no control characters, nothing that turns the direction of what stands beside it
 * (docs/federation.md#html-and-text). Null when nothing is left.
 */
export function cleanText(text: string, max: number): string | null {
  const clean = text
    .slice(0, max * 2)
    .replace(LONE, '')
    .replace(CONTROL, '')
    .slice(0, max)
    .replace(LONE, '')
    .trim()
  return clean === '' ? null : clean
}

/** A stranger's name as it may be stored: such a text on one line. */
export function cleanLine(text: string, max: number): string {
  return cleanText((cleanText(text, max * 2) ?? '').replace(/\s+/g, ' '), max) ?? ''
}
