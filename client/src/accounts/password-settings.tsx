import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { api } from '../api.ts'
import { t } from '../i18n/i18n.ts'
import { minPasswordLength } from '../instance/config.ts'
import { Button } from '../ui/button.tsx'
import { Notice } from '../ui/feedback.tsx'
import { showToast } from '../ui/toast.tsx'
import { PasswordField } from './password-field.tsx'
import { settingsErrorText } from './settings-error-text.ts'

/** The form that changes the password of the logged-in user. */
export function PasswordSettings(): JSX.Element {
  const [currentPassword, setCurrentPassword] = useState('')
  const [newPassword, setNewPassword] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const save = async (event: Event) => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setProblem(null)
    try {
      await api('PUT /users/me', { body: { currentPassword, password: newPassword } })
      setCurrentPassword('')
      setNewPassword('')
      showToast(t('settings.passwordChanged'))
    } catch (error) {
      setProblem(settingsErrorText(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <form class="form" onSubmit={event => void save(event)}>
      {problem && <Notice kind="bad">{problem}</Notice>}
      <PasswordField
        label={t('settings.currentPassword')}
        autocomplete="current-password"
        value={currentPassword}
        onText={setCurrentPassword}
      />
      <PasswordField
        label={t('settings.newPassword')}
        hint={t('signup.passwordHint', { count: minPasswordLength() })}
        autocomplete="new-password"
        value={newPassword}
        onText={setNewPassword}
      />
      <div class="form-foot">
        <Button look="primary" type="submit" busy={busy}>
          {t('settings.changePassword')}
        </Button>
      </div>
    </form>
  )
}
