import { markdownHtml } from '../core/markdown.ts'
import { sanitized, type Html } from './html.ts'

/** Markdown as a piece of a page. */
export function renderMarkdown(text: string): Html {
  return sanitized(markdownHtml(text))
}
