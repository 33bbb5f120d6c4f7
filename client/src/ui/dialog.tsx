import type { ComponentChildren, JSX } from 'preact'
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { signal } from '@preact/signals'
import { t } from '../i18n/i18n.ts'
import { Button, IconButton } from './button.tsx'
import { TextField } from './field.tsx'
import './dialog.css'

/** A modal dialog: the browser keeps the focus in it; Escape and a click outside call `onClose`. */
export function Dialog({
  title,
  onClose,
  children,
  actions
}: {
  title: string
  onClose: () => void
  children: ComponentChildren
  actions?: ComponentChildren
}): JSX.Element {
  const element = useRef<HTMLDialogElement>(null)
  const id = useId()
  useLayoutEffect(() => {
    const dialog = element.current!
    const previouslyFocused = document.activeElement
    dialog.showModal()
    return () => {
      dialog.close()
      if (previouslyFocused instanceof HTMLElement) previouslyFocused.focus()
    }
  }, [])
  return (
    <dialog
      ref={element}
      class="dialog"
      aria-labelledby={id}
      onCancel={event => {
        event.preventDefault()
        onClose()
      }}
      onClick={event => {
        if (event.target === element.current) onClose()
      }}
    >
      <div class="dialog-box">
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          <IconButton label={t('ui.close')} icon="close" onClick={onClose} />
        </header>
        <div class="dialog-body">{children}</div>
        {actions && <footer class="dialog-foot">{actions}</footer>}
      </div>
    </dialog>
  )
}

type ConfirmQuestion = {
  title: string
  text: string
  points?: string[]
  typed?: string
  yes: string
  onAnswer: (confirmed: boolean) => void
}
const openQuestion = signal<ConfirmQuestion | null>(null)

/**
 * Asks for confirmation before something that cannot be undone; resolves with whether the user confirmed. `points` lists what is lost,
 * `typed` is a text that has to be entered before `yes` can be pressed.
 */
export function openConfirmDialog(question: Omit<ConfirmQuestion, 'onAnswer'>): Promise<boolean> {
  return new Promise(resolve => {
    openQuestion.value = {
      ...question,
      onAnswer: confirmed => {
        openQuestion.value = null
        resolve(confirmed)
      }
    }
  })
}

/** Renders the dialog of `openConfirmDialog`; once in the app. */
export function ConfirmDialog(): JSX.Element | null {
  return openQuestion.value && <ConfirmDialogContent question={openQuestion.value} />
}

function ConfirmDialogContent({ question }: { question: ConfirmQuestion }): JSX.Element {
  const [input, setInput] = useState('')
  const canConfirm = question.typed === undefined || input.trim() === question.typed
  return (
    <Dialog
      title={question.title}
      onClose={() => question.onAnswer(false)}
      actions={
        <>
          <Button look="quiet" onClick={() => question.onAnswer(false)}>
            {t('ui.cancel')}
          </Button>
          <Button look="danger" disabled={!canConfirm} onClick={() => question.onAnswer(true)}>
            {question.yes}
          </Button>
        </>
      }
    >
      <p>{question.text}</p>
      {question.points && (
        <ul class="dialog-points">
          {question.points.map(point => (
            <li key={point}>{point}</li>
          ))}
        </ul>
      )}
      {question.typed !== undefined && (
        <form
          class="dialog-typed"
          onSubmit={event => {
            event.preventDefault()
            if (canConfirm) question.onAnswer(true)
          }}
        >
          <TextField
            label={t('ui.typeToConfirm', { text: question.typed })}
            value={input}
            onText={setInput}
            autoFocus
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
          />
        </form>
      )}
    </Dialog>
  )
}
