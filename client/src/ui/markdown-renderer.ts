import MarkdownIt from 'markdown-it'

// No HTML, no pictures (they would be asked from other sites); the settings of server/pages/markdown.ts, whose result is sanitized besides.
const markdown = new MarkdownIt({ html: false, linkify: true, breaks: true }).disable(['image', 'table'])
const link = markdown.renderer.rules.link_open ?? ((tokens, index, options, _env, self) => self.renderToken(tokens, index, options))
markdown.renderer.rules.link_open = (tokens, index, options, env, self) => {
  tokens[index]!.attrSet('rel', 'nofollow noopener noreferrer')
  tokens[index]!.attrSet('target', '_blank')
  return link(tokens, index, options, env, self)
}

/** Markdown as HTML that is safe to show. */
export function renderMarkdownInBrowser(text: string): string {
  return markdown.render(text)
}
