import type { JSX } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { api } from '../api.ts'
import { displayHandle } from '../channels/actor-header.tsx'
import { t } from '../i18n/i18n.ts'
import { useTitle } from '../shell/title.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { ErrorState, EmptyState } from '../ui/feedback.tsx'
import { useQuery } from '../use-query.ts'
import { InfiniteVideoGrid } from '../videos/infinite-video-grid.tsx'
import './search.css'

/** Channels and videos by words, or what an address or a handle leads to, on whatever server it is. */
export default function SearchPage(): JSX.Element {
  const { query, route } = useLocation()
  const words = (query.search ?? '').trim()
  const [text, setText] = useState(words)
  // Before anybody can type: what they type must not be replaced by what stood there before.
  useLayoutEffect(() => setText(words), [words])
  useTitle(words ? t('search.title', { words }) : t('shell.search'))
  return (
    <div class="page">
      <h1 class="hidden-text">{t('shell.search')}</h1>
      <form
        class="search"
        role="search"
        onSubmit={event => {
          event.preventDefault()
          route(`/search?search=${encodeURIComponent(text.trim())}`)
        }}
      >
        <TextField
          label={t('search.label')}
          type="search"
          name="search"
          value={text}
          onText={setText}
          maxLength={2000}
          autoComplete="off"
        />
        <Button type="submit" look="primary" icon="search">
          {t('search.submit')}
        </Button>
      </form>
      {words && <Found key={words} words={words} />}
    </div>
  )
}

function Found({ words }: { words: string }): JSX.Element {
  const isAddress = /^https?:\/\//i.test(words)
  const isHandle = !isAddress && /^@?[^\s@]+@[^\s@]+$/.test(words)
  const channels = useQuery('GET /search/video-channels', { query: { start: 0, search: words } })
  const [videos, setVideos] = useState<number | null>(null)
  const load = async (start: number) => {
    const found = isHandle ? { total: 0, data: [] } : await api('GET /search/videos', { query: { start, search: words } })
    setVideos(found.total)
    return found
  }
  const list = channels.data?.data ?? []
  if (channels.error) return <ErrorState text={t('ui.noConnection')} onRetry={channels.reload} />
  return (
    <>
      {list.length > 0 && (
        <section>
          <h2 class="section-title">{t('search.channels')}</h2>
          <ul class="search-channels" role="list">
            {list.map(channel => (
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
      {videos !== 0 && <h2 class="section-title">{t('search.videos')}</h2>}
      {(isAddress || isHandle) && (channels.data === null || videos === null) && (
        <p class="soft" role="status">
          {t('search.fetching')}
        </p>
      )}
      <InfiniteVideoGrid
        name={`search ${words}`}
        heading="h3"
        load={load}
        empty={
          list.length > 0 || channels.data === null ? null : (
            <EmptyState icon="search" title={t('search.empty')}>
              <p>{t('search.emptyText')}</p>
            </EmptyState>
          )
        }
      />
    </>
  )
}
