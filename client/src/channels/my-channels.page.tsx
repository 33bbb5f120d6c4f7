import type { JSX } from 'preact'
import { useLocation } from 'preact-iso'
import { formatCount, t } from '../i18n/i18n.ts'
import { instanceConfig } from '../instance/config.ts'
import { currentUser } from '../session.ts'
import { RequireLogin } from '../page/require-login.tsx'
import { useTitle } from '../page/title.ts'
import { Avatar } from '../ui/avatar.tsx'
import { ButtonLink, IconButton } from '../ui/button.tsx'
import { Menu } from '../ui/menu.tsx'
import { ErrorState } from '../ui/feedback.tsx'
import { useQuery } from '../use-query.ts'
import { confirmAndDeleteChannel } from './confirm-delete-channel.ts'
import './my-channels.css'

/** One page: above any sensible `videoChannels.maxPerUser`. */
const PAGE_SIZE = 100

type OwnChannel = {
  id: number
  name: string
  displayName: string
  followersCount: number
  videosCount?: number
  avatars: Parameters<typeof Avatar>[0]['of']['avatars']
}

/** The channels of the logged-in user. */
export default function MyChannelsPage(): JSX.Element {
  useTitle(t('channels.title'))
  return (
    <RequireLogin>
      <MyChannelList />
    </RequireLogin>
  )
}

function MyChannelList(): JSX.Element {
  const name = currentUser.value?.account.name
  const { data, error, reload } = useQuery(
    'GET /accounts/:name/video-channels',
    name ? { params: { name }, query: { withStats: true, count: PAGE_SIZE, sort: 'createdAt' } } : null
  )
  const maxChannels = instanceConfig.value?.videoChannels.maxPerUser ?? Infinity
  const limitReached = data !== null && data.total >= maxChannels
  return (
    <div class="page page-narrow">
      <div class="page-head">
        <h1>{t('channels.title')}</h1>
        {!limitReached && (
          <ButtonLink look="primary" icon="plus" href="/my/new-channel">
            {t('channels.new')}
          </ButtonLink>
        )}
      </div>
      {limitReached && <p class="soft">{t('channels.full', { count: maxChannels })}</p>}
      {error ? <ErrorState text={t('ui.noConnection')} onRetry={reload} /> : null}
      <ul class="own-channels" role="list" aria-busy={!data && !error}>
        {data?.data.map(channel => (
          <li key={channel.id}>
            <ChannelListItem channel={channel} isOnlyChannel={data.total <= 1} onDeleted={reload} />
          </li>
        ))}
      </ul>
    </div>
  )
}

function ChannelListItem({
  channel,
  isOnlyChannel,
  onDeleted
}: {
  channel: OwnChannel
  isOnlyChannel: boolean
  onDeleted: () => void
}): JSX.Element {
  const { route } = useLocation()
  const { name, displayName, followersCount, videosCount = 0 } = channel
  const editPath = `/my/channels/${name}`
  return (
    <article class="own-channel">
      <a class="own-channel-picture" href={`/c/${name}`} tabIndex={-1} aria-hidden="true">
        <Avatar of={channel} size="l" />
      </a>
      <div class="own-channel-words">
        <h2>
          <a href={`/c/${name}`}>{displayName}</a>
        </h2>
        <p class="soft small">@{name}</p>
        <p class="own-channel-facts small">
          <span>{t('channels.followers', { count: followersCount, number: formatCount(followersCount) })}</span>
          <span>{t('channels.videos', { count: videosCount, number: formatCount(videosCount) })}</span>
        </p>
      </div>
      <div class="own-channel-actions">
        <ButtonLink class="own-channel-edit" icon="edit" href={editPath} aria-label={t('mine.editOf', { name: displayName })}>
          {t('ui.edit')}
        </ButtonLink>
        <Menu
          label={t('mine.actions', { name: displayName })}
          trigger={props => <IconButton label={t('mine.actions', { name: displayName })} icon="more" {...props} />}
          items={[
            { kind: 'action', text: t('ui.edit'), icon: 'edit', act: () => route(editPath) },
            { kind: 'action', text: t('channels.show'), icon: 'channel', act: () => route(`/c/${name}`) },
            ...(isOnlyChannel
              ? []
              : [
                  {
                    kind: 'action',
                    text: t('channels.remove'),
                    icon: 'trash',
                    danger: true,
                    act: () =>
                      void confirmAndDeleteChannel(channel).then(deleted => {
                        if (deleted) onDeleted()
                      })
                  } as const
                ])
          ]}
        />
      </div>
    </article>
  )
}
