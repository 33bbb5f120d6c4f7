import type { JSX } from 'preact'
import type { UserAbuse } from '../../../shared/abuses.ts'
import { api } from '../api.ts'
import { useList } from '../use-list.ts'
import { formatAge, formatDate, t } from '../i18n/i18n.ts'
import { RequireLogin } from '../shell/require-login.tsx'
import { useTitle } from '../shell/title.ts'
import { Button } from '../ui/button.tsx'
import { Badge, ErrorState, EmptyState } from '../ui/feedback.tsx'
import { ReportBody, reportSubject } from './report-body.tsx'
import { Conversation } from './conversation.tsx'
import './reports.css'

const STATES = { 1: 'reports.waiting', 2: 'reports.wasRejected', 3: 'reports.wasAccepted' } as const

/** What one has reported, what became of it, and what the moderators say. */
export default function MyReportsPage(): JSX.Element {
  useTitle(t('reports.mine'))
  return (
    <RequireLogin>
      <Mine />
    </RequireLogin>
  )
}

function Mine(): JSX.Element {
  const { items, total, busy, failed, more, next, reload } = useList<UserAbuse>(
    async part => await api('GET /users/me/abuses', { query: { ...part, sort: '-createdAt' } }),
    null
  )
  return (
    <div class="page page-reports" aria-busy={busy}>
      <div class="page-head">
        <h1>{t('reports.mine')}</h1>
      </div>
      {items.length > 0 && (
        <ul class="reports" role="list">
          {items.map(report => (
            <MyReport key={report.id} report={report} />
          ))}
        </ul>
      )}
      {total === 0 && <EmptyState icon="check" title={t('reports.mineNone')} />}
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

function MyReport({ report }: { report: UserAbuse }): JSX.Element {
  const { id, state, createdAt, countMessages } = report
  return (
    <ReportBody report={report}>
      <p class="row soft small">
        <Badge kind={state.id === 1 ? 'warn' : undefined}>{t(STATES[state.id as keyof typeof STATES])}</Badge>
        <time dateTime={createdAt} title={formatDate(createdAt, { dateStyle: 'long', timeStyle: 'short' })}>
          {formatAge(createdAt)}
        </time>
      </p>
      <Conversation id={id} count={countMessages} about={reportSubject(report).text} />
    </ReportBody>
  )
}
