import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { t } from '../i18n/i18n.ts'
import { loadCurrentUser, currentUser } from '../session.ts'
import { RequireLogin } from '../page/require-login.tsx'
import { useTitle } from '../page/title.ts'
import { ButtonLink } from '../ui/button.tsx'
import { EmptyState } from '../ui/feedback.tsx'
import { firstAllowedAdminPath } from './admin-page.tsx'

/** The start of the administration: redirects to the first section that the user may open. */
export default function AdminIndexPage(): JSX.Element {
  useTitle(t('app.administration'))
  return (
    <RequireLogin>
      <RedirectToFirstSection />
    </RequireLogin>
  )
}

function RedirectToFirstSection(): JSX.Element | null {
  const { route } = useLocation()
  const user = currentUser.value
  useEffect(() => {
    if (!currentUser.peek())
      loadCurrentUser().catch(() => {
        /* no redirect until the user is known */
      })
  }, [])
  const sectionPath = user && firstAllowedAdminPath(user)
  useEffect(() => {
    if (sectionPath) route(sectionPath, true)
  }, [sectionPath])
  if (!user || sectionPath) return null
  return (
    <div class="page">
      <EmptyState heading="h1" icon="lock" title={t('moderation.forbidden')}>
        <ButtonLink href="/">{t('ui.toHome')}</ButtonLink>
      </EmptyState>
    </div>
  )
}
