import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { t } from '../i18n/i18n.ts'
import { Button, ButtonLink } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { Failure, State } from '../ui/state.tsx'
import type { Barrier as Kind } from './use-video.ts'

/** What stands in the place of a video that is not shown, with the way past it where there is one. */
export function Barrier({ kind, onUnlock, onRetry }: { kind: Kind, onUnlock: (password: string) => void, onRetry: () => void }): JSX.Element {
  const { url } = useLocation()
  if (kind === 'missing') return <State heading="h1" icon="film" title={t('barrier.missing')}><p>{t('barrier.missingText')}</p><ButtonLink href="/">{t('ui.toHome')}</ButtonLink></State>
  if (kind === 'login') return <State heading="h1" icon="lock" title={t('barrier.login')}><p>{t('barrier.loginText')}</p><ButtonLink look="primary" href={`/login?next=${encodeURIComponent(url)}`}>{t('shell.login')}</ButtonLink></State>
  if (kind === 'forbidden') return <State heading="h1" icon="lock" title={t('barrier.forbidden')}><p>{t('barrier.forbiddenText')}</p><ButtonLink href="/">{t('ui.toHome')}</ButtonLink></State>
  if (kind === 'failed') return <Failure text={t('ui.noConnection')} onRetry={onRetry} />
  return <PasswordForm kind={kind} onUnlock={onUnlock} onRetry={onRetry} />
}

function PasswordForm({ kind, onUnlock, onRetry }: { kind: Kind, onUnlock: (password: string) => void, onRetry: () => void }): JSX.Element {
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState('')
  const error = kind === 'tooMany' ? t('barrier.tooMany') : kind === 'wrongPassword' && tried === password ? t('barrier.wrongPassword') : null
  return (
    <State heading="h1" icon="lock" title={t('barrier.password')}>
      <p>{t('barrier.passwordText')}</p>
      <form class="form barrier-form" onSubmit={event => {
        event.preventDefault()
        if (password === '') return
        if (password === tried) onRetry()
        setTried(password)
        onUnlock(password)
      }}>
        <TextField label={t('barrier.passwordLabel')} type="password" autocomplete="off" required value={password} error={error} onText={setPassword} />
        <Button look="primary" type="submit">{t('barrier.unlock')}</Button>
      </form>
    </State>
  )
}
