import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useRoute } from 'preact-iso'
import { addressOf, api, type Answer } from '../api.ts'
import { isMissing } from '../api-error.ts'
import { handleOf, Profile } from '../channels/actor-header.tsx'
import { takeAnswer } from '../initial-data.ts'
import { t } from '../i18n/i18n.ts'
import { Report } from '../moderation/report-form.tsx'
import { me } from '../session.ts'
import { useTitle } from '../shell/title.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button, ButtonLink } from '../ui/button.tsx'
import { Failure, State } from '../ui/feedback.tsx'
import { useAnswer } from '../use-query.ts'
import { Endless } from '../videos/infinite-video-grid.tsx'

type Videos = Answer<'GET /accounts/:name/videos'>

/** A person with their channels and videos. */
export default function AccountPage(): JSX.Element {
  const {
    params: { name = '' }
  } = useRoute()
  const { data: account, error, reload } = useAnswer('GET /accounts/:name', { params: { name } })
  const { data: channels } = useAnswer('GET /accounts/:name/video-channels', account ? { params: { name }, query: {} } : null)
  const question = (start: number) => ({ params: { name }, query: { start, sort: '-publishedAt' as const } })
  const [first] = useState(() => takeAnswer(addressOf('GET /accounts/:name/videos', question(0))) as Videos | undefined)
  const [reporting, setReporting] = useState(false)
  useTitle(account?.displayName ?? (error ? t('account.missing') : null))
  if (isMissing(error))
    return (
      <div class="page">
        <State heading="h1" icon="user" title={t('account.missing')}>
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
  if (!account) return <div class="page" aria-busy="true" />
  return (
    <div class="page">
      <Profile of={account} handle={`@${handleOf(account)}`}>
        {me.value !== null && me.value.account.id !== account.id && (
          <div>
            <Button icon="alert" onClick={() => setReporting(true)}>
              {t('reports.open')}
            </Button>
          </div>
        )}
      </Profile>
      {reporting && (
        <Report
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
                <a class="channel-card" href={`/c/${handleOf(channel)}`}>
                  <Avatar of={channel} />
                  <span>{channel.displayName}</span>
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
      <h2 class="section-title">{t('channel.videos')}</h2>
      <Endless
        key={name}
        heading="h3"
        name={`account ${name}`}
        first={first}
        load={async start => await api('GET /accounts/:name/videos', question(start))}
        empty={<State icon="film" title={t('account.empty')} />}
      />
    </div>
  )
}
