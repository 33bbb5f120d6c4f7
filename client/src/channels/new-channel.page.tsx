import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { api } from '../api.ts'
import { toApiError, type ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { loadCurrentUser } from '../session.ts'
import { RequireLogin } from '../shell/require-login.tsx'
import { useTitle } from '../shell/title.ts'
import { Button, ButtonLink } from '../ui/button.tsx'
import { showToast } from '../ui/toast.tsx'
import { ChannelFields, trimChannelTexts, type ChannelTexts } from './channel-fields.tsx'
import { ChannelNameField, channelNameFromDisplayName } from './channel-name-field.tsx'
import './my-channels.css'

/** Where a further channel is made. */
export default function NewChannel(): JSX.Element {
  useTitle(t('channels.new'))
  return (
    <RequireLogin>
      <Room />
    </RequireLogin>
  )
}

function Room(): JSX.Element {
  const { route } = useLocation()
  const [words, setWords] = useState<ChannelTexts>({ displayName: '', description: '', support: '' })
  // Follows the name people read until somebody writes another one.
  const [ownName, setOwnName] = useState<string | null>(null)
  const [refused, setRefused] = useState<string | null>(null)
  const [problem, setProblem] = useState<ApiError | null>(null)
  const [busy, setBusy] = useState(false)
  const name = ownName ?? channelNameFromDisplayName(words.displayName)

  const create = async (event: Event) => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setProblem(null)
    try {
      await api('POST /video-channels', { body: { name, ...trimChannelTexts(words) } })
      await loadCurrentUser().catch(() => {
        /* the channel is there; the menu learns of it later */
      })
      showToast(t('channels.made'))
      route(`/my/channels/${name}`, true)
    } catch (error) {
      const reason = toApiError(error)
      setProblem(reason)
      if (reason.status === 409) setRefused(name)
      setBusy(false)
    }
  }
  return (
    <div class="page page-narrow">
      <div class="page-head">
        <h1>{t('channels.new')}</h1>
      </div>
      <p class="soft channel-about">{t('channels.newText')}</p>
      <form class="form" onSubmit={event => void create(event)}>
        <ChannelFields words={words} onWords={setWords} problem={problem}>
          <ChannelNameField name={name} refused={refused} onName={setOwnName} />
        </ChannelFields>
        <div class="form-foot">
          <Button look="primary" type="submit" busy={busy}>
            {t('channels.make')}
          </Button>
          <ButtonLink look="quiet" href="/my/channels">
            {t('ui.cancel')}
          </ButtonLink>
        </div>
      </form>
    </div>
  )
}
