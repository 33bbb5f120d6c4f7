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
  reason,
  onUnlock,
  onRetry
}: {
  reason: UnavailableReason
  onUnlock: (password: string) => void
  onRetry: () => void
}): JSX.Element {
  const [password, setPassword] = useState('')
  const [triedPassword, setTriedPassword] = useState('')
  const error =
    reason === 'tooMany'
      ? t('unavailable.tooMany')
      : reason === 'wrongPassword' && triedPassword === password
        ? t('unavailable.wrongPassword')
        : null
  return (
    <EmptyState heading="h1" icon="lock" title={t('unavailable.password')}>
      <p>{t('unavailable.passwordText')}</p>
      <form
        class="form unavailable-form"
        onSubmit={event => {
          event.preventDefault()
          if (password === '') return
          if (password === triedPassword) onRetry()
          setTriedPassword(password)
          onUnlock(password)
        }}
      >
        <TextField
          label={t('unavailable.passwordLabel')}
          type="password"
          autocomplete="off"
          required
          value={password}
          error={error}
          onText={setPassword}
        />
        <Button look="primary" type="submit">
          {t('unavailable.unlock')}
        </Button>
      </form>
    </EmptyState>
  )
}
