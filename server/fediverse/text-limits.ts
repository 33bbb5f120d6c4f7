const CONTROL_CHARACTERS = /(?![\t\n\r])[\p{Cc}\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu
const LONE_SURROGATES = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/**
 * Returns a remote text as it may be stored, at most `max` UTF-16 units: no control characters, nothing that changes the direction of the
 * text around it (docs/federation.md#html-and-text). Null if nothing is left.
 */
export function cleanText(text: string, max: number): string | null {
  const cleaned = text
    .slice(0, max * 2)
    .replace(LONE_SURROGATES, '')
    .replace(CONTROL_CHARACTERS, '')
    .slice(0, max)
    .replace(LONE_SURROGATES, '')
    .trim()
  return cleaned === '' ? null : cleaned
}

/** Returns a remote name as it may be stored: such a text on one line. */
export function cleanLine(text: string, max: number): string {
  return cleanText((cleanText(text, max * 2) ?? '').replace(/\s+/g, ' '), max) ?? ''
}
