import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { t } from '../i18n/i18n.ts'
import { loadCurrentUser, currentUser } from '../session.ts'
import { RequireLogin } from '../page/require-login.tsx'
import { useTitle } from '../page/title.ts'
import { Tabs } from '../ui/tabs.tsx'
import { DisplaySettings } from './display-settings.tsx'
import { PasswordSettings } from './password-settings.tsx'
import { ProfileSettings } from './profile-settings.tsx'

type Tab = 'profile' | 'password' | 'display'

/** The settings of the logged-in user, in tabs. */
export default function AccountSettingsPage(): JSX.Element {
  useTitle(t('settings.name'))
  return (
    <RequireLogin>
      <SettingsTabs />
    </RequireLogin>
  )
}

function SettingsTabs(): JSX.Element {
  const { query, route } = useLocation()
  const tab: Tab = query.tab === 'password' || query.tab === 'display' ? query.tab : 'profile'
  useEffect(() => {
    if (!currentUser.peek())
      loadCurrentUser().catch(() => {
        /* the profile form is not shown until the user is known */
      })
  }, [])
  const user = currentUser.value
  return (
    <div class="page page-narrow">
      <div class="page-head">
        <h1>{t('settings.name')}</h1>
        <nav class="row" aria-label={t('settings.elsewhere')}>
          <a href="/my/channels">{t('channels.title')}</a>
          <a href="/my/reports">{t('reports.mine')}</a>
        </nav>
      </div>
      <Tabs<Tab>
        label={t('settings.name')}
        chosen={tab}
        onChoose={next => route(`/settings?tab=${next}`, true)}
        tabs={[
          ['profile', t('settings.profile')],
          ['password', t('settings.password')],
          ['display', t('settings.display')]
        ]}
      >
        {tab === 'profile' && user && <ProfileSettings user={user} />}
        {tab === 'password' && <PasswordSettings />}
        {tab === 'display' && <DisplaySettings user={user} />}
      </Tabs>
    </div>
  )
}
