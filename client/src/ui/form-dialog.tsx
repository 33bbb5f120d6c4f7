import type { ComponentChildren, JSX } from 'preact'
import { useId, useState } from 'preact/hooks'
import { t } from '../i18n/i18n.ts'
import { Button } from './button.tsx'
import { Dialog } from './dialog.tsx'

/** A dialog with a form. While `onSubmit` runs, which shows its own errors, its button is busy and submits nothing, for the Enter key neither. */
export function FormDialog({
  title,
  submitText,
  look = 'primary',
  onSubmit,
  onClose,
  children
}: {
  title: string
  submitText: string
  look?: 'primary' | 'danger'
  onSubmit: () => Promise<void>
  onClose: () => void
  children: ComponentChildren
}): JSX.Element {
  const formId = useId()
  const [busy, setBusy] = useState(false)
  const submit = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    await onSubmit()
    setBusy(false)
  }
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button look="quiet" onClick={onClose}>
            {t('ui.cancel')}
          </Button>
          <Button look={look} type="submit" form={formId} busy={busy}>
            {submitText}
          </Button>
        </>
      }
    >
      <form id={formId} class="form" onSubmit={event => void submit(event)}>
        {children}
      </form>
    </Dialog>
  )
}
