import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { t } from '../i18n/i18n.ts'
import { loadCurrentUser, currentUser } from '../session.ts'
import { RequireLogin } from '../shell/require-login.tsx'
import { useTitle } from '../shell/title.ts'
import { ButtonLink } from '../ui/button.tsx'
import { EmptyState } from '../ui/feedback.tsx'
import { firstAllowedAdminPath } from './admin-page.tsx'

/** The door of the rooms of those who run the site: it leads to the first one they may enter. */
export default function AdminPage(): JSX.Element {
  useTitle(t('shell.administration'))
  return (
    <RequireLogin>
      <Door />
    </RequireLogin>
  )
}

function Door(): JSX.Element | null {
  const { route } = useLocation()
  const user = currentUser.value
  useEffect(() => {
    if (!currentUser.peek())
      loadCurrentUser().catch(() => {
        /* the door stays shut until it is known who is here */
      })
  }, [])
  const room = user && firstAllowedAdminPath(user)
  useEffect(() => {
    if (room) route(room, true)
  }, [room])
  if (!user || room) return null
  return (
    <div class="page">
      <EmptyState heading="h1" icon="lock" title={t('reports.forbidden')}>
        <ButtonLink href="/">{t('ui.toHome')}</ButtonLink>
      </EmptyState>
    </div>
  )
}
