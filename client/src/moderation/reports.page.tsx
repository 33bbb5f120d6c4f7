import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import type { Abuse } from '../../../shared/abuses.ts'
import { api } from '../api.ts'
import { useList } from '../use-list.ts'
import { t } from '../i18n/i18n.ts'
import { loadMe, me } from '../session.ts'
import { Members } from '../shell/members.tsx'
import { useTitle } from '../shell/title.ts'
import { Button, ButtonLink } from '../ui/button.tsx'
import { Failure, State } from '../ui/state.tsx'
import { Tabs } from '../ui/tabs.tsx'
import { ReportLine } from './report-line.tsx'
import './reports.css'

const STATES = { pending: 1, accepted: 3, rejected: 2 } as const
type Tab = keyof typeof STATES
const MODERATOR = 1

/** What people reported, here and on other servers. For moderators. */
export default function ReportsPage(): JSX.Element {
  useTitle(t('reports.name'))
  return <Members><Rooms /></Members>
}

function Rooms(): JSX.Element {
  const { query, route } = useLocation()
  const tab: Tab = query.tab === 'accepted' || query.tab === 'rejected' ? query.tab : 'pending'
  useEffect(() => { if (!me.peek()) loadMe().catch(() => { /* the page stays empty until it is known who is here */ }) }, [])
  const user = me.value
  if (user && user.role.id > MODERATOR) return <div class="page"><State heading="h1" icon="lock" title={t('reports.forbidden')}><ButtonLink href="/">{t('ui.toHome')}</ButtonLink></State></div>
  return (
    <div class="page page-reports">
      <div class="page-head"><h1>{t('reports.name')}</h1></div>
      <Tabs<Tab> label={t('reports.name')} chosen={tab} onChoose={one => route(`/admin/reports?tab=${one}`, true)} tabs={[['pending', t('reports.pending')], ['accepted', t('reports.accepted')], ['rejected', t('reports.rejected')]]}>
        {user && <Reports key={tab} state={STATES[tab]} />}
      </Tabs>
    </div>
  )
}

function Reports({ state }: { state: number }): JSX.Element {
  const { items, total, busy, failed, more, next, reload } = useList<Abuse>(async part => await api('GET /abuses', { query: { ...part, state, sort: '-createdAt' } }), null)
  return (
    <div aria-busy={busy}>
      {items.length > 0 && <ul class="reports" role="list">{items.map(report => <ReportLine key={report.id} report={report} onChange={reload} />)}</ul>}
      {total === 0 && <p class="soft">{t('reports.none')}</p>}
      {failed && <Failure text={t('ui.noConnection')} onRetry={reload} />}
      {!failed && more && <div class="endless-end"><Button busy={busy} onClick={next}>{t('mine.more')}</Button></div>}
    </div>
  )
}
