import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useRoute } from 'preact-iso'
import { apiUrl, api, type ApiResponse } from '../api.ts'
import { isNotFoundError } from '../api-error.ts'
import { displayHandle, ActorHeader } from '../actors/actor-header.tsx'
import { consumeInitialResponse } from '../initial-data.ts'
import { t } from '../i18n/i18n.ts'
import { ReportForm } from '../reports/report-form.tsx'
import { currentUser } from '../session.ts'
import { useTitle } from '../page/title.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button, ButtonLink } from '../ui/button.tsx'
import { ErrorState, EmptyState } from '../ui/feedback.tsx'
import { useQuery } from '../use-query.ts'
import { InfiniteVideoGrid } from '../videos/infinite-video-grid.tsx'

type VideoListResponse = ApiResponse<'GET /accounts/:name/videos'>

/** The page of an account: its channels and its videos. */
export default function AccountPage(): JSX.Element {
  const {
    params: { name = '' }
  } = useRoute()
  const { data: account, error, reload } = useQuery('GET /accounts/:name', { params: { name } })
  const { data: channels } = useQuery('GET /accounts/:name/video-channels', account ? { params: { name }, query: {} } : null)
  const videosRequest = (start: number) => ({ params: { name }, query: { start, sort: '-publishedAt' as const } })
  const [firstPage] = useState(
    () => consumeInitialResponse(apiUrl('GET /accounts/:name/videos', videosRequest(0))) as VideoListResponse | undefined
  )
  const [reporting, setReporting] = useState(false)
  useTitle(account?.displayName ?? (error ? t('account.missing') : null))
  if (isNotFoundError(error))
    return (
      <div class="page">
        <EmptyState heading="h1" icon="user" title={t('account.missing')}>
          <ButtonLink href="/">{t('ui.toHome')}</ButtonLink>
        </EmptyState>
      </div>
    )
  if (error)
    return (
      <div class="page">
        <ErrorState text={t('ui.noConnection')} onRetry={reload} />
      </div>
    )
  if (!account) return <div class="page" aria-busy="true" />
  return (
    <div class="page">
      <ActorHeader actor={account} handle={`@${displayHandle(account)}`}>
        {currentUser.value !== null && currentUser.value.account.id !== account.id && (
          <div>
            <Button icon="alert" onClick={() => setReporting(true)}>
              {t('reports.open')}
            </Button>
          </div>
        )}
      </ActorHeader>
      {reporting && (
        <ReportForm
          subject={{ kind: 'account', id: account.id, name: account.displayName }}
          host={account.host}
          onClose={() => setReporting(false)}
        />
      )}
      {channels && channels.data.length > 0 && (
        <section>
          <h2 class="section-title">{t('account.channels')}</h2>
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
        </section>
      )}
      <h2 class="section-title">{t('channel.videos')}</h2>
      <InfiniteVideoGrid
        key={name}
        heading="h3"
        name={`account ${name}`}
        firstPage={firstPage}
        load={async start => await api('GET /accounts/:name/videos', videosRequest(start))}
        empty={<EmptyState icon="film" title={t('account.empty')} />}
      />
    </div>
  )
}
