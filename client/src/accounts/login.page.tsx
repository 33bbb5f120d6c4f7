import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { ApiError } from '../api-error.ts'
import { isLoggedIn } from '../credentials.ts'
import { t } from '../i18n/i18n.ts'
import { instanceConfig } from '../instance/config.ts'
import { logIn } from '../session.ts'
import { useRouteFromHere } from '../page/route-from-here.ts'
import { useTitle } from '../page/title.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { Notice } from '../ui/feedback.tsx'
import { nextPath } from './next-path.ts'
import { PasswordField } from './password-field.tsx'

/** The login form; after a login it leads to the path in the query parameter `next`. */
export default function LoginPage(): JSX.Element {
  useTitle(t('login.name'))
  const { query, route } = useLocation()
  const routeFromHere = useRouteFromHere()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const next = nextPath(query.next)
  useEffect(() => {
    if (isLoggedIn.peek()) route(next, true)
  }, [])

  const submit = async (event: Event) => {
    event.preventDefault()
    if (busy) return
    if (username.trim() === '' || password === '') {
      setProblem(t('login.empty'))
      return
    }
    setBusy(true)
    setProblem(null)
    try {
      await logIn(username.trim(), password)
      routeFromHere(next, true)
    } catch (error) {
      setProblem(loginErrorText(error))
      setBusy(false)
    }
  }
  return (
    <div class="page page-form">
      <h1>{t('login.name')}</h1>
      <form class="form panel" onSubmit={event => void submit(event)} noValidate>
        {problem && <Notice kind="bad">{problem}</Notice>}
        <TextField
          label={t('login.username')}
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          required
          value={username}
          onText={setUsername}
        />
        <PasswordField label={t('login.password')} autocomplete="current-password" value={password} onText={setPassword} />
        <Button look="primary" type="submit" busy={busy}>
          {t('login.go')}
        </Button>
      </form>
      {instanceConfig.value?.signup.allowed && (
        <p class="form-after">
          {t('login.noAccount')} <a href={`/signup${query.next ? `?next=${encodeURIComponent(query.next)}` : ''}`}>{t('app.signup')}</a>
        </p>
      )}
    </div>
  )
}

function loginErrorText(error: unknown): string {
  if (!(error instanceof ApiError) || error.status === 0) return t('ui.noConnection')
  if (error.status === 429) return t('login.tooMany')
  if (error.code === 'access_denied') return t('login.denied', { reason: error.message })
  return error.code === 'invalid_grant' ? t('login.wrong') : t('refusal.other', { reason: error.message })
}
