import MarkdownIt from 'markdown-it'

// No HTML, and no images (they would be loaded from other sites); the same settings as server/core/markdown.ts, which also sanitizes the
// result.
const markdown = new MarkdownIt({ html: false, linkify: true, breaks: true }).disable(['image', 'table'])
const renderLinkOpen =
  markdown.renderer.rules.link_open ?? ((tokens, index, options, _env, self) => self.renderToken(tokens, index, options))
markdown.renderer.rules.link_open = (tokens, index, options, env, self) => {
  tokens[index]!.attrSet('rel', 'nofollow noopener noreferrer')
  tokens[index]!.attrSet('target', '_blank')
  return renderLinkOpen(tokens, index, options, env, self)
}

/** Renders Markdown to HTML that is safe to insert into a page. */
export function renderMarkdownInBrowser(text: string): string {
  return markdown.render(text)
}
