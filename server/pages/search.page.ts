import { parseHandle } from '../actors/handle.ts'
import { listChannels } from '../channels/channels.query.ts'
import { paging } from '../core/paging.ts'
import { listVideos } from '../videos/videos.query.ts'
import { renderAvatar, channelPagePath, renderVideoGrid } from './video-cards.ts'
import { html, type Html } from './html.ts'
import type { PageContext, ServerRenderedPage } from './server-rendered-page.ts'

const MAX_SEARCH_LENGTH = 200

/** Parses the query parameter `search`: trimmed and cut to the maximum length. */
export function parseSearchText(value: unknown): string {
  return typeof value === 'string' ? value.trim().slice(0, MAX_SEARCH_LENGTH) : ''
}

/** Renders known channels and videos that match; URLs and handles may lead to other servers and are resolved by the client. */
export async function searchPage(searchText: string, { language, texts }: PageContext): Promise<ServerRenderedPage> {
  const form = html`<form class="search" role="search" action="/search">
      <div class="field"><label class="field-label" for="search-words">${texts.searchLabel}</label><input class="input" id="search-words" type="search" name="search" value="${searchText}" maxlength="2000" autocomplete="off"></div>
      <button class="button button-primary" type="submit"><span>${texts.search}</span></button>
    </form>`
  const buildPage = (results: Html | null, apiResponses?: ServerRenderedPage['apiResponses']): ServerRenderedPage => ({
    status: 200,
    title: searchText ? `${texts.search}: ${searchText}` : texts.search,
    description: '',
    canonical: null,
    source: 'src/search/search.page.tsx',
    apiResponses,
    body: html`<div class="page"><h1 class="hidden-text">${texts.search}</h1>${form}${results}</div>`
  })
  if (searchText === '') return buildPage(null)
  if (/^https?:\/\//i.test(searchText) || parseHandle(searchText) !== null)
    return buildPage(html`<noscript><p class="soft">${texts.searchElsewhere}</p></noscript>`)
  const [channels, videos] = await Promise.all([
    listChannels({ ...paging({}), sort: '-createdAt', search: searchText.replace(/^@/, '') }),
    listVideos({ start: 0, sort: '-publishedAt', search: searchText }, null, { followedOnly: 'for visitors' })
  ])
  const { length } = channels.data
  const query = new URLSearchParams({ start: '0', search: searchText })
  return buildPage(
    html`
    ${
      length > 0 &&
      html`<section><h2 class="section-title">${texts.channels}</h2><ul class="search-channels" role="list">${channels.data.map(
        channel => html`<li>
      <a class="search-channel" href="${channelPagePath(channel, channel.isLocal)}">${renderAvatar(channel)}<span><strong>${channel.displayName}</strong></span></a></li>`
      )}</ul></section>`
    }
    ${videos.data.length > 0 && html`<h2 class="section-title">${texts.videos}</h2>${renderVideoGrid(videos.data, language, { heading: 'h3' })}`}
    ${length + videos.data.length === 0 && html`<div class="state"><h2 class="state-title">${texts.searchEmpty}</h2></div>`}`,
    { [`/api/v1/search/video-channels?${query}`]: channels, [`/api/v1/search/videos?${query}`]: videos }
  )
}
