import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { api } from '../api.ts'
import { asProblem, type ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { loadMe } from '../session.ts'
import { Members } from '../shell/require-login.tsx'
import { useTitle } from '../shell/title.ts'
import { Button, ButtonLink } from '../ui/button.tsx'
import { toast } from '../ui/toast.tsx'
import { ChannelFields, writtenWords, type ChannelWords } from './channel-fields.tsx'
import { ChannelName, nameFrom } from './channel-name-field.tsx'
import './my-channels.css'

/** Where a further channel is made. */
export default function NewChannel(): JSX.Element {
  useTitle(t('channels.new'))
  return (
    <Members>
      <Room />
    </Members>
  )
}

function Room(): JSX.Element {
  const { route } = useLocation()
  const [words, setWords] = useState<ChannelWords>({ displayName: '', description: '', support: '' })
  // Follows the name people read until somebody writes another one.
  const [ownName, setOwnName] = useState<string | null>(null)
  const [refused, setRefused] = useState<string | null>(null)
  const [problem, setProblem] = useState<ApiError | null>(null)
  const [busy, setBusy] = useState(false)
  const name = ownName ?? nameFrom(words.displayName)

  const create = async (event: Event) => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setProblem(null)
    try {
      await api('POST /video-channels', { body: { name, ...writtenWords(words) } })
      await loadMe().catch(() => {
        /* the channel is there; the menu learns of it later */
      })
      toast(t('channels.made'))
      route(`/my/channels/${name}`, true)
    } catch (error) {
      const reason = asProblem(error)
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
          <ChannelName name={name} refused={refused} onName={setOwnName} />
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
