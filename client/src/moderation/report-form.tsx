import type { JSX } from 'preact'
import { useId, useState } from 'preact/hooks'
import { api } from '../api.ts'
import { ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextArea } from '../ui/field.tsx'
import { showToast } from '../ui/toast.tsx'
import { REPORT_REASON_TEXTS, type ReportReason } from './report-reasons.ts'
import './report-form.css'

const LONGEST = 3000

type Props = {
  /** What is reported, by its number, and what it is called. */
  subject: { kind: 'video' | 'comment' | 'account'; id: number; name: string }
  /** The host of whom it is about. */
  host: string
  headers?: Record<string, string>
  onClose: () => void
}

/** Where one tells the moderators what is wrong with something. */
export function ReportForm({ subject: { kind, id, name }, host, headers, onClose }: Props): JSX.Element {
  const form = useId()
  const [reason, setReason] = useState('')
  const [chosen, setChosen] = useState<ReportReason[]>([])
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const send = async (event: Event) => {
    event.preventDefault()
    if (reason.trim().length < 2) {
      setProblem(t('reports.needsWords'))
      return
    }
    setBusy(true)
    setProblem(null)
    try {
      await api('POST /abuses', { body: { reason: reason.trim(), predefinedReasons: chosen, [kind]: { id } }, headers })
      showToast(t('reports.sent'))
      onClose()
    } catch (error) {
      setProblem(error instanceof ApiError && error.status > 0 ? t('reports.refused') : t('ui.noConnection'))
      setBusy(false)
    }
  }
  return (
    <Dialog
      title={t('reports.of', { name })}
      onClose={onClose}
      actions={
        <>
          <Button look="quiet" onClick={onClose}>
            {t('ui.cancel')}
          </Button>
          <Button look="primary" type="submit" form={form} busy={busy}>
            {t('reports.send')}
          </Button>
        </>
      }
    >
      <form id={form} class="stack" onSubmit={event => void send(event)}>
        <p class="soft">{host === location.host ? t('reports.intro') : t('reports.introElsewhere', { host })}</p>
        <TextArea label={t('reports.reason')} value={reason} onText={setReason} maxLength={LONGEST} error={problem} />
        <fieldset class="report-reasons">
          <legend class="field-label">{t('reports.kinds')}</legend>
          {(Object.keys(REPORT_REASON_TEXTS) as ReportReason[]).map(one => (
            <label key={one}>
              <input
                type="checkbox"
                checked={chosen.includes(one)}
                onChange={event => setChosen(event.currentTarget.checked ? [...chosen, one] : chosen.filter(other => other !== one))}
              />
              {t(REPORT_REASON_TEXTS[one])}
            </label>
          ))}
        </fieldset>
      </form>
    </Dialog>
  )
}
