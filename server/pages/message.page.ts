import { html } from './html.ts'
import type { Asking, Page } from './page.ts'

/** A page that only says something, with the way home. */
export function messagePage(text: string, { words }: Asking, status: number, source: string): Page {
  return {
    status, title: text, description: '', canonical: null, source,
    body: html`<div class="page"><div class="state"><h1 class="state-title">${text}</h1><div class="state-text"><a class="button button-plain" href="/"><span>${words.toHome}</span></a></div></div></div>`
  }
}

/** A page that the client writes alone: the server knows no more than its address. */
export function clientPage(source: string): Page {
  return { status: 200, title: '', description: '', canonical: null, source, body: html`<div class="page"></div>` }
}
