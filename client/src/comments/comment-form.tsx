import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { Button } from '../ui/button.tsx'
import { TextArea } from '../ui/field.tsx'

const MAX_COMMENT_LENGTH = 10_000

type Props = {
  label: string
  submitLabel: string
  onSend: (text: string) => Promise<void>
  /** If given, the form is expanded and focused from the start and can be closed. */
  onCancel?: () => void
  hint?: string
}

/** The form for a comment or a reply; Ctrl+Enter or Cmd+Enter sends it, Escape closes an empty reply form. */
export function CommentForm({ label, submitLabel, onSend, onCancel, hint }: Props): JSX.Element {
  const [text, setText] = useState('')
  const [expanded, setExpanded] = useState(onCancel !== undefined)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    if (onCancel) form.current!.querySelector('textarea')!.focus()
  }, [])

  const submit = async (event: Event) => {
    event.preventDefault()
    if (busy || text.trim() === '') return
    setBusy(true)
    setProblem(null)
    try {
      await onSend(text.trim())
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
    setExpanded(false)
    onCancel?.()
  }
  return (
    <form
      class="write"
      ref={form}
      onSubmit={event => void submit(event)}
      onFocusIn={() => setExpanded(true)}
      onKeyDown={event => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void submit(event)
        if (event.key === 'Escape' && onCancel && text.trim() === '') cancel()
      }}
    >
      <TextArea
        label={label}
        value={text}
        onText={setText}
        rows={expanded ? 4 : 1}
        maxLength={MAX_COMMENT_LENGTH}
        hint={expanded ? `${hint ? `${hint} ` : ''}${t('video.markdown')}` : undefined}
        error={problem}
      />
      {expanded && (
        <div class="write-foot">
          <Button look="quiet" onClick={cancel}>
            {t('ui.cancel')}
          </Button>
          <Button look="primary" type="submit" busy={busy} disabled={text.trim() === ''}>
            {submitLabel}
          </Button>
        </div>
      )}
    </form>
  )
}
