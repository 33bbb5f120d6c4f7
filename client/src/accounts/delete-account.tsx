import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { User } from '../../../shared/accounts.ts'
import { api } from '../api.ts'
import { t } from '../i18n/i18n.ts'
import { forgetSession } from '../session.ts'
import { Button } from '../ui/button.tsx'
import { Notice } from '../ui/feedback.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'
import { showToast } from '../ui/toast.tsx'
import { PasswordField } from './password-field.tsx'
import { settingsErrorText } from './settings-error-text.ts'

/** The end of the profile settings: a button that deletes the account of the logged-in user once the password was given. */
export function DeleteAccount({ user }: { user: User }): JSX.Element {
  const [open, setOpen] = useState(false)
  return (
    <section class="stack">
      <h2>{t('deletion.name')}</h2>
      <p class="soft">{t('deletion.text')}</p>
      <div class="row">
        <Button look="danger" icon="trash" onClick={() => setOpen(true)}>
          {t('deletion.name')}
        </Button>
      </div>
      {open && <DeleteAccountDialog user={user} onClose={() => setOpen(false)} />}
    </section>
  )
}

function DeleteAccountDialog({ user, onClose }: { user: User; onClose: () => void }): JSX.Element {
  const [currentPassword, setCurrentPassword] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const deleteAccount = async () => {
    setProblem(null)
    try {
      await api('DELETE /users/me', { body: { currentPassword } })
      // Without a session this page leads to the login.
      forgetSession()
      showToast(t('deletion.done'))
    } catch (error) {
      setProblem(settingsErrorText(error))
    }
  }
  return (
    <FormDialog
      title={t('deletion.title', { name: user.username })}
      submitText={t('deletion.name')}
      look="danger"
      onSubmit={deleteAccount}
      onClose={onClose}
    >
      {problem && <Notice kind="bad">{problem}</Notice>}
      <p>{t('deletion.text')}</p>
      <PasswordField
        label={t('settings.currentPassword')}
        autocomplete="current-password"
        value={currentPassword}
        onText={setCurrentPassword}
      />
    </FormDialog>
  )
}
