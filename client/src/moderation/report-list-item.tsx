import type { JSX } from 'preact'
import type { AdminAbuse } from '../../../shared/abuses.ts'
import { api } from '../api.ts'
import { displayHandle } from '../actors/actor-header.tsx'
import { formatAge, formatDate, t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'
import { openConfirmDialog } from '../ui/dialog.tsx'
import { ReportBody, reportSubject } from './report-body.tsx'
import { Conversation } from './conversation.tsx'
import { useModerationAction } from './use-moderation-action.ts'

const STATE_IDS = { pending: 1, rejected: 2, accepted: 3 } as const

/** A report in the list of the moderators, with the actions to accept, reject or delete it. */
export function ReportListItem({ report, onChange }: { report: AdminAbuse; onChange: () => void }): JSX.Element {
  const { busy, runAction } = useModerationAction(onChange)
  const { id, reporterAccount, createdAt, state } = report
  const params = { id }
  const subject = reportSubject(report).text
  const decide = async (newState: number) =>
    await runAction(async () => await api('PUT /abuses/:id', { params, body: { state: newState } }), t('moderation.decided'))
  const confirmAndDelete = async () => {
    if (
      await openConfirmDialog({
        title: t('moderation.deleteReportTitle'),
        text: t('moderation.deleteReportText'),
        yes: t('mine.deleteYes')
      })
    )
      await runAction(async () => await api('DELETE /abuses/:id', { params }), t('moderation.reportDeleted'))
  }
  return (
    <ReportBody report={report}>
      <p class="soft small">
        {t('moderation.reportedBy', { name: reporterAccount ? displayHandle(reporterAccount) : t('reports.nobody') })} ·{' '}
        <time dateTime={createdAt} title={formatDate(createdAt, { dateStyle: 'long', timeStyle: 'short' })}>
          {formatAge(createdAt)}
        </time>
      </p>
      <div class="report-acts">
        {state.id !== STATE_IDS.accepted && (
          <Button
            look="primary"
            icon="check"
            busy={busy}
            aria-label={t('moderation.acceptOf', { name: subject })}
            onClick={() => void decide(STATE_IDS.accepted)}
          >
            {t('moderation.accept')}
          </Button>
        )}
        {state.id !== STATE_IDS.rejected && (
          <Button
            icon="close"
            busy={busy}
            aria-label={t('moderation.rejectOf', { name: subject })}
            onClick={() => void decide(STATE_IDS.rejected)}
          >
            {t('moderation.reject')}
          </Button>
        )}
        <Button
          look="quiet"
          icon="trash"
          busy={busy}
          aria-label={t('moderation.deleteReportOf', { name: subject })}
          onClick={() => void confirmAndDelete()}
        >
          {t('mine.deleteYes')}
        </Button>
      </div>
      {/* A reporter of another server cannot read messages. */}
      {(report.countMessages > 0 || reporterAccount?.host === location.host) && (
        <Conversation id={id} count={report.countMessages} subject={subject} />
      )}
    </ReportBody>
  )
}
