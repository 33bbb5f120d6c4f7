import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { User } from '../../../shared/accounts.ts'
import { api } from '../api.ts'
import { t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { TextArea } from '../ui/field.tsx'
import { Notice } from '../ui/feedback.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'
import { showToast } from '../ui/toast.tsx'

const MAX_REASON_LENGTH = 250

/** A dialog that blocks a user, with an optional reason. */
export function BlockForm({
  user: { id, username },
  onClose,
  onDone
}: {
  user: User
  onClose: () => void
  onDone: () => void
}): JSX.Element {
  const [reason, setReason] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const block = async () => {
    try {
      await api('POST /users/:id/block', { params: { id }, body: reason.trim() ? { reason: reason.trim() } : {} })
      showToast(t('users.nowBlocked', { name: username }))
      onDone()
    } catch (error) {
      setProblem(apiErrorText(error))
    }
  }
  return (
    <FormDialog
      title={t('users.blockTitle', { name: username })}
      submitText={t('users.block')}
      look="danger"
      onSubmit={block}
      onClose={onClose}
    >
      {problem && <Notice kind="bad">{problem}</Notice>}
      <p>{t('users.blockText')}</p>
      <TextArea
        label={t('users.blockReason')}
        hint={t('users.blockReasonHint')}
        maxLength={MAX_REASON_LENGTH}
        rows={3}
        value={reason}
        onText={setReason}
      />
    </FormDialog>
  )
}
