import { listVideos } from '../videos/videos.query.ts'
import { videoGrid } from './cards.ts'
import { html } from './html.ts'
import type { Asking, Page } from './page.ts'

/** The newest videos. */
export async function homePage({ language, words, instance }: Asking): Promise<Page> {
  const videos = await listVideos({ start: 0, sort: '-publishedAt' }, null)
  return {
    status: 200, title: '', description: instance.shortDescription, canonical: '/', source: 'src/videos/home.page.tsx',
    head: html`<meta property="og:type" content="website"><meta property="og:title" content="${instance.name}"><meta property="og:description" content="${instance.shortDescription}">`,
    body: html`<div class="page"><h1 class="home-title">${words.home}</h1>${videos.data.length > 0 ? videoGrid(videos.data, language) : html`<p>${words.homeEmpty}</p>`}</div>`,
    answers: { '/api/v1/videos?start=0&sort=-publishedAt': videos }
  }
}
