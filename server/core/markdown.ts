import MarkdownIt from 'markdown-it'
import sanitizeHtml from 'sanitize-html'

// The settings of client/src/ui/markdown-renderer.ts: what the browser renders later must look the same.
const markdown = new MarkdownIt({ html: false, linkify: true, breaks: true }).disable(['image', 'table'])

const ALLOWED: sanitizeHtml.IOptions = {
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

/** Markdown as HTML that is safe to show. */
export function markdownToHtml(text: string): string {
  return sanitizeHtml(markdown.render(text), ALLOWED)
}

/** HTML of a stranger with nothing left in it but words and what marks them. */
export function sanitizeRemoteHtml(html: string): string {
  return sanitizeHtml(html, ALLOWED).trim()
}

/** The words of a Markdown text on one line, at most `length` characters, for descriptions in a page's head. */
export function markdownToPlainText(text: string, length: number): string {
  const words = sanitizeHtml(markdown.render(text), { allowedTags: [], allowedAttributes: {} })
    .replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name]!)
    .replace(/\s+/g, ' ')
    .trim()
  return words.length <= length ? words : `${words.slice(0, length - 1).trimEnd()}…`
}
