import type { JSX } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { api, apiUrl, type ApiCallOptions } from '../api.ts'
import { isLoggedIn } from '../credentials.ts'
import { consumeInitialResponse } from '../initial-data.ts'
import type { TextKey } from '../i18n/catalogue.ts'
import { t } from '../i18n/i18n.ts'
import { restoreScrollPosition } from '../page/scroll-restoration.ts'
import { useTitle } from '../page/title.ts'
import { ButtonLink } from '../ui/button.tsx'
import { EmptyState } from '../ui/feedback.tsx'
import { LinkTabs } from '../ui/tabs.tsx'
import { InfiniteVideoGrid } from './infinite-video-grid.tsx'
import './home.css'

type VideoPage = Awaited<ReturnType<typeof loadVideos>>
type Filters = NonNullable<ApiCallOptions<'GET /videos'>['query']>
type HomeList = keyof typeof HOME_LISTS

const HOME_LISTS = {
  recent: { path: '/', name: 'home.recent', filters: { sort: '-publishedAt' } },
  trending: { path: '/?sort=trending', name: 'home.trending', filters: { sort: '-trending' } },
  local: { path: '/?sort=local', name: 'home.local', filters: { sort: '-publishedAt', isLocal: true } }
} satisfies Record<string, { path: string; name: TextKey; filters: Filters }>

/** The home page: the newest, the trending or the local videos. */
export default function HomePage(): JSX.Element {
  const {
    query: { sort }
  } = useLocation()
  const list: HomeList = sort === 'trending' || sort === 'local' ? sort : 'recent'
  const { path, name } = HOME_LISTS[list]
  useTitle(list === 'recent' ? '' : t(name))
  return (
    <div class="page home">
      <h1 class="hidden-text">{t('home.title')}</h1>
      <LinkTabs
        class="home-tabs"
        label={t('home.lists')}
        chosen={path}
        tabs={Object.values(HOME_LISTS).map(({ path, name }) => [path, t(name)])}
      />
      <HomeVideoGrid key={list} list={list} />
    </div>
  )
}

function HomeVideoGrid({ list }: { list: HomeList }): JSX.Element {
  const [firstPage] = useState(() => consumeInitialResponse(apiUrl('GET /videos', videosRequest(list, 0))) as VideoPage | undefined)
  // The scroll position is restored on changes of the path only; these lists differ in the query.
  useLayoutEffect(restoreScrollPosition, [])
  return (
    <InfiniteVideoGrid
      name={`home ${list}`}
      heading="h2"
      load={async start => await loadVideos(list, start)}
      firstPage={firstPage}
      empty={
        <EmptyState icon="film" title={t('home.empty')}>
          <p>{t('home.emptyText')}</p>
          <ButtonLink look="primary" icon="upload" href={isLoggedIn.value ? '/upload' : '/login?next=%2Fupload'}>
            {t('home.emptyAction')}
          </ButtonLink>
        </EmptyState>
      }
    />
  )
}

async function loadVideos(list: HomeList, start: number) {
  return await api('GET /videos', videosRequest(list, start))
}

function videosRequest(list: HomeList, start: number) {
  return { query: { start, ...(HOME_LISTS[list].filters as Filters) } }
}
