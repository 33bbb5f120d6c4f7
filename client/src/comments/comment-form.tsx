import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { Button } from '../ui/button.tsx'
import { TextArea } from '../ui/field.tsx'

const LONGEST = 10_000

type Props = {
  label: string
  submit: string
  send: (text: string) => Promise<void>
  /** With it the form is open from the start and can be closed. */
  onCancel?: () => void
  hint?: string
}

/** A place to write a comment or an answer. Control and Enter send it. */
export function CommentForm({ label, submit, send, onCancel, hint }: Props): JSX.Element {
  const [text, setText] = useState('')
  const [open, setOpen] = useState(onCancel !== undefined)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    if (onCancel) form.current!.querySelector('textarea')!.focus()
  }, [])

  const submitText = async (event: Event) => {
    event.preventDefault()
    if (busy || text.trim() === '') return
    setBusy(true)
    setProblem(null)
    try {
      await send(text.trim())
      setText('')
    } catch (error) {
      setProblem(error instanceof ApiError && error.status === 409 ? t('comments.closed') : apiErrorText(error))
    } finally {
      setBusy(false)
    }
  }
  const cancel = () => {
    setText('')
    setProblem(null)
    setOpen(false)
    onCancel?.()
  }
  return (
    <form
      class="write"
      ref={form}
      onSubmit={event => void submitText(event)}
      onFocusIn={() => setOpen(true)}
      onKeyDown={event => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void submitText(event)
        if (event.key === 'Escape' && onCancel && text.trim() === '') cancel()
      }}
    >
      <TextArea
        label={label}
        value={text}
        onText={setText}
        rows={open ? 4 : 1}
        maxLength={LONGEST}
        hint={open ? `${hint ? `${hint} ` : ''}${t('video.markdown')}` : undefined}
        error={problem}
      />
      {open && (
        <div class="write-foot">
          <Button look="quiet" onClick={cancel}>
            {t('ui.cancel')}
          </Button>
          <Button look="primary" type="submit" busy={busy} disabled={text.trim() === ''}>
            {submit}
          </Button>
        </div>
      )}
    </form>
  )
}
