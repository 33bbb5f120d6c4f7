import type { JSX } from 'preact'
import { useLocation } from 'preact-iso'
import { t } from '../i18n/i18n.ts'
import { Tabs } from '../ui/tabs.tsx'
import { TranscodingList } from './transcoding-list.tsx'
import { AdminPage } from './admin-page.tsx'
import { JobList, type JobTab } from './job-list.tsx'
import './jobs.css'

type Tab = 'encodings' | JobTab
const TABS = {
  encodings: 'jobs.encodings',
  active: 'jobs.active',
  waiting: 'jobs.waiting',
  failed: 'jobs.failed',
  completed: 'jobs.completed',
  delayed: 'jobs.delayed'
} as const

/** What the site works at, is about to do, did and could not do. */
export default function JobsPage(): JSX.Element {
  const { query, route } = useLocation()
  const tab: Tab = Object.hasOwn(TABS, query.tab ?? '') ? (query.tab as Tab) : 'encodings'
  return (
    <AdminPage room="jobs">
      {() => (
        <Tabs<Tab>
          label={t('jobs.name')}
          chosen={tab}
          onChoose={one => route(`/admin/jobs?tab=${one}`, true)}
          tabs={Object.entries(TABS).map(([one, name]) => [one as Tab, t(name)])}
        >
          {tab === 'encodings' ? <TranscodingList /> : <JobList key={tab} state={tab} />}
        </Tabs>
      )}
    </AdminPage>
  )
}
