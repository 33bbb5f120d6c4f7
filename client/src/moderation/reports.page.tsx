import type { JSX } from 'preact'
import { useLocation } from 'preact-iso'
import type { AdminAbuse } from '../../../shared/abuses.ts'
import { AdminPage } from '../admin/admin-page.tsx'
import { api } from '../api.ts'
import { useList } from '../use-list.ts'
import { t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'
import { ErrorState } from '../ui/feedback.tsx'
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
  const { items, total, busy, failed, more, next, reload } = useList<AdminAbuse>(
    async range => await api('GET /abuses', { query: { ...range, state, sort: '-createdAt' } }),
    null
  )
  return (
    <div aria-busy={busy}>
      {items.length > 0 && (
        <ul class="reports" role="list">
          {items.map(report => (
            <ReportListItem key={report.id} report={report} onChange={reload} />
          ))}
        </ul>
      )}
      {total === 0 && <p class="soft">{t('moderation.noReports')}</p>}
      {failed && <ErrorState text={t('ui.noConnection')} onRetry={reload} />}
      {!failed && more && (
        <div class="endless-end">
          <Button busy={busy} onClick={next}>
            {t('mine.more')}
          </Button>
        </div>
      )}
    </div>
  )
}
