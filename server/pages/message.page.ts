import { html } from './html.ts'
import type { PageContext, ServerRenderedPage } from './server-rendered-page.ts'

/** Renders a page with a message and a link to the home page. */
export function messagePage(text: string, { texts }: PageContext, status: number, source: string): ServerRenderedPage {
  return {
    status,
    title: text,
    description: '',
    canonical: null,
    source,
    body: html`<div class="page"><div class="state"><h1 class="state-title">${text}</h1><div class="state-text"><a class="button button-plain" href="/"><span>${texts.toHome}</span></a></div></div></div>`
  }
}

/** Renders the page that the service worker shows while offline; its link reloads the same URL. */
export function offlinePage({ texts }: PageContext): ServerRenderedPage {
  return {
    status: 200,
    title: texts.offline,
    description: '',
    canonical: null,
    body: html`<div class="page"><div class="state"><h1 class="state-title">${texts.offline}</h1><div class="state-text"><p>${texts.offlineText}</p><a class="button button-primary" href=""><span>${texts.retry}</span></a></div></div></div>`
  }
}

/** Renders a page whose content only the client can produce. */
export function clientRenderedPage(source: string, { texts }: PageContext): ServerRenderedPage {
  return {
    status: 200,
    title: '',
    description: '',
    canonical: null,
    source,
    body: html`<div class="page"><noscript><p class="state">${texts.noScript}</p></noscript></div>`
  }
}
