import type { JSX } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { api, apiUrl, type ApiCallOptions } from '../api.ts'
import { isLoggedIn } from '../credentials.ts'
import { consumeInitialResponse } from '../initial-data.ts'
import type { TextKey } from '../i18n/catalogue.ts'
import { t } from '../i18n/i18n.ts'
import { restoreScrollPosition } from '../shell/scroll-restoration.ts'
import { useTitle } from '../shell/title.ts'
import { ButtonLink } from '../ui/button.tsx'
import { EmptyState } from '../ui/feedback.tsx'
import { LinkTabs } from '../ui/tabs.tsx'
import { InfiniteVideoGrid } from './infinite-video-grid.tsx'
import './home.css'

type Page = Awaited<ReturnType<typeof load>>
type Filters = NonNullable<ApiCallOptions<'GET /videos'>['query']>
type List = keyof typeof LISTS

const LISTS = {
  recent: { path: '/', name: 'home.recent', filters: { sort: '-publishedAt' } },
  trending: { path: '/?sort=trending', name: 'home.trending', filters: { sort: '-trending' } },
  local: { path: '/?sort=local', name: 'home.local', filters: { sort: '-publishedAt', isLocal: true } }
} satisfies Record<string, { path: string; name: TextKey; filters: Filters }>

/** Videos of everybody: the newest ones, those that are watched now, or those from here. */
export default function Home(): JSX.Element {
  const {
    query: { sort }
  } = useLocation()
  const list: List = sort === 'trending' || sort === 'local' ? sort : 'recent'
  const { path, name } = LISTS[list]
  useTitle(list === 'recent' ? '' : t(name))
  return (
    <div class="page home">
      <h1 class="hidden-text">{t('home.title')}</h1>
      <LinkTabs
        class="home-tabs"
        label={t('home.lists')}
        chosen={path}
        tabs={Object.values(LISTS).map(({ path, name }) => [path, t(name)])}
      />
      <Videos key={list} list={list} />
    </div>
  )
}

function Videos({ list }: { list: List }): JSX.Element {
  const [first] = useState(() => consumeInitialResponse(apiUrl('GET /videos', question(list, 0))) as Page | undefined)
  // The router restores places only where the path changes.
  useLayoutEffect(restoreScrollPosition, [])
  return (
    <InfiniteVideoGrid
      name={`home ${list}`}
      heading="h2"
      load={async start => await load(list, start)}
      first={first}
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

async function load(list: List, start: number) {
  return await api('GET /videos', question(list, start))
}

function question(list: List, start: number) {
  return { query: { start, ...(LISTS[list].filters as Filters) } }
}
