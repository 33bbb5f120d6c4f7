import type { JSX } from 'preact'
import { useLocation } from 'preact-iso'
import type { AdminAbuse } from '../../../shared/abuses.ts'
import { AdminPage } from '../admin/admin-page.tsx'
import { PagedList } from '../admin/paged-list.tsx'
import { api } from '../api.ts'
import { useList } from '../use-list.ts'
import { t } from '../i18n/i18n.ts'
import { Tabs } from '../ui/tabs.tsx'
import { ReportListItem } from './report-list-item.tsx'
import './reports.css'

const STATE_IDS = { pending: 1, accepted: 3, rejected: 2 } as const
type Tab = keyof typeof STATE_IDS

/** The reports for the moderators, from this and other servers. */
export default function ReportsPage(): JSX.Element {
  const { query, route } = useLocation()
  const tab: Tab = query.tab === 'accepted' || query.tab === 'rejected' ? query.tab : 'pending'
  return (
    <AdminPage section="reports">
      {() => (
        <Tabs<Tab>
          label={t('reports.name')}
          chosen={tab}
          onChoose={next => route(`/admin/reports?tab=${next}`, true)}
          tabs={[
            ['pending', t('moderation.pending')],
            ['accepted', t('moderation.accepted')],
            ['rejected', t('moderation.rejected')]
          ]}
        >
          <Reports key={tab} state={STATE_IDS[tab]} />
        </Tabs>
      )}
    </AdminPage>
  )
}

function Reports({ state }: { state: number }): JSX.Element {
  const list = useList<AdminAbuse>(async range => await api('GET /abuses', { query: { ...range, state, sort: '-createdAt' } }), null)
  return (
    <PagedList list={list} look="reports" emptyText={t('moderation.noReports')}>
      {report => <ReportListItem key={report.id} report={report} onChange={list.reload} />}
    </PagedList>
  )
}
