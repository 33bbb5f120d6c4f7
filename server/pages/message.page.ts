import { html } from './html.ts'
import type { PageContext, ServerRenderedPage } from './server-rendered-page.ts'

/** A page that only says something, with the way home. */
export function messagePage(text: string, { words }: PageContext, status: number, source: string): ServerRenderedPage {
  return {
    status,
    title: text,
    description: '',
    canonical: null,
    source,
    body: html`<div class="page"><div class="state"><h1 class="state-title">${text}</h1><div class="state-text"><a class="button button-plain" href="/"><span>${words.toHome}</span></a></div></div></div>`
  }
}

/** What stands in for every page while there is no network; the link asks for the same address again. */
export function offlinePage({ words }: PageContext): ServerRenderedPage {
  return {
    status: 200,
    title: words.offline,
    description: '',
    canonical: null,
    body: html`<div class="page"><div class="state"><h1 class="state-title">${words.offline}</h1><div class="state-text"><p>${words.offlineText}</p><a class="button button-primary" href=""><span>${words.retry}</span></a></div></div></div>`
  }
}

/** A page that the client writes alone: the server knows no more than its address. */
export function clientRenderedPage(source: string, { words }: PageContext): ServerRenderedPage {
  return {
    status: 200,
    title: '',
    description: '',
    canonical: null,
    source,
    body: html`<div class="page"><noscript><p class="state">${words.noScript}</p></noscript></div>`
  }
}
