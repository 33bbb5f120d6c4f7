import type { EarlyPlaybackManifest } from '../../shared/early-playback.ts'
import { instanceOrigin } from '../core/config.ts'
import { findClientAssets, inlineScript, pageTemplate } from './client-build.ts'
import { html, Html, jsonScript } from './html.ts'
import type { PageInstanceInfo, ServerRenderedPage } from './server-rendered-page.ts'
import { pageTextsOf, type PageLanguage } from './page-texts.ts'

type Look = { frame: 'site' | 'embed'; language: PageLanguage; theme: 'light' | 'dark' | null; instance: PageInstanceInfo }

/** The whole text of a page: head, content and first data in the frame the build wrote. Throws where the client has not been built. */
export function renderHtmlDocument(page: ServerRenderedPage, { frame, language, theme, instance }: Look): string {
  const text = pageTemplate(frame)
  if (text === null) throw new Error('The client has not been built: run scripts/start or `npm run build`.')
  const data = jsonScript('application/json', 'bobine-data', {
    answers: { '/api/v1/config': instance.settings, ...page.answers, ...page.early?.texts }
  })
  const { styles, scripts } = findClientAssets(...(page.source ? [page.source] : []), `src/i18n/${language}.ts`)
  const parts: Record<string, Html> = {
    head: headOf(page, scripts, instance),
    app: frame === 'site' ? around(page.body, instance, language) : page.body,
    data
  }
  // After the frame's own styles, as the client itself would add them.
  const late = html`${frame === 'site' && styles.map(file => html`<link rel="stylesheet" href="/client/${file}">`)}`
  return text
    .replace('<html lang="en">', `<html lang="${language}"${theme ? ` data-theme="${theme}"` : ''}>`)
    .replace('</head>', () => `${late.text}</head>`)
    .replace(/<!--(head|app|data)-->/g, (_, name: string) => parts[name]!.text)
}

/** The same without the client's scripts: what it says stays as it is. */
export function renderHtmlDocumentWithoutScripts(page: ServerRenderedPage, look: Look): string {
  return renderHtmlDocument(page, look).replace(/<script[^>]*>[\s\S]*?<\/script>|<link rel="modulepreload"[^>]*>/g, '')
}

function headOf(page: ServerRenderedPage, scripts: string[], { name }: PageInstanceInfo): Html {
  const title = page.title === '' ? name : `${page.title} · ${name}`
  return html`${begin(page.early?.first)}<title>${title}</title>
    ${page.description && html`<meta name="description" content="${page.description}">`}
    ${page.canonical === null ? html`<meta name="robots" content="noindex">` : html`<link rel="canonical" href="${instanceOrigin()}${page.canonical}">`}
    <meta property="og:site_name" content="${name}">
    <meta name="theme-color" content="#faf8f4" media="(prefers-color-scheme: light)">
    <meta name="theme-color" content="#161412" media="(prefers-color-scheme: dark)">
    ${page.head}
    ${scripts.map(file => html`<link rel="modulepreload" crossorigin href="/client/${file}">`)}
    ${page.early?.files.map(path => html`<link rel="preload" as="fetch" crossorigin href="${path}">`)}
    ${
      page.early &&
      findClientAssets(...page.early.sources)
        .scripts.filter(file => !scripts.includes(file))
        .map(file => html`<link rel="modulepreload" fetchpriority="low" crossorigin href="/client/${file}">`)
    }`
}

/** The first scripts, before the styles: they would wait for them. */
function begin(first: EarlyPlaybackManifest | null | undefined): Html {
  const film = first && html` data-film="${JSON.stringify(first)}"`
  return new Html(
    `${film ? `<script${film.text}>${inlineScript('early-playback')}</script>` : ''}<script>${inlineScript('head-script')}</script>`
  )
}

/** As the client draws it: a file would be one more thing to wait for. */
const MARK = html`<svg class="mark" width="28" height="28" viewBox="0 0 32 32" aria-hidden="true"><path class="mark-film" d="M5 2.5A1.5 1.5 0 016.5 1h2A1.5 1.5 0 0110 2.5V20H5z"/><path class="mark-reel" fill-rule="evenodd" d="M16 9a11 11 0 110 22 11 11 0 010-22zm-2.5 6.2c-.7-.4-1.5.1-1.5.9v7.800c0 .8.8 1.3 1.5.9l6.800-3.900c.7-.4.7-1.400 0-1.800z"/></svg>`

/** The bar over a page and its content, as the client draws them. */
function around(body: Html, { name }: PageInstanceInfo, language: PageLanguage): Html {
  const words = pageTextsOf(language)
  return html`<header class="bar">
      <a class="bar-home" href="/">${MARK}<span class="bar-name">${name}</span></a>
      <nav class="bar-links"><a class="icon-button bar-search" href="/search" aria-label="${words.search}"><svg class="icon" width="20" height="20" viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"><path d="M10.5 4a6.5 6.5 0 100 13 6.5 6.5 0 000-13zM15.3 15.3L20 20"/></svg></a><a class="button button-plain bar-upload" href="/login?next=%2Fupload" aria-label="${words.upload}"><svg class="icon" width="20" height="20" viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"><path d="M12 19.5v-11M7.5 12L12 7.5 16.5 12M5 4h14"/></svg><span>${words.upload}</span></a><a class="button button-primary" href="/login"><span>${words.login}</span></a><span class="icon-button"></span></nav>
    </header>
    <main id="main">${body}</main>`
}
