import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { User } from '../../../shared/accounts.ts'
import { api } from '../api.ts'
import { ApiError } from '../api-error.ts'
import { PasswordField } from '../accounts/password-field.tsx'
import { t } from '../i18n/i18n.ts'
import { instanceConfig, minPasswordLength } from '../instance/config.ts'
import { apiErrorText } from '../api-error-text.ts'
import { Select, TextField } from '../ui/field.tsx'
import { Notice } from '../ui/feedback.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'
import { showToast } from '../ui/toast.tsx'
import { QuotaFields, type QuotaInputs } from './quota-fields.tsx'
import { parseQuotaInput, formatQuotaInput } from './quota.ts'
import { permissionsOverUser, USER_ROLE_IDS } from './user-permissions.ts'

type UserFormErrors = Partial<Record<'username' | 'email' | 'password' | 'form', string>>

/** A dialog that creates a user (`user` is null) or edits one; an edit sends only changed values. */
export function UserForm({
  viewer,
  user,
  onClose,
  onDone
}: {
  viewer: User
  user: User | null
  onClose: () => void
  onDone: () => void
}): JSX.Element {
  const defaultQuotas = instanceConfig.value?.user
  const initialQuotas: QuotaInputs = {
    total: formatQuotaInput(user?.videoQuota ?? defaultQuotas?.videoQuota ?? -1),
    daily: formatQuotaInput(user?.videoQuotaDaily ?? defaultQuotas?.videoQuotaDaily ?? -1)
  }
  const [username, setUsername] = useState('')
  const [email, setEmail] = useState(user?.email ?? '')
  const [password, setPassword] = useState('')
  const [role, setRole] = useState(String(user?.role.id ?? USER_ROLE_IDS.user))
  const [quotas, setQuotas] = useState(initialQuotas)
  const [errors, setErrors] = useState<UserFormErrors>({})
  const changesLogin = !user || permissionsOverUser(viewer, user).changeLogin

  const save = async () => {
    const [total, daily] = [parseQuotaInput(quotas.total), parseQuotaInput(quotas.daily)]
    if (total === null || daily === null) return
    setErrors({})
    try {
      if (user) {
        await api('PUT /users/:id', {
          params: { id: user.id },
          body: {
            ...(email === user.email ? {} : { email }),
            ...(password === '' ? {} : { password }),
            ...(Number(role) === user.role.id ? {} : { role: Number(role) }),
            ...(quotas.total === initialQuotas.total ? {} : { videoQuota: total }),
            ...(quotas.daily === initialQuotas.daily ? {} : { videoQuotaDaily: daily })
          }
        })
      } else
        await api('POST /users', { body: { username, email, password, role: Number(role), videoQuota: total, videoQuotaDaily: daily } })
      showToast(user ? t('users.saved', { name: user.username }) : t('users.created', { name: username }))
      onDone()
    } catch (error) {
      setErrors(userFormErrors(error))
    }
  }
  return (
    <FormDialog
      title={user ? t('users.editOf', { name: user.username }) : t('users.create')}
      submitText={user ? t('ui.save') : t('users.create')}
      onSubmit={save}
      onClose={onClose}
    >
      {errors.form && <Notice kind="bad">{errors.form}</Notice>}
      {!user && (
        <TextField
          label={t('signup.username')}
          hint={t('signup.usernameHint')}
          error={errors.username}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          required
          maxLength={50}
          value={username}
          onText={text => setUsername(text.toLowerCase())}
        />
      )}
      {changesLogin ? (
        <>
          <TextField
            label={t('signup.email')}
            error={errors.email}
            type="email"
            autocomplete="off"
            required
            maxLength={255}
            value={email}
            onText={setEmail}
          />
          <PasswordField
            label={t(user ? 'settings.newPassword' : 'login.password')}
            hint={t(user ? 'users.passwordHint' : 'signup.passwordHint', { count: minPasswordLength() })}
            error={errors.password}
            autocomplete="new-password"
            required={!user}
            value={password}
            onText={setPassword}
          />
        </>
      ) : (
        <p class="soft">{t('users.rootLogin')}</p>
      )}
      {(user ? permissionsOverUser(viewer, user).giveRole : viewer.role.id === USER_ROLE_IDS.administrator) && (
        <Select
          label={t('users.role')}
          hint={t('users.roleHint')}
          value={role}
          onText={setRole}
          options={[
            [String(USER_ROLE_IDS.user), t('users.user')],
            [String(USER_ROLE_IDS.moderator), t('users.moderator')],
            [String(USER_ROLE_IDS.administrator), t('users.administrator')]
          ]}
        />
      )}
      <QuotaFields quotas={quotas} onChange={setQuotas} />
    </FormDialog>
  )
}

function userFormErrors(error: unknown): UserFormErrors {
  if (!(error instanceof ApiError)) return { form: apiErrorText(error) }
  if (error.code === 'reserved_name') return { username: t('signup.reserved') }
  if (error.status === 409) return { form: t('signup.taken') }
  const fieldErrors: UserFormErrors = {
    ...('username' in error.fields ? { username: t('signup.usernameError') } : {}),
    ...('email' in error.fields ? { email: t('signup.emailError') } : {}),
    ...('password' in error.fields ? { password: t('signup.passwordError', { count: minPasswordLength() }) } : {})
  }
  return Object.keys(fieldErrors).length > 0 ? fieldErrors : { form: apiErrorText(error) }
}
