import { markdownToHtml } from '../core/markdown.ts'
import { sanitizedHtml, type Html } from './html.ts'

/** Renders Markdown as HTML for a page. */
export function markdownToSafeHtml(text: string): Html {
  return sanitizedHtml(markdownToHtml(text))
}
