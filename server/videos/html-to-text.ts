/** Converts untrusted HTML to plain text, paragraphs to lines; null if nothing is left (docs/federation.md#html-and-text). */
export async function htmlToText(html: string): Promise<string | null> {
  // Few servers send HTML, so the module is loaded on first use.
  const { default: sanitizeHtml } = await import('sanitize-html')
  const withLineBreaks = html.replace(/<br\s*\/?>/gi, '\n').replace(/<\/(p|div|li|h[1-6])>/gi, '\n\n')
  const text = sanitizeHtml(withLineBreaks, { allowedTags: [], allowedAttributes: {}, nestingLimit: 50 }).replace(
    /&(amp|lt|gt|quot|#39|nbsp);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: ' ' })[name]!
  )
  return text.replace(/\n{3,}/g, '\n\n').trim() || null
}
