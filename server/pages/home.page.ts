import { listVideos } from '../videos/videos.query.ts'
import { renderVideoGrid } from './video-cards.ts'
import { html, type Html } from './html.ts'
import type { PageContext, ServerRenderedPage } from './server-rendered-page.ts'
import type { PageTexts } from './page-texts.ts'

const HOME_LISTS = {
  recent: { path: '/', filters: { sort: '-publishedAt' }, apiQuery: 'sort=-publishedAt' },
  trending: { path: '/?sort=trending', filters: { sort: '-trending' }, apiQuery: 'sort=-trending' },
  local: { path: '/?sort=local', filters: { sort: '-publishedAt', isLocal: true }, apiQuery: 'sort=-publishedAt&isLocal=true' }
} as const

/** A list of the home page. */
export type HomeList = keyof typeof HOME_LISTS

/** Parses the query parameter `sort`; unknown values mean the newest videos. */
export function parseHomeList(sort: unknown): HomeList {
  return sort === 'trending' || sort === 'local' ? sort : 'recent'
}

/** Renders the home page with a list of videos: newest, trending or local. */
export async function homePage(list: HomeList, { language, texts, instance }: PageContext): Promise<ServerRenderedPage> {
  const { path, filters, apiQuery } = HOME_LISTS[list]
  const videos = await listVideos({ start: 0, ...filters }, null, { followedOnly: 'for everybody' })
  return {
    status: 200,
    title: list === 'recent' ? '' : texts.lists[list],
    description: instance.shortDescription,
    canonical: path,
    source: 'src/videos/home.page.tsx',
    head: html`<meta property="og:type" content="website"><meta property="og:title" content="${instance.name}"><meta property="og:description" content="${instance.shortDescription}">`,
    body: html`<div class="page home">
      <h1 class="hidden-text">${texts.home}</h1>
      ${renderTabs(list, texts)}
      ${videos.data.length > 0 ? renderVideoGrid(videos.data, language) : html`<p>${texts.homeEmpty}</p>`}
    </div>`,
    apiResponses: { [`/api/v1/videos?start=0&${apiQuery}`]: videos }
  }
}

function renderTabs(current: HomeList, texts: PageTexts): Html {
  const names = Object.keys(HOME_LISTS) as HomeList[]
  return html`<nav class="tabs home-tabs" aria-label="${texts.homeLists}">${names.map(name => html`<a class="tab" href="${HOME_LISTS[name].path}" ${name === current && html`aria-current="page"`}>${texts.lists[name]}</a>`)}</nav>`
}
