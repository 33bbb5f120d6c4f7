import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { api } from '../api.ts'
import { ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { TextArea } from '../ui/field.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'
import { showToast } from '../ui/toast.tsx'
import { REPORT_REASON_TEXTS, type ReportReason } from './report-reasons.ts'
import './report-form.css'

const MAX_REASON_LENGTH = 3000

type Props = {
  /** The reported object, and its display name. */
  subject: { kind: 'video' | 'comment' | 'account'; id: number; name: string }
  /** The host of the reported account, or of the account of the reported object. */
  host: string
  headers?: Record<string, string>
  onClose: () => void
}

/** A dialog that reports a video, a comment or an account to the moderators. */
export function ReportForm({ subject: { kind, id, name }, host, headers, onClose }: Props): JSX.Element {
  const [reason, setReason] = useState('')
  const [chosen, setChosen] = useState<ReportReason[]>([])
  const [problem, setProblem] = useState<string | null>(null)
  const send = async () => {
    if (reason.trim().length < 2) {
      setProblem(t('reports.needsWords'))
      return
    }
    setProblem(null)
    try {
      await api('POST /abuses', { body: { reason: reason.trim(), predefinedReasons: chosen, [kind]: { id } }, headers })
      showToast(t('reports.sent'))
      onClose()
    } catch (error) {
      setProblem(error instanceof ApiError && error.status > 0 ? t('reports.refused') : t('ui.noConnection'))
    }
  }
  return (
    <FormDialog title={t('reports.of', { name })} submitText={t('reports.send')} onSubmit={send} onClose={onClose}>
      <p class="soft">{host === location.host ? t('reports.intro') : t('reports.introElsewhere', { host })}</p>
      <TextArea label={t('reports.reason')} value={reason} onText={setReason} maxLength={MAX_REASON_LENGTH} error={problem} />
      <fieldset class="report-reasons">
        <legend class="field-label">{t('reports.kinds')}</legend>
        {(Object.keys(REPORT_REASON_TEXTS) as ReportReason[]).map(option => (
          <label key={option}>
            <input
              type="checkbox"
              checked={chosen.includes(option)}
              onChange={event => setChosen(event.currentTarget.checked ? [...chosen, option] : chosen.filter(other => other !== option))}
            />
            {t(REPORT_REASON_TEXTS[option])}
          </label>
        ))}
      </fieldset>
    </FormDialog>
  )
}
