import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useRoute } from 'preact-iso'
import type { Channel } from '../../../shared/actors.ts'
import { api } from '../api.ts'
import { isNotFoundError, type ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { loadCurrentUser, currentUser } from '../session.ts'
import { RequireLogin } from '../page/require-login.tsx'
import { useRouteFromHere } from '../page/route-from-here.ts'
import { useTitle } from '../page/title.ts'
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

/** The page that edits or deletes one of the user's channels. */
export default function EditChannelPage(): JSX.Element {
  useTitle(t('channels.edit'))
  return (
    <RequireLogin>
      <EditChannelContent />
    </RequireLogin>
  )
}

function EditChannelContent(): JSX.Element {
  const {
    params: { handle = '' }
  } = useRoute()
  const { data: channel, error, reload, change } = useQuery('GET /video-channels/:channelHandle', { params: { channelHandle: handle } })
  const backLink = <ButtonLink href="/my/channels">{t('channels.title')}</ButtonLink>
  if (isNotFoundError(error) || (error && 'channelHandle' in (error as ApiError).fields))
    return (
      <div class="page">
        <EmptyState heading="h1" icon="channel" title={t('channel.missing')}>
          {backLink}
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
          {backLink}
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
        <ChannelTextsForm key={channel.id} channel={channel} onSaved={texts => change({ ...channel, ...texts })} />
        <DeleteChannelSection channel={channel} />
      </div>
    </div>
  )
}

function ChannelTextsForm({
  channel,
  onSaved
}: {
  channel: Channel
  onSaved: (texts: ReturnType<typeof trimChannelTexts>) => void
}): JSX.Element {
  const [texts, setTexts] = useState<ChannelTexts>({
    displayName: channel.displayName,
    description: channel.description ?? '',
    support: channel.support ?? ''
  })
  const [updateAllVideos, setUpdateAllVideos] = useState(false)
  const { state, problem, changed, submit } = useSaveForm(async () => {
    const trimmedTexts = trimChannelTexts(texts)
    await api('PUT /video-channels/:channelHandle', {
      params: { channelHandle: channel.name },
      body: { ...trimmedTexts, ...(updateAllVideos ? { bulkVideosSupportUpdate: true } : {}) }
    })
    await loadCurrentUser().catch(() => {
      /* the texts are saved; the menu shows them after the next load */
    })
    setUpdateAllVideos(false)
    onSaved(trimmedTexts)
    showToast(t('edit.saved'))
  })
  return (
    <form class="form" onSubmit={event => void submit(event)}>
      <ChannelFields
        texts={texts}
        problem={problem}
        onChange={next => {
          setTexts(next)
          changed()
        }}
      />
      {(updateAllVideos || texts.support.trim() !== (channel.support ?? '')) && (
        <Switch
          label={t('channels.everywhere')}
          hint={t('channels.everywhereHint')}
          checked={updateAllVideos}
          onChecked={setUpdateAllVideos}
        />
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

function DeleteChannelSection({ channel }: { channel: Channel }): JSX.Element {
  const routeFromHere = useRouteFromHere()
  const isLastChannel = (currentUser.value?.videoChannels.length ?? 0) <= 1
  return (
    <section class="channel-end">
      <h2>{t('channels.remove')}</h2>
      <p class="soft">{t(isLastChannel ? 'channels.last' : 'channels.removeHint')}</p>
      {!isLastChannel && (
        <Button
          icon="trash"
          onClick={() =>
            void confirmAndDeleteChannel(channel).then(deleted => {
              if (deleted) routeFromHere('/my/channels', true)
            })
          }
        >
          {t('channels.remove')}
        </Button>
      )}
    </section>
  )
}
