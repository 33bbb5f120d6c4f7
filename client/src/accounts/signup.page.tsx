import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { api } from '../api.ts'
import { ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { instanceConfig, loadInstanceConfig, minPasswordLength } from '../instance/config.ts'
import { logIn } from '../session.ts'
import { useRouteFromHere } from '../page/route-from-here.ts'
import { useTitle } from '../page/title.ts'
import { Button, ButtonLink } from '../ui/button.tsx'
import { Switch, TextField } from '../ui/field.tsx'
import { Notice, EmptyState } from '../ui/feedback.tsx'
import { nextPath } from './next-path.ts'
import { PasswordField } from './password-field.tsx'

type SignupFields = { username: string; email: string; password: string }
const USERNAME_PATTERN = /^[a-z0-9]+([a-z0-9_.-]+[a-z0-9]+)?$/
const EMAIL_PATTERN = /^[^\s@]+@[^\s@]+\.[^\s@]+$/

/** The signup form, or a notice where the instance does not accept signups. */
export default function SignupPage(): JSX.Element | null {
  useTitle(t('signup.name'))
  useEffect(() => {
    loadInstanceConfig().catch(() => {
      /* submitting the form shows the error */
    })
  }, [])
  const settings = instanceConfig.value?.signup
  if (!settings) return null
  if (!settings.allowed || !settings.allowedForCurrentIP) {
    return (
      <div class="page">
        <EmptyState heading="h1" icon="lock" title={t('signup.closed')}>
          <p>{t('signup.closedText')}</p>
          <ButtonLink href="/">{t('ui.toHome')}</ButtonLink>
        </EmptyState>
      </div>
    )
  }
  return <SignupForm minimumAge={settings.minimumAge} />
}

function SignupForm({ minimumAge }: { minimumAge: number }): JSX.Element {
  const { query } = useLocation()
  const routeFromHere = useRouteFromHere()
  const [fields, setFields] = useState<SignupFields>({ username: '', email: '', password: '' })
  const [agreed, setAgreed] = useState(false)
  const [errors, setErrors] = useState<Partial<Record<keyof SignupFields | 'form', string>>>({})
  const [busy, setBusy] = useState(false)
  const change = (changes: Partial<SignupFields>) => setFields({ ...fields, ...changes })

  const submit = async (event: Event) => {
    event.preventDefault()
    if (busy) return
    const invalid = validateFields(fields)
    setErrors(invalid)
    if (Object.keys(invalid).length > 0) return
    setBusy(true)
    try {
      await api('POST /users/register', { body: fields })
      await logIn(fields.username, fields.password)
      routeFromHere(nextPath(query.next), true)
    } catch (error) {
      setErrors(signupErrors(error))
      setBusy(false)
    }
  }
  return (
    <div class="page page-form">
      <h1>{t('signup.name')}</h1>
      <form class="form panel" onSubmit={event => void submit(event)} noValidate>
        {errors.form && <Notice kind="bad">{errors.form}</Notice>}
        <TextField
          label={t('signup.username')}
          hint={t('signup.usernameHint')}
          error={errors.username}
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          required
          maxLength={50}
          value={fields.username}
          onText={text => change({ username: text.toLowerCase() })}
        />
        <TextField
          label={t('signup.email')}
          hint={t('signup.emailHint')}
          error={errors.email}
          type="email"
          autocomplete="email"
          required
          value={fields.email}
          onText={email => change({ email })}
        />
        <PasswordField
          label={t('login.password')}
          hint={t('signup.passwordHint', { count: minPasswordLength() })}
          error={errors.password}
          autocomplete="new-password"
          value={fields.password}
          onText={password => change({ password })}
        />
        {minimumAge > 0 && <Switch label={t('signup.age', { age: minimumAge })} checked={agreed} onChecked={setAgreed} />}
        <Button look="primary" type="submit" busy={busy} disabled={minimumAge > 0 && !agreed}>
          {t('signup.go')}
        </Button>
      </form>
      <p class="form-after">
        {t('signup.haveAccount')} <a href="/login">{t('app.login')}</a>
      </p>
    </div>
  )
}

function validateFields({ username, email, password }: SignupFields): Partial<Record<keyof SignupFields | 'form', string>> {
  return {
    ...(USERNAME_PATTERN.test(username) ? {} : { username: t('signup.usernameError') }),
    ...(EMAIL_PATTERN.test(email) ? {} : { email: t('signup.emailError') }),
    ...(password.length < minPasswordLength() ? { password: t('signup.passwordError', { count: minPasswordLength() }) } : {})
  }
}

function signupErrors(error: unknown): Partial<Record<keyof SignupFields | 'form', string>> {
  if (!(error instanceof ApiError) || error.status === 0) return { form: t('ui.noConnection') }
  if (error.code === 'reserved_name') return { username: t('signup.reserved') }
  if (error.status === 409) return { form: t('signup.taken') }
  if (error.status === 429) return { form: t('signup.tooMany') }
  if (error.status === 403) return { form: t('signup.closedText') }
  const fields = {
    ...('username' in error.fields ? { username: t('signup.usernameError') } : {}),
    ...('email' in error.fields ? { email: t('signup.emailError') } : {}),
    ...('password' in error.fields ? { password: t('signup.passwordError', { count: minPasswordLength() }) } : {})
  }
  return Object.keys(fields).length > 0 ? fields : { form: t('refusal.other', { reason: error.message }) }
}
