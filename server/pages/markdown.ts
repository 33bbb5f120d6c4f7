import { markdownToHtml } from '../core/markdown.ts'
import { sanitizedHtml, type Html } from './html.ts'

/** Markdown as a piece of a page. */
export function markdownToSafeHtml(text: string): Html {
  return sanitizedHtml(markdownToHtml(text))
}
