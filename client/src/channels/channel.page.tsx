import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useRoute } from 'preact-iso'
import { addressOf, api, type Answer } from '../api.ts'
import { isMissing } from '../api-error.ts'
import { takeAnswer } from '../initial-data.ts'
import { around, t } from '../i18n/i18n.ts'
import { me } from '../session.ts'
import { useTitle } from '../shell/title.ts'
import { ButtonLink } from '../ui/button.tsx'
import { Failure, State } from '../ui/feedback.tsx'
import { useAnswer } from '../use-query.ts'
import { Endless } from '../videos/infinite-video-grid.tsx'
import { Subscribe } from '../subscriptions/subscribe-button.tsx'
import { handleOf, Profile } from './actor-header.tsx'
import { Reading } from './crawl-progress.tsx'

type Videos = Answer<'GET /video-channels/:channelHandle/videos'>

/** A channel with its videos. */
export default function ChannelPage(): JSX.Element {
  const {
    params: { handle = '' }
  } = useRoute()
  const { data: channel, error, reload } = useAnswer('GET /video-channels/:channelHandle', { params: { channelHandle: handle } })
  const question = (start: number) => ({ params: { channelHandle: handle }, query: { start, sort: '-publishedAt' as const } })
  const [first] = useState(() => takeAnswer(addressOf('GET /video-channels/:channelHandle/videos', question(0))) as Videos | undefined)
  const [came, setCame] = useState(0)
  useTitle(channel?.displayName ?? (error ? t('channel.missing') : null))
  if (isMissing(error))
    return (
      <div class="page">
        <State heading="h1" icon="film" title={t('channel.missing')}>
          <ButtonLink href="/">{t('ui.toHome')}</ButtonLink>
        </State>
      </div>
    )
  if (error)
    return (
      <div class="page">
        <Failure text={t('ui.noConnection')} onRetry={reload} />
      </div>
    )
  if (!channel) return <div class="page" aria-busy="true" />
  const [before, after] = around('video.by')
  const isMine = me.value !== null && channel.isLocal && channel.ownerAccount?.id === me.value.account.id
  const banner = [...channel.banners].sort((a, b) => b.width - a.width)[0]
  return (
    <div class="page">
      <Profile of={channel} banner={banner} handle={`@${handleOf(channel)}`}>
        {channel.ownerAccount && (
          <p class="profile-line">
            {before}
            <a href={`/a/${handleOf(channel.ownerAccount)}`}>{channel.ownerAccount.displayName}</a>
            {after}
          </p>
        )}
        <div class="profile-act">
          {isMine ? (
            <ButtonLink icon="edit" href={`/my/channels/${channel.name}`}>
              {t('channels.edit')}
            </ButtonLink>
          ) : (
            <Subscribe channel={channel} />
          )}
        </div>
      </Profile>
      <h2 class="section-title">{t('channel.videos')}</h2>
      {!channel.isLocal && <Reading handle={handle} onMore={() => setCame(came => came + 1)} />}
      <Endless
        key={`${handle} ${came}`}
        heading="h3"
        name={`channel ${handle} ${came}`}
        withChannel={false}
        first={came === 0 ? first : undefined}
        load={async start => await api('GET /video-channels/:channelHandle/videos', question(start))}
        empty={<State icon="film" title={t('channel.empty')} />}
      />
    </div>
  )
}
