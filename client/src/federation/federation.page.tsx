import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { t } from '../i18n/i18n.ts'
import { loadMe, me } from '../session.ts'
import { Members } from '../shell/members.tsx'
import { useTitle } from '../shell/title.ts'
import { ButtonLink } from '../ui/button.tsx'
import { State } from '../ui/state.tsx'
import { Tabs } from '../ui/tabs.tsx'
import { Followers } from './followers.tsx'
import { Following } from './following.tsx'
import { Peers } from './peers.tsx'
import './federation.css'

type Tab = 'following' | 'followers' | 'peers'
const ADMINISTRATOR = 0

/** Other servers: whom this one follows, who follows it, and how it gets on with each. For administrators. */
export default function FederationPage(): JSX.Element {
  useTitle(t('federation.name'))
  return <Members><Rooms /></Members>
}

function Rooms(): JSX.Element {
  const { query, route } = useLocation()
  const tab: Tab = query.tab === 'followers' || query.tab === 'peers' ? query.tab : 'following'
  useEffect(() => { if (!me.peek()) loadMe().catch(() => { /* the page stays empty until it is known who is here */ }) }, [])
  const user = me.value
  if (user && user.role.id !== ADMINISTRATOR) return <div class="page"><State heading="h1" icon="lock" title={t('federation.forbidden')}><ButtonLink href="/">{t('ui.toHome')}</ButtonLink></State></div>
  return (
    <div class="page page-servers">
      <div class="page-head"><h1>{t('federation.name')}</h1></div>
      <Tabs<Tab> label={t('federation.name')} chosen={tab} onChoose={one => route(`/admin/federation?tab=${one}`, true)} tabs={[['following', t('federation.following')], ['followers', t('federation.followers')], ['peers', t('federation.peers')]]}>
        {user && tab === 'following' && <Following />}
        {user && tab === 'followers' && <Followers />}
        {user && tab === 'peers' && <Peers />}
      </Tabs>
    </div>
  )
}
