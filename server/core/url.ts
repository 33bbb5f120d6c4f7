/**
 * An address as the WHATWG URL standard reads it; null for what is none.
 * Not by way of URL.canParse: once it is compiled, Node 20's takes Latin-1 letters (bücher.example) for broken UTF-8.
 */
export function parseUrl(text: string, base?: string): URL | null {
  try {
    return new URL(text, base)
  } catch {
    return null
  }
}
