import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { api } from '../api.ts'
import { toApiError, type ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { loadCurrentUser } from '../session.ts'
import { RequireLogin } from '../page/require-login.tsx'
import { useRouteFromHere } from '../page/route-from-here.ts'
import { useTitle } from '../page/title.ts'
import { Button, ButtonLink } from '../ui/button.tsx'
import { showToast } from '../ui/toast.tsx'
import { ChannelFields, trimChannelTexts, type ChannelTexts } from './channel-fields.tsx'
import { ChannelNameField, channelNameFromDisplayName } from './channel-name-field.tsx'
import './my-channels.css'

/** The form that creates a channel. */
export default function NewChannelPage(): JSX.Element {
  useTitle(t('channels.new'))
  return (
    <RequireLogin>
      <NewChannelForm />
    </RequireLogin>
  )
}

function NewChannelForm(): JSX.Element {
  const routeFromHere = useRouteFromHere()
  const [texts, setTexts] = useState<ChannelTexts>({ displayName: '', description: '', support: '' })
  // Null while the name is derived from the display name.
  const [typedName, setTypedName] = useState<string | null>(null)
  const [rejectedName, setRejectedName] = useState<string | null>(null)
  const [problem, setProblem] = useState<ApiError | null>(null)
  const [busy, setBusy] = useState(false)
  const name = typedName ?? channelNameFromDisplayName(texts.displayName)

  const create = async (event: Event) => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setProblem(null)
    try {
      await api('POST /video-channels', { body: { name, ...trimChannelTexts(texts) } })
      await loadCurrentUser().catch(() => {
        /* the channel is created; the menu shows it after the next load */
      })
      showToast(t('channels.made'))
      routeFromHere(`/my/channels/${name}`, true)
    } catch (error) {
      const apiError = toApiError(error)
      setProblem(apiError)
      if (apiError.status === 409) setRejectedName(name)
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
        <ChannelFields texts={texts} onChange={setTexts} problem={problem}>
          <ChannelNameField name={name} rejectedName={rejectedName} onName={setTypedName} />
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
