import type { JSX } from 'preact'
import { useLocation } from 'preact-iso'
import { t } from '../i18n/i18n.ts'
import { Tabs } from '../ui/tabs.tsx'
import { TranscodingList } from './transcoding-list.tsx'
import { AdminPage } from './admin-page.tsx'
import { JobList, type JobTab } from './job-list.tsx'
import './jobs.css'

type Tab = 'encodings' | JobTab
const TAB_TEXTS = {
  encodings: 'jobs.encodings',
  active: 'jobs.active',
  waiting: 'jobs.waiting',
  failed: 'jobs.failed',
  completed: 'jobs.completed',
  delayed: 'jobs.delayed'
} as const

/** The transcodings and the jobs of every state. */
export default function JobsPage(): JSX.Element {
  const { query, route } = useLocation()
  const tab: Tab = Object.hasOwn(TAB_TEXTS, query.tab ?? '') ? (query.tab as Tab) : 'encodings'
  return (
    <AdminPage section="jobs">
      {() => (
        <Tabs<Tab>
          label={t('jobs.name')}
          chosen={tab}
          onChoose={next => route(`/admin/jobs?tab=${next}`, true)}
          tabs={Object.entries(TAB_TEXTS).map(([id, name]) => [id as Tab, t(name)])}
        >
          {tab === 'encodings' ? <TranscodingList /> : <JobList key={tab} state={tab} />}
        </Tabs>
      )}
    </AdminPage>
  )
}
