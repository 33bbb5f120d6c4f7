import MarkdownIt from 'markdown-it'
import sanitizeHtml from 'sanitize-html'

// The same settings as client/src/ui/markdown-renderer.ts: what the browser renders later must look the same.
const markdown = new MarkdownIt({ html: false, linkify: true, breaks: true }).disable(['image', 'table'])

const SANITIZE_OPTIONS: sanitizeHtml.IOptions = {
  allowedTags: [
    'p',
    'br',
    'strong',
    'em',
    's',
    'a',
    'ul',
    'ol',
    'li',
    'blockquote',
    'code',
    'pre',
    'hr',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6'
  ],
  allowedAttributes: { a: ['href', 'rel', 'target'], ol: ['start'] },
  allowedSchemes: ['http', 'https', 'mailto'],
  nestingLimit: 50,
  transformTags: {
    a: (_name, attributes) => ({
      tagName: 'a',
      attribs: { href: attributes.href ?? '', rel: 'nofollow noopener noreferrer', target: '_blank' }
    })
  }
}

/** Renders Markdown to sanitized HTML. */
export function markdownToHtml(text: string): string {
  return sanitizeHtml(markdown.render(text), SANITIZE_OPTIONS)
}

/** Sanitizes HTML of another server: only text and text formatting are kept. */
export function sanitizeRemoteHtml(html: string): string {
  return sanitizeHtml(html, SANITIZE_OPTIONS).trim()
}

/** Returns the text of Markdown on one line, at most `length` characters, for descriptions in the head of a page. */
export function markdownToPlainText(text: string, length: number): string {
  const plainText = sanitizeHtml(markdown.render(text), { allowedTags: [], allowedAttributes: {} })
    .replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name]!)
    .replace(/\s+/g, ' ')
    .trim()
  return plainText.length <= length ? plainText : `${plainText.slice(0, length - 1).trimEnd()}…`
}
