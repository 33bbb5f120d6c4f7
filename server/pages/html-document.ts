import type { EarlyPlaybackManifest } from '../../shared/early-playback.ts'
import { instanceOrigin } from '../core/config.ts'
import { findClientAssets, inlineScript, pageTemplate } from './client-build.ts'
import { html, Html, jsonScript } from './html.ts'
import type { PageInstanceInfo, ServerRenderedPage } from './server-rendered-page.ts'
import { pageTextsOf, type PageLanguage } from './page-texts.ts'
import { renderAvatar } from './video-cards.ts'

type DocumentOptions = { template: 'site' | 'embed'; language: PageLanguage; theme: 'light' | 'dark' | null; instance: PageInstanceInfo }

/** Renders a page into the HTML template of the build, with its head, content and API responses. Throws where the client is not built. */
export function renderHtmlDocument(page: ServerRenderedPage, { template, language, theme, instance }: DocumentOptions): string {
  const templateHtml = pageTemplate(template)
  if (templateHtml === null) throw new Error('The client has not been built: run scripts/start or `npm run build`.')
  const data = jsonScript('application/json', 'bobine-data', {
    ...(page.mediaOrigins ? { mediaOrigins: page.mediaOrigins } : {}),
    answers: { '/api/v1/config': instance.settings, ...page.apiResponses, ...page.earlyPlayback?.texts }
  })
  const { styles, scripts } = findClientAssets(...(page.source ? [page.source] : []), `src/i18n/${language}.ts`)
  const slots: Record<string, Html> = {
    head: renderHead(page, scripts, instance),
    app: template === 'site' ? wrapInSiteLayout(page.body, instance, language) : page.body,
    data
  }
  // After the template's own styles, as the client itself would add them.
  const pageStyles = html`${template === 'site' && styles.map(file => html`<link rel="stylesheet" href="/client/${file}">`)}`
  return templateHtml
    .replace('<html lang="en">', `<html lang="${language}"${theme ? ` data-theme="${theme}"` : ''}>`)
    .replace('</head>', () => `${pageStyles.text}</head>`)
    .replace(/<!--(head|app|data)-->/g, (_, name: string) => slots[name]!.text)
}

/** Renders a page without the client's scripts, so that it stays as it is. */
export function renderHtmlDocumentWithoutScripts(page: ServerRenderedPage, options: DocumentOptions): string {
  return renderHtmlDocument(page, options).replace(/<script[^>]*>[\s\S]*?<\/script>|<link rel="modulepreload"[^>]*>/g, '')
}

/** `og:platform` names the API that programs find here: yt-dlp and others look for exactly this element. */
function renderHead(page: ServerRenderedPage, scripts: string[], { name }: PageInstanceInfo): Html {
  const title = page.title === '' ? name : `${page.title} · ${name}`
  return html`${renderFirstScripts(page.earlyPlayback?.manifest)}<title>${title}</title>
    ${page.description && html`<meta name="description" content="${page.description}">`}
    ${page.canonical === null ? html`<meta name="robots" content="noindex">` : html`<link rel="canonical" href="${instanceOrigin()}${page.canonical}">`}
    <meta property="og:platform" content="PeerTube">
    <meta property="og:site_name" content="${name}">
    <meta name="theme-color" content="#faf8f4" media="(prefers-color-scheme: light)">
    <meta name="theme-color" content="#161412" media="(prefers-color-scheme: dark)">
    ${page.head}
    ${scripts.map(file => html`<link rel="modulepreload" crossorigin href="/client/${file}">`)}
    ${page.earlyPlayback?.files.map(path => html`<link rel="preload" as="fetch" crossorigin href="${path}">`)}
    ${
      page.earlyPlayback &&
      findClientAssets(...page.earlyPlayback.sources)
        .scripts.filter(file => !scripts.includes(file))
        .map(file => html`<link rel="modulepreload" fetchpriority="low" crossorigin href="/client/${file}">`)
    }`
}

/** The first scripts, before the styles, which would block them. */
function renderFirstScripts(manifest: EarlyPlaybackManifest | null | undefined): Html {
  const manifestAttribute = manifest && html` data-film="${JSON.stringify(manifest)}"`
  return new Html(
    `${manifestAttribute ? `<script${manifestAttribute.text}>${inlineScript('early-playback')}</script>` : ''}<script>${inlineScript('head-script')}</script>`
  )
}

/** Inline as in the client: a file would be one more request. */
const LOGO = html`<svg class="mark" width="28" height="28" viewBox="0 0 32 32" aria-hidden="true"><path class="mark-film" d="M5 2.5A1.5 1.5 0 016.5 1h2A1.5 1.5 0 0110 2.5V20H5z"/><path class="mark-reel" fill-rule="evenodd" d="M16 9a11 11 0 110 22 11 11 0 010-22zm-2.5 6.2c-.7-.4-1.5.1-1.5.9v7.800c0 .8.8 1.3 1.5.9l6.800-3.900c.7-.4.7-1.400 0-1.800z"/></svg>`

/** Wraps a page in the site's header and main element, as the client draws them. */
function wrapInSiteLayout(body: Html, { name, avatars }: PageInstanceInfo, language: PageLanguage): Html {
  const mark = avatars.length > 0 ? renderAvatar({ name, displayName: name, avatars }, 's') : LOGO
  const texts = pageTextsOf(language)
  return html`<header class="bar">
      <a class="bar-home" href="/">${mark}<span class="bar-name">${name}</span></a>
      <nav class="bar-links"><a class="icon-button bar-search" href="/search" aria-label="${texts.search}"><svg class="icon" width="20" height="20" viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"><path d="M10.5 4a6.5 6.5 0 100 13 6.5 6.5 0 000-13zM15.3 15.3L20 20"/></svg></a><a class="button button-plain bar-upload" href="/login?next=%2Fupload" aria-label="${texts.upload}"><svg class="icon" width="20" height="20" viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"><path d="M12 19.5v-11M7.5 12L12 7.5 16.5 12M5 4h14"/></svg><span>${texts.upload}</span></a><a class="button button-primary" href="/login"><span>${texts.login}</span></a><span class="icon-button"></span></nav>
    </header>
    <main id="main">${body}</main>`
}
