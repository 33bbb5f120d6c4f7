import type { JSX } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import type { SearchRefusal } from '../../../shared/search.ts'
import { api } from '../api.ts'
import { displayHandle } from '../actors/actor-header.tsx'
import type { TextKey } from '../i18n/catalogue.ts'
import { t } from '../i18n/i18n.ts'
import { useTitle } from '../page/title.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { ErrorState, EmptyState } from '../ui/feedback.tsx'
import { useQuery } from '../use-query.ts'
import { InfiniteVideoGrid } from '../videos/infinite-video-grid.tsx'
import './search.css'

const REFUSAL_TEXTS: Record<SearchRefusal, TextKey> = {
  forbidden: 'searchRefusal.forbidden',
  invalid: 'searchRefusal.invalid',
  no_media: 'searchRefusal.noMedia',
  not_a_video: 'searchRefusal.notAVideo',
  not_allowed: 'searchRefusal.notAllowed',
  not_found: 'searchRefusal.notFound',
  not_public: 'searchRefusal.notPublic',
  reply: 'searchRefusal.reply',
  unreachable: 'searchRefusal.unreachable'
}

/** The search for channels and videos by text, or for the object of a URL or handle on any server. */
export default function SearchPage(): JSX.Element {
  const { query, route } = useLocation()
  const searchText = (query.search ?? '').trim()
  const [inputText, setInputText] = useState(searchText)
  // A layout effect, so that it cannot overwrite what is typed after the page is shown.
  useLayoutEffect(() => setInputText(searchText), [searchText])
  useTitle(searchText ? t('search.title', { words: searchText }) : t('app.search'))
  return (
    <div class="page">
      <h1 class="hidden-text">{t('app.search')}</h1>
      <form
        class="search"
        role="search"
        onSubmit={event => {
          event.preventDefault()
          route(`/search?search=${encodeURIComponent(inputText.trim())}`)
        }}
      >
        <TextField
          label={t('search.label')}
          type="search"
          name="search"
          value={inputText}
          onText={setInputText}
          maxLength={2000}
          autoComplete="off"
        />
        <Button type="submit" look="primary" icon="search">
          {t('search.submit')}
        </Button>
      </form>
      {searchText && <SearchResults key={searchText} searchText={searchText} />}
    </div>
  )
}

function SearchResults({ searchText }: { searchText: string }): JSX.Element {
  const isAddress = /^https?:\/\//i.test(searchText)
  const isHandle = !isAddress && /^(?:acct:@?|[@!])?[^\s@]+@[^\s@]+$/i.test(searchText)
  const channels = useQuery('GET /search/video-channels', { query: { start: 0, search: searchText } })
  const [videoCount, setVideoCount] = useState<number | null>(null)
  const [refusal, setRefusal] = useState<SearchRefusal | null>(null)
  const loadVideos = async (start: number) => {
    if (isHandle) {
      setVideoCount(0)
      return { total: 0, data: [] }
    }
    const page = await api('GET /search/videos', { query: { start, search: searchText } })
    setVideoCount(page.total ?? null)
    setRefusal(page.refusal ?? null)
    return page
  }
  const foundChannels = channels.data?.data ?? []
  if (channels.error) return <ErrorState text={t('ui.noConnection')} onRetry={channels.reload} />
  return (
    <>
      {foundChannels.length > 0 && (
        <section>
          <h2 class="section-title">{t('search.channels')}</h2>
          <ul class="search-channels" role="list">
            {foundChannels.map(channel => (
              <li key={channel.id}>
                <a class="search-channel" href={`/c/${displayHandle(channel)}`}>
                  <Avatar of={channel} size="m" />
                  <span>
                    <strong>{channel.displayName}</strong>
                    <span class="soft small">@{displayHandle(channel)}</span>
                  </span>
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
      {videoCount !== 0 && <h2 class="section-title">{t('search.videos')}</h2>}
      {(isAddress || isHandle) && (channels.data === null || videoCount === null) && (
        <p class="soft" role="status">
          {t('search.fetching')}
        </p>
      )}
      <InfiniteVideoGrid
        name={`search ${searchText}`}
        heading="h3"
        load={loadVideos}
        empty={
          foundChannels.length > 0 || channels.data === null ? null : (
            <EmptyState icon="search" title={t('search.empty')}>
              <p>{t(refusal ? REFUSAL_TEXTS[refusal] : 'search.emptyText')}</p>
            </EmptyState>
          )
        }
      />
    </>
  )
}
