import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useLocation, useRoute } from 'preact-iso'
import type { Channel } from '../../../shared/actors.ts'
import { api } from '../api.ts'
import { isMissing, type ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { loadMe, me } from '../session.ts'
import { Members } from '../shell/require-login.tsx'
import { useTitle } from '../shell/title.ts'
import { Button, ButtonLink } from '../ui/button.tsx'
import { Switch } from '../ui/field.tsx'
import { Failure, State } from '../ui/feedback.tsx'
import { toast } from '../ui/toast.tsx'
import { useAnswer } from '../use-query.ts'
import { useSaving } from '../use-save-form.ts'
import { ChannelFields, writtenWords, type ChannelWords } from './channel-fields.tsx'
import { ChannelPictures } from './channel-images.tsx'
import { removeChannel } from './confirm-delete-channel.ts'
import './my-channels.css'

/** Everything that can be changed about an own channel. */
export default function EditChannel(): JSX.Element {
  useTitle(t('channels.edit'))
  return (
    <Members>
      <Room />
    </Members>
  )
}

function Room(): JSX.Element {
  const {
    params: { handle = '' }
  } = useRoute()
  const { data: channel, error, reload, change } = useAnswer('GET /video-channels/:channelHandle', { params: { channelHandle: handle } })
  const back = <ButtonLink href="/my/channels">{t('channels.title')}</ButtonLink>
  if (isMissing(error) || (error && 'channelHandle' in (error as ApiError).fields))
    return (
      <div class="page">
        <State heading="h1" icon="channel" title={t('channel.missing')}>
          {back}
        </State>
      </div>
    )
  if (error)
    return (
      <div class="page">
        <Failure text={t('ui.noConnection')} onRetry={reload} />
      </div>
    )
  if (!channel || !me.value) return <div class="page" aria-busy="true" />
  if (!channel.isLocal || channel.ownerAccount?.id !== me.value.account.id)
    return (
      <div class="page">
        <State heading="h1" icon="lock" title={t('channels.notMine')}>
          {back}
        </State>
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
        <ChannelPictures channel={channel} onChange={change} />
        <Words key={channel.id} channel={channel} onSaved={words => change({ ...channel, ...words })} />
        <Farewell channel={channel} />
      </div>
    </div>
  )
}

function Words({ channel, onSaved }: { channel: Channel; onSaved: (words: ReturnType<typeof writtenWords>) => void }): JSX.Element {
  const [words, setWords] = useState<ChannelWords>({
    displayName: channel.displayName,
    description: channel.description ?? '',
    support: channel.support ?? ''
  })
  const [everywhere, setEverywhere] = useState(false)
  const { state, problem, changed, submit } = useSaving(async () => {
    const written = writtenWords(words)
    await api('PUT /video-channels/:channelHandle', {
      params: { channelHandle: channel.name },
      body: { ...written, ...(everywhere ? { bulkVideosSupportUpdate: true } : {}) }
    })
    await loadMe().catch(() => {
      /* it is saved; the menu learns of it later */
    })
    setEverywhere(false)
    onSaved(written)
    toast(t('edit.saved'))
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
  const last = (me.value?.videoChannels.length ?? 0) <= 1
  return (
    <section class="channel-end">
      <h2>{t('channels.remove')}</h2>
      <p class="soft">{t(last ? 'channels.last' : 'channels.removeHint')}</p>
      {!last && (
        <Button
          icon="trash"
          onClick={() =>
            void removeChannel(channel).then(gone => {
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
