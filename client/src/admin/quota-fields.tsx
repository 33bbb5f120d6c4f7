import type { JSX } from 'preact'
import { t } from '../i18n/i18n.ts'
import { TextField } from '../ui/field.tsx'
import { parseQuotaInput } from './quota.ts'

/** The two quotas of a user, as texts in gigabytes. */
export type QuotaInputs = { total: string; daily: string }

/** Fields for how much space somebody has in all and in a day. */
export function QuotaFields({ quotas, onChange }: { quotas: QuotaInputs; onChange: (quotas: QuotaInputs) => void }): JSX.Element {
  const wrong = (text: string) => (parseQuotaInput(text) === null ? t('users.quotaError') : null)
  return (
    <div class="admin-pair">
      <TextField
        label={t('users.quota')}
        hint={t('users.quotaHint')}
        error={wrong(quotas.total)}
        inputMode="decimal"
        autoComplete="off"
        value={quotas.total}
        onText={total => onChange({ ...quotas, total })}
      />
      <TextField
        label={t('users.quotaDaily')}
        hint={t('users.quotaHint')}
        error={wrong(quotas.daily)}
        inputMode="decimal"
        autoComplete="off"
        value={quotas.daily}
        onText={daily => onChange({ ...quotas, daily })}
      />
    </div>
  )
}
