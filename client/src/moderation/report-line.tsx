import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Abuse } from '../../../shared/abuses.ts'
import { api } from '../api.ts'
import { isMissing } from '../api-error.ts'
import { handleOf } from '../channels/profile.tsx'
import { formatAge, formatDate, t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'
import { confirm } from '../ui/dialog.tsx'
import { Badge } from '../ui/state.tsx'
import { toast } from '../ui/toast.tsx'
import { REASONS } from './reasons.ts'

const STATE = { pending: 1, rejected: 2, accepted: 3 } as const

/** One report: about what, by whom, why, and what a moderator does about it. */
export function ReportLine({ report, onChange }: { report: Abuse, onChange: () => void }): JSX.Element {
  const [busy, setBusy] = useState(false)
  const { id, reason, predefinedReasons, reporterAccount, createdAt, state } = report
  const params = { id }
  const subject = subjectOf(report)
  const act = async (what: () => Promise<unknown>, done: string) => {
    setBusy(true)
    try {
      // Somebody else may have been faster.
      await what().catch((error: unknown) => { if (!isMissing(error)) throw error })
      toast(done)
      onChange()
    } catch { toast(t('ui.noConnection'), { bad: true }) } finally { setBusy(false) }
  }
  const decide = async (next: number) => await act(async () => await api('PUT /abuses/:id', { params, body: { state: next } }), t('reports.decided'))
  const remove = async () => {
    if (await confirm({ title: t('reports.deleteTitle'), text: t('reports.deleteText'), yes: t('mine.deleteYes') })) await act(async () => await api('DELETE /abuses/:id', { params }), t('reports.deleted'))
  }
  return (
    <li class="report">
      <h2>{subject.href ? <a href={subject.href}>{subject.text}</a> : subject.text}</h2>
      {report.comment && !report.comment.deleted && <blockquote class="report-quote">{wordsOf(report.comment.text, report.flaggedAccount?.host)}</blockquote>}
      <p class="report-words">{reason || <span class="soft">{t('reports.noWords')}</span>}</p>
      {predefinedReasons.length > 0 && <p class="row">{predefinedReasons.map(one => <Badge key={one} kind="warn">{t(REASONS[one])}</Badge>)}</p>}
      <p class="soft small">
        {t('reports.by', { name: reporterAccount ? handleOf(reporterAccount) : t('reports.nobody') })} · <time dateTime={createdAt} title={formatDate(createdAt, { dateStyle: 'long', timeStyle: 'short' })}>{formatAge(createdAt)}</time>
      </p>
      <div class="report-acts">
        {state.id !== STATE.accepted && <Button look="primary" icon="check" busy={busy} aria-label={t('reports.acceptOf', { name: subject.text })} onClick={() => void decide(STATE.accepted)}>{t('reports.accept')}</Button>}
        {state.id !== STATE.rejected && <Button icon="close" busy={busy} aria-label={t('reports.rejectOf', { name: subject.text })} onClick={() => void decide(STATE.rejected)}>{t('reports.reject')}</Button>}
        <Button look="quiet" icon="trash" busy={busy} aria-label={t('reports.deleteOf', { name: subject.text })} onClick={() => void remove()}>{t('mine.deleteYes')}</Button>
      </div>
    </li>
  )
}

/** People elsewhere write HTML: only its words are shown. */
function wordsOf(text: string, host = location.host): string {
  return host === location.host ? text : new DOMParser().parseFromString(text, 'text/html').body.textContent ?? ''
}

/** What a report is about, and where that is. */
function subjectOf({ video, comment, flaggedAccount }: Abuse): { text: string, href: string | null } {
  const name = flaggedAccount ? handleOf(flaggedAccount) : t('reports.nobody')
  if (video) return { text: t('reports.video', { title: video.name, name }), href: video.deleted ? null : `/w/${video.uuid}${video.startAt === null ? '' : `?start=${video.startAt}`}` }
  if (comment) return { text: t('reports.comment', { name }), href: comment.video ? `/w/${comment.video.uuid}` : null }
  return { text: t('reports.account', { name }), href: flaggedAccount && `/a/${name}` }
}
