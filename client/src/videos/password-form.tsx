import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { EmptyState } from '../ui/feedback.tsx'
import type { UnavailableReason } from './use-video.ts'
import './password-form.css'

/** The form for the password of a video, with an error if the last one was wrong or there were too many attempts. */
export function PasswordForm({
  kind: reason,
  onUnlock,
  onRetry
}: {
  kind: UnavailableReason
  onUnlock: (password: string) => void
  onRetry: () => void
}): JSX.Element {
  const [password, setPassword] = useState('')
  const [triedPassword, setTriedPassword] = useState('')
  const error =
    reason === 'tooMany'
      ? t('barrier.tooMany')
      : reason === 'wrongPassword' && triedPassword === password
        ? t('barrier.wrongPassword')
        : null
  return (
    <EmptyState heading="h1" icon="lock" title={t('barrier.password')}>
      <p>{t('barrier.passwordText')}</p>
      <form
        class="form barrier-form"
        onSubmit={event => {
          event.preventDefault()
          if (password === '') return
          if (password === triedPassword) onRetry()
          setTriedPassword(password)
          onUnlock(password)
        }}
      >
        <TextField
          label={t('barrier.passwordLabel')}
          type="password"
          autocomplete="off"
          required
          value={password}
          error={error}
          onText={setPassword}
        />
        <Button look="primary" type="submit">
          {t('barrier.unlock')}
        </Button>
      </form>
    </EmptyState>
  )
}
