import { listVideos } from '../videos/videos.query.ts'
import { renderVideoGrid } from './video-cards.ts'
import { html, type Html } from './html.ts'
import type { PageContext, ServerRenderedPage } from './server-rendered-page.ts'
import type { PageTexts } from './page-texts.ts'

const LISTS = {
  recent: { path: '/', filters: { sort: '-publishedAt' }, answer: 'sort=-publishedAt' },
  trending: { path: '/?sort=trending', filters: { sort: '-trending' }, answer: 'sort=-trending' },
  local: { path: '/?sort=local', filters: { sort: '-publishedAt', isLocal: true }, answer: 'sort=-publishedAt&isLocal=true' }
} as const

/** A list of the home page. */
export type HomeList = keyof typeof LISTS

/** The list that the query of an address asks for; the newest videos where it says nothing we know. */
export function parseHomeList(sort: unknown): HomeList {
  return sort === 'trending' || sort === 'local' ? sort : 'recent'
}

/** Videos of everybody: the newest ones, those that are watched now, or those from here. */
export async function homePage(list: HomeList, { language, words, instance }: PageContext): Promise<ServerRenderedPage> {
  const { path, filters, answer } = LISTS[list]
  const videos = await listVideos({ start: 0, ...filters }, null)
  return {
    status: 200,
    title: list === 'recent' ? '' : words.lists[list],
    description: instance.shortDescription,
    canonical: path,
    source: 'src/videos/home.page.tsx',
    head: html`<meta property="og:type" content="website"><meta property="og:title" content="${instance.name}"><meta property="og:description" content="${instance.shortDescription}">`,
    body: html`<div class="page home">
      <h1 class="hidden-text">${words.home}</h1>
      ${tabs(list, words)}
      ${videos.data.length > 0 ? renderVideoGrid(videos.data, language) : html`<p>${words.homeEmpty}</p>`}
    </div>`,
    answers: { [`/api/v1/videos?start=0&${answer}`]: videos }
  }
}

function tabs(chosen: HomeList, words: PageTexts): Html {
  const names = Object.keys(LISTS) as HomeList[]
  return html`<nav class="tabs home-tabs" aria-label="${words.homeLists}">${names.map(name => html`<a class="tab" href="${LISTS[name].path}" ${name === chosen && html`aria-current="page"`}>${words.lists[name]}</a>`)}</nav>`
}
