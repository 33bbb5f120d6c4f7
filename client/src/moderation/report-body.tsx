import type { ComponentChildren, JSX } from 'preact'
import type { UserAbuse } from '../../../shared/abuses.ts'
import { displayHandle } from '../actors/actor-header.tsx'
import { t } from '../i18n/i18n.ts'
import { Badge } from '../ui/feedback.tsx'
import { REPORT_REASON_TEXTS } from '../reports/report-reasons.ts'

/** A report: its subject and its reasons, with `children` below. */
export function ReportBody({ report, children }: { report: UserAbuse; children: ComponentChildren }): JSX.Element {
  const { reason, predefinedReasons, comment, flaggedAccount } = report
  const { text, href } = reportSubject(report)
  return (
    <li class="report">
      <h2>{href ? <a href={href}>{text}</a> : text}</h2>
      {comment && !comment.deleted && <blockquote class="report-quote">{toPlainText(comment.text, flaggedAccount?.host)}</blockquote>}
      <p class="report-words">{reason || <span class="soft">{t('reports.noWords')}</span>}</p>
      {predefinedReasons.length > 0 && (
        <p class="row">
          {predefinedReasons.map(predefinedReason => (
            <Badge key={predefinedReason} kind="warn">
              {t(REPORT_REASON_TEXTS[predefinedReason])}
            </Badge>
          ))}
        </p>
      )}
      {children}
    </li>
  )
}

/** Comments of other servers are HTML: returns their plain text. */
function toPlainText(text: string, host = location.host): string {
  return host === location.host ? text : (new DOMParser().parseFromString(text, 'text/html').body.textContent ?? '')
}

/** Returns the text that names the subject of a report, and its path; null if the subject has no page (any more). */
export function reportSubject({ video, comment, flaggedAccount }: UserAbuse): { text: string; href: string | null } {
  const name = flaggedAccount ? displayHandle(flaggedAccount) : t('reports.nobody')
  if (video)
    return {
      text: t('reports.video', { title: video.name, name }),
      href: video.deleted ? null : `/w/${video.uuid}${video.startAt === null ? '' : `?start=${video.startAt}`}`
    }
  if (comment) return { text: t('reports.comment', { name }), href: comment.video ? `/w/${comment.video.uuid}` : null }
  return { text: t('reports.account', { name }), href: flaggedAccount && `/a/${name}` }
}
