import { listChannels } from '../channels/channels.query.ts'
import { paging } from '../core/paging.ts'
import { listVideos } from '../videos/videos.query.ts'
import { renderAvatar, channelPagePath, renderVideoGrid } from './video-cards.ts'
import { html, type Html } from './html.ts'
import type { PageContext, ServerRenderedPage } from './server-rendered-page.ts'

const LONGEST = 200

/** The words of a search's address. */
export function parseSearchText(value: unknown): string {
  return typeof value === 'string' ? value.trim().slice(0, LONGEST) : ''
}

/** What is known here by some words. Addresses and handles lead to other servers: those the client looks up. */
export async function searchPage(words: string, { language, words: say }: PageContext): Promise<ServerRenderedPage> {
  const form = html`<form class="search" role="search" action="/search">
      <div class="field"><label class="field-label" for="search-words">${say.searchLabel}</label><input class="input" id="search-words" type="search" name="search" value="${words}" maxlength="2000" autocomplete="off"></div>
      <button class="button button-primary" type="submit"><span>${say.search}</span></button>
    </form>`
  const page = (found: Html | null, answers?: ServerRenderedPage['answers']): ServerRenderedPage => ({
    status: 200,
    title: words ? `${say.search}: ${words}` : say.search,
    description: '',
    canonical: null,
    source: 'src/search/search.page.tsx',
    answers,
    body: html`<div class="page"><h1 class="hidden-text">${say.search}</h1>${form}${found}</div>`
  })
  if (words === '') return page(null)
  if (/^https?:\/\//i.test(words) || /^@?[^\s@]+@[^\s@]+$/.test(words))
    return page(html`<noscript><p class="soft">${say.searchElsewhere}</p></noscript>`)
  const [channels, videos] = await Promise.all([
    listChannels({ ...paging({}), sort: '-createdAt', search: words.replace(/^@/, '') }),
    listVideos({ start: 0, sort: '-publishedAt', search: words }, null)
  ])
  const { length } = channels.data
  const query = new URLSearchParams({ start: '0', search: words })
  return page(
    html`
    ${
      length > 0 &&
      html`<section><h2 class="section-title">${say.channels}</h2><ul class="search-channels" role="list">${channels.data.map(
        channel => html`<li>
      <a class="search-channel" href="${channelPagePath(channel, channel.isLocal)}">${renderAvatar(channel)}<span><strong>${channel.displayName}</strong></span></a></li>`
      )}</ul></section>`
    }
    ${videos.data.length > 0 && html`<h2 class="section-title">${say.videos}</h2>${renderVideoGrid(videos.data, language, { heading: 'h3' })}`}
    ${length + videos.data.length === 0 && html`<div class="state"><h2 class="state-title">${say.searchEmpty}</h2></div>`}`,
    { [`/api/v1/search/video-channels?${query}`]: channels, [`/api/v1/search/videos?${query}`]: videos }
  )
}
