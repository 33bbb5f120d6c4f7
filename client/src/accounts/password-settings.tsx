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

/** Changes the own password. */
export function PasswordSettings(): JSX.Element {
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const save = async (event: Event) => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setProblem(null)
    try {
      await api('PUT /users/me', { body: { currentPassword: current, password: next } })
      setCurrent('')
      setNext('')
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
      <PasswordField label={t('settings.currentPassword')} autocomplete="current-password" value={current} onText={setCurrent} />
      <PasswordField
        label={t('settings.newPassword')}
        hint={t('signup.passwordHint', { count: minPasswordLength() })}
        autocomplete="new-password"
        value={next}
        onText={setNext}
      />
      <div class="form-foot">
        <Button look="primary" type="submit" busy={busy}>
          {t('settings.changePassword')}
        </Button>
      </div>
    </form>
  )
}
