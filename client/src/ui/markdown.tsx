import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { serverRenderedMarkdown } from '../initial-data.ts'

/**
 * A Markdown text. What the server wrote for it is used as it stands; else the renderer is loaded, and the plain text stands in meanwhile.
 */
export function Markdown({ text, id }: { text: string; id: string }): JSX.Element {
  const [html, setHtml] = useState<{ text: string; html: string } | null>(() => {
    const written = serverRenderedMarkdown(id)
    return written === undefined ? null : { text, html: written }
  })
  useEffect(() => {
    if (html?.text === text) return
    let current = true
    const render = async () => {
      const renderer = await import('./markdown-renderer.ts').catch(() => null)
      if (current && renderer) setHtml({ text, html: renderer.renderMarkdownInBrowser(text) })
    }
    void render()
    return () => {
      current = false
    }
  }, [text])
  if (html?.text !== text) return <div class="prose prose-plain">{text}</div>
  return <div class="prose" dangerouslySetInnerHTML={{ __html: html.html }} />
}

/** HTML as the server has sanitised it; nothing else may come here. */
export function SanitizedHtml({ html }: { html: string }): JSX.Element {
  return <div class="prose" dangerouslySetInnerHTML={{ __html: html }} />
}
