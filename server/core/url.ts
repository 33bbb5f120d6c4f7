/**
 * Parses a URL (WHATWG URL standard); null for an invalid one.
 * Without URL.canParse: once it is compiled, that of Node 20 mistakes Latin-1 letters (bücher.example) for broken UTF-8.
 */
export function parseUrl(text: string, base?: string): URL | null {
  try {
    return new URL(text, base)
  } catch {
    return null
  }
}
