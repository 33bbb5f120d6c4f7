import type { JSX } from 'preact'
import { useId, useState } from 'preact/hooks'
import type { User } from '../../../shared/accounts.ts'
import { api } from '../api.ts'
import { t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextArea } from '../ui/field.tsx'
import { Notice } from '../ui/feedback.tsx'
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
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const formId = useId()
  const block = async (event: Event) => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    try {
      await api('POST /users/:id/block', { params: { id }, body: reason.trim() ? { reason: reason.trim() } : {} })
      showToast(t('users.nowBlocked', { name: username }))
      onDone()
    } catch (error) {
      setProblem(apiErrorText(error))
      setBusy(false)
    }
  }
  return (
    <Dialog
      title={t('users.blockTitle', { name: username })}
      onClose={onClose}
      actions={
        <>
          <Button look="quiet" onClick={onClose}>
            {t('ui.cancel')}
          </Button>
          <Button look="danger" type="submit" form={formId} busy={busy}>
            {t('users.block')}
          </Button>
        </>
      }
    >
      <form id={formId} class="form" onSubmit={event => void block(event)}>
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
      </form>
    </Dialog>
  )
}
