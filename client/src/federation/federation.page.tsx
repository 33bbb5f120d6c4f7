import type { JSX } from 'preact'
import { useLocation } from 'preact-iso'
import { AdminPage } from '../admin/admin-page.tsx'
import { t } from '../i18n/i18n.ts'
import { Tabs } from '../ui/tabs.tsx'
import { Followers } from './followers.tsx'
import { Following } from './following.tsx'
import { Peers } from './peers.tsx'
import './federation.css'

type Tab = 'following' | 'followers' | 'peers'

/** Other servers: whom this one follows, who follows it, and how it gets on with each. For administrators. */
export default function FederationPage(): JSX.Element {
  const { query, route } = useLocation()
  const tab: Tab = query.tab === 'followers' || query.tab === 'peers' ? query.tab : 'following'
  return (
    <AdminPage room="federation">
      {() => (
        <Tabs<Tab>
          label={t('federation.name')}
          chosen={tab}
          onChoose={one => route(`/admin/federation?tab=${one}`, true)}
          tabs={[
            ['following', t('federation.following')],
            ['followers', t('federation.followers')],
            ['peers', t('federation.peers')]
          ]}
        >
          {tab === 'following' && <Following />}
          {tab === 'followers' && <Followers />}
          {tab === 'peers' && <Peers />}
        </Tabs>
      )}
    </AdminPage>
  )
}
