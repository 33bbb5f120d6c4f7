import type { JSX } from 'preact'
import { useLocation } from 'preact-iso'
import { AdminPage } from '../admin/admin-page.tsx'
import { t } from '../i18n/i18n.ts'
import { Tabs } from '../ui/tabs.tsx'
import { Activities } from './activities.tsx'
import { Followers } from './followers.tsx'
import { Following } from './following.tsx'
import { Peers } from './peers.tsx'
import './federation.css'

const TABS = ['following', 'followers', 'peers', 'activities'] as const
type Tab = (typeof TABS)[number]

/** The federation section of the administration: followed actors, followers, the state of the known servers, and activities
 * without effect. */
export default function FederationPage(): JSX.Element {
  const { query, route } = useLocation()
  const tab = TABS.find(one => one === query.tab) ?? 'following'
  return (
    <AdminPage section="federation">
      {() => (
        <Tabs<Tab>
          label={t('federation.name')}
          chosen={tab}
          onChoose={next => route(`/admin/federation?tab=${next}`, true)}
          tabs={[
            ['following', t('federation.following')],
            ['followers', t('federation.followers')],
            ['peers', t('federation.peers')],
            ['activities', t('federation.activities')]
          ]}
        >
          {tab === 'following' && <Following />}
          {tab === 'followers' && <Followers />}
          {tab === 'peers' && <Peers />}
          {tab === 'activities' && <Activities />}
        </Tabs>
      )}
    </AdminPage>
  )
}
