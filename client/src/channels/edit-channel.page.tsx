import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useLocation, useRoute } from 'preact-iso'
import type { Channel } from '../../../shared/actors.ts'
import { api } from '../api.ts'
import { isNotFoundError, type ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { loadCurrentUser, currentUser } from '../session.ts'
import { RequireLogin } from '../shell/require-login.tsx'
import { useTitle } from '../shell/title.ts'
import { Button, ButtonLink } from '../ui/button.tsx'
import { Switch } from '../ui/field.tsx'
import { ErrorState, EmptyState } from '../ui/feedback.tsx'
import { showToast } from '../ui/toast.tsx'
import { useQuery } from '../use-query.ts'
import { useSaveForm } from '../use-save-form.ts'
import { ChannelFields, trimChannelTexts, type ChannelTexts } from './channel-fields.tsx'
import { ChannelImages } from './channel-images.tsx'
import { confirmAndDeleteChannel } from './confirm-delete-channel.ts'
import './my-channels.css'

/** Everything that can be changed about an own channel. */
export default function EditChannel(): JSX.Element {
  useTitle(t('channels.edit'))
  return (
    <RequireLogin>
      <Room />
    </RequireLogin>
  )
}

function Room(): JSX.Element {
  const {
    params: { handle = '' }
  } = useRoute()
  const { data: channel, error, reload, change } = useQuery('GET /video-channels/:channelHandle', { params: { channelHandle: handle } })
  const back = <ButtonLink href="/my/channels">{t('channels.title')}</ButtonLink>
  if (isNotFoundError(error) || (error && 'channelHandle' in (error as ApiError).fields))
    return (
      <div class="page">
        <EmptyState heading="h1" icon="channel" title={t('channel.missing')}>
          {back}
        </EmptyState>
      </div>
    )
  if (error)
    return (
      <div class="page">
        <ErrorState text={t('ui.noConnection')} onRetry={reload} />
      </div>
    )
  if (!channel || !currentUser.value) return <div class="page" aria-busy="true" />
  if (!channel.isLocal || channel.ownerAccount?.id !== currentUser.value.account.id)
    return (
      <div class="page">
        <EmptyState heading="h1" icon="lock" title={t('channels.notMine')}>
          {back}
        </EmptyState>
      </div>
    )
  return (
    <div class="page page-narrow">
      <div class="page-head">
        <h1>{t('channels.edit')}</h1>
        <ButtonLink icon="channel" href={`/c/${channel.name}`}>
          {t('channels.show')}
        </ButtonLink>
      </div>
      <div class="form">
        <ChannelImages channel={channel} onChange={change} />
        <Words key={channel.id} channel={channel} onSaved={words => change({ ...channel, ...words })} />
        <Farewell channel={channel} />
      </div>
    </div>
  )
}

function Words({ channel, onSaved }: { channel: Channel; onSaved: (words: ReturnType<typeof trimChannelTexts>) => void }): JSX.Element {
  const [words, setWords] = useState<ChannelTexts>({
    displayName: channel.displayName,
    description: channel.description ?? '',
    support: channel.support ?? ''
  })
  const [everywhere, setEverywhere] = useState(false)
  const { state, problem, changed, submit } = useSaveForm(async () => {
    const written = trimChannelTexts(words)
    await api('PUT /video-channels/:channelHandle', {
      params: { channelHandle: channel.name },
      body: { ...written, ...(everywhere ? { bulkVideosSupportUpdate: true } : {}) }
    })
    await loadCurrentUser().catch(() => {
      /* it is saved; the menu learns of it later */
    })
    setEverywhere(false)
    onSaved(written)
    showToast(t('edit.saved'))
  })
  return (
    <form class="form" onSubmit={event => void submit(event)}>
      <ChannelFields
        words={words}
        problem={problem}
        onWords={next => {
          setWords(next)
          changed()
        }}
      />
      {(everywhere || words.support.trim() !== (channel.support ?? '')) && (
        <Switch label={t('channels.everywhere')} hint={t('channels.everywhereHint')} checked={everywhere} onChecked={setEverywhere} />
      )}
      <div class="form-foot">
        <Button look="primary" type="submit" busy={state === 'busy'}>
          {t('ui.save')}
        </Button>
        <span class="soft small" role="status">
          {state === 'changed' ? t('edit.unsaved') : ''}
        </span>
      </div>
    </form>
  )
}

function Farewell({ channel }: { channel: Channel }): JSX.Element {
  const { route } = useLocation()
  const last = (currentUser.value?.videoChannels.length ?? 0) <= 1
  return (
    <section class="channel-end">
      <h2>{t('channels.remove')}</h2>
      <p class="soft">{t(last ? 'channels.last' : 'channels.removeHint')}</p>
      {!last && (
        <Button
          icon="trash"
          onClick={() =>
            void confirmAndDeleteChannel(channel).then(gone => {
              if (gone) route('/my/channels', true)
            })
          }
        >
          {t('channels.remove')}
        </Button>
      )}
    </section>
  )
}
