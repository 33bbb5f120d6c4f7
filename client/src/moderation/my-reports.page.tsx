import type { JSX } from 'preact'
import type { UserAbuse } from '../../../shared/abuses.ts'
import { api } from '../api.ts'
import { useList } from '../use-list.ts'
import { formatAge, formatDate, t } from '../i18n/i18n.ts'
import { RequireLogin } from '../page/require-login.tsx'
import { useTitle } from '../page/title.ts'
import { Button } from '../ui/button.tsx'
import { Badge, ErrorState, EmptyState } from '../ui/feedback.tsx'
import { ReportBody, reportSubject } from './report-body.tsx'
import { Conversation } from './conversation.tsx'
import './reports.css'

const STATE_TEXTS = { 1: 'reports.waiting', 2: 'reports.wasRejected', 3: 'reports.wasAccepted' } as const

/** The reports of the logged-in user, with their states and the messages of the moderators. */
export default function MyReportsPage(): JSX.Element {
  useTitle(t('reports.mine'))
  return (
    <RequireLogin>
      <MyReportList />
    </RequireLogin>
  )
}

function MyReportList(): JSX.Element {
  const { items, total, busy, failed, more, next, reload } = useList<UserAbuse>(
    async range => await api('GET /users/me/abuses', { query: { ...range, sort: '-createdAt' } }),
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
        <Badge kind={state.id === 1 ? 'warn' : undefined}>{t(STATE_TEXTS[state.id as keyof typeof STATE_TEXTS])}</Badge>
        <time dateTime={createdAt} title={formatDate(createdAt, { dateStyle: 'long', timeStyle: 'short' })}>
          {formatAge(createdAt)}
        </time>
      </p>
      <Conversation id={id} count={countMessages} subject={reportSubject(report).text} />
    </ReportBody>
  )
}
