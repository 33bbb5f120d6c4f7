/** The words of a stranger's HTML, paragraphs as lines; what is shown is made of them anew (docs/federation.md#html-and-text). */
export async function htmlToText(html: string): Promise<string | null> {
  // Few servers write HTML, so this comes in with the first that does.
  const { default: sanitizeHtml } = await import('sanitize-html')
  const marked = html.replace(/<br\s*\/?>/gi, '\n').replace(/<\/(p|div|li|h[1-6])>/gi, '\n\n')
  const text = sanitizeHtml(marked, { allowedTags: [], allowedAttributes: {}, nestingLimit: 50 }).replace(
    /&(amp|lt|gt|quot|#39|nbsp);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: ' ' })[name]!
  )
  return text.replace(/\n{3,}/g, '\n\n').trim() || null
}
