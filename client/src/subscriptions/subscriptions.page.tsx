import type { JSX } from 'preact'
import { api } from '../api.ts'
import { displayHandle } from '../actors/actor-header.tsx'
import { t } from '../i18n/i18n.ts'
import { RequireLogin } from '../page/require-login.tsx'
import { useTitle } from '../page/title.ts'
import { Avatar } from '../ui/avatar.tsx'
import { EmptyState } from '../ui/feedback.tsx'
import { useQuery } from '../use-query.ts'
import { InfiniteVideoGrid } from '../videos/infinite-video-grid.tsx'

/** The number of channels shown above the videos. */
const MAX_CHANNELS = 100

/** The subscribed channels of the logged-in user, and their newest videos. */
export default function SubscriptionsPage(): JSX.Element {
  return (
    <RequireLogin>
      <Subscriptions />
    </RequireLogin>
  )
}

function Subscriptions(): JSX.Element {
  useTitle(t('subscriptions.title'))
  const { data: channels } = useQuery('GET /users/me/subscriptions', { query: { count: MAX_CHANNELS } })
  return (
    <div class="page">
      <h1 class="home-title">{t('subscriptions.title')}</h1>
      {channels && channels.data.length > 0 && (
        <ul class="channel-list" role="list">
          {channels.data.map(channel => (
            <li key={channel.id}>
              <a class="channel-card" href={`/c/${displayHandle(channel)}`}>
                <Avatar of={channel} />
                <span>{channel.displayName}</span>
              </a>
            </li>
          ))}
        </ul>
      )}
      <h2 class="section-title">{t('channel.videos')}</h2>
      <InfiniteVideoGrid
        name="subscriptions"
        heading="h3"
        load={async start => await api('GET /users/me/subscriptions/videos', { query: { start, sort: '-publishedAt' } })}
        empty={
          <EmptyState icon="film" title={t('subscriptions.empty')}>
            <p>{t('subscriptions.emptyText')}</p>
          </EmptyState>
        }
      />
    </div>
  )
}
