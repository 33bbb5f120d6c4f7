import type { JSX } from 'preact'
import { t } from '../i18n/i18n.ts'
import { TextField } from '../ui/field.tsx'
import { parseQuotaInput } from './quota.ts'

/** The total and the daily quota of a user as the fields hold them: gigabytes, empty for no limit. */
export type QuotaInputs = { total: string; daily: string }

/** The fields for the total and the daily quota of a user. */
export function QuotaFields({ quotas, onChange }: { quotas: QuotaInputs; onChange: (quotas: QuotaInputs) => void }): JSX.Element {
  const quotaError = (text: string) => (parseQuotaInput(text) === null ? t('users.quotaError') : null)
  return (
    <div class="admin-pair">
      <TextField
        label={t('users.quota')}
        hint={t('users.quotaHint')}
        error={quotaError(quotas.total)}
        inputMode="decimal"
        autoComplete="off"
        value={quotas.total}
        onText={total => onChange({ ...quotas, total })}
      />
      <TextField
        label={t('users.quotaDaily')}
        hint={t('users.quotaHint')}
        error={quotaError(quotas.daily)}
        inputMode="decimal"
        autoComplete="off"
        value={quotas.daily}
        onText={daily => onChange({ ...quotas, daily })}
      />
    </div>
  )
}
