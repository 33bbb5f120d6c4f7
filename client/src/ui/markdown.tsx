import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { serverRenderedMarkdown } from '../initial-data.ts'

/**
 * A Markdown text. Uses the HTML that the server rendered for `id` where the page has it; else loads the renderer and shows the plain text
 * meanwhile.
 */
export function Markdown({ text, id }: { text: string; id: string }): JSX.Element {
  const [rendered, setRendered] = useState<{ text: string; html: string } | null>(() => {
    const serverHtml = serverRenderedMarkdown(id)
    return serverHtml === undefined ? null : { text, html: serverHtml }
  })
  useEffect(() => {
    if (rendered?.text === text) return
    let current = true
    const render = async () => {
      const renderer = await import('./markdown-renderer.ts').catch(() => null)
      if (current && renderer) setRendered({ text, html: renderer.renderMarkdownInBrowser(text) })
    }
    void render()
    return () => {
      current = false
    }
  }, [text])
  if (rendered?.text !== text) return <div class="prose prose-plain">{text}</div>
  return <div class="prose" dangerouslySetInnerHTML={{ __html: rendered.html }} />
}

/** HTML that the server has sanitized; it must not be used for any other HTML. */
export function SanitizedHtml({ html }: { html: string }): JSX.Element {
  return <div class="prose" dangerouslySetInnerHTML={{ __html: html }} />
}
