import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useRoute } from 'preact-iso'
import { apiUrl, api, type ApiResponse } from '../api.ts'
import { isNotFoundError } from '../api-error.ts'
import { consumeInitialResponse } from '../initial-data.ts'
import { splitAtPlaceholder, t } from '../i18n/i18n.ts'
import { currentUser } from '../session.ts'
import { useTitle } from '../page/title.ts'
import { ButtonLink } from '../ui/button.tsx'
import { ErrorState, EmptyState } from '../ui/feedback.tsx'
import { useQuery } from '../use-query.ts'
import { InfiniteVideoGrid } from '../videos/infinite-video-grid.tsx'
import { SubscribeButton } from '../actors/subscribe-button.tsx'
import { displayHandle, ActorHeader } from '../actors/actor-header.tsx'
import { CrawlProgress } from './crawl-progress.tsx'

type VideoListResponse = ApiResponse<'GET /video-channels/:channelHandle/videos'>

/** The page of a channel: its videos. */
export default function ChannelPage(): JSX.Element {
  const {
    params: { handle = '' }
  } = useRoute()
  const { data: channel, error, reload } = useQuery('GET /video-channels/:channelHandle', { params: { channelHandle: handle } })
  const videosRequest = (start: number) => ({ params: { channelHandle: handle }, query: { start, sort: '-publishedAt' as const } })
  const [firstPage] = useState(
    () => consumeInitialResponse(apiUrl('GET /video-channels/:channelHandle/videos', videosRequest(0))) as VideoListResponse | undefined
  )
  const [reloads, setReloads] = useState(0)
  useTitle(channel?.displayName ?? (error ? t('channel.missing') : null))
  if (isNotFoundError(error))
    return (
      <div class="page">
        <EmptyState heading="h1" icon="film" title={t('channel.missing')}>
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
  if (!channel) return <div class="page" aria-busy="true" />
  const [textBefore, textAfter] = splitAtPlaceholder('video.by')
  const isOwn = currentUser.value !== null && channel.isLocal && channel.ownerAccount?.id === currentUser.value.account.id
  const banner = [...channel.banners].sort((a, b) => b.width - a.width)[0]
  return (
    <div class="page">
      <ActorHeader actor={channel} banner={banner} handle={`@${displayHandle(channel)}`}>
        {channel.ownerAccount && (
          <p class="profile-line">
            {textBefore}
            <a href={`/a/${displayHandle(channel.ownerAccount)}`}>{channel.ownerAccount.displayName}</a>
            {textAfter}
          </p>
        )}
        <div class="profile-act">
          {isOwn ? (
            <ButtonLink icon="edit" href={`/my/channels/${channel.name}`}>
              {t('channels.edit')}
            </ButtonLink>
          ) : (
            <SubscribeButton channel={channel} />
          )}
        </div>
      </ActorHeader>
      <h2 class="section-title">{t('channel.videos')}</h2>
      {!channel.isLocal && <CrawlProgress handle={handle} onNewVideos={() => setReloads(before => before + 1)} />}
      <InfiniteVideoGrid
        key={`${handle} ${reloads}`}
        heading="h3"
        name={`channel ${handle} ${reloads}`}
        withChannel={false}
        firstPage={reloads === 0 ? firstPage : undefined}
        load={async start => await api('GET /video-channels/:channelHandle/videos', videosRequest(start))}
        empty={<EmptyState icon="film" title={t('channel.empty')} />}
      />
    </div>
  )
}
