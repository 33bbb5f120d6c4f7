import type { ComponentChildren, JSX } from 'preact'
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { signal } from '@preact/signals'
import { t } from '../i18n/i18n.ts'
import { Button, IconButton } from './button.tsx'
import { TextField } from './field.tsx'
import './dialog.css'

/** A dialog over the page: the browser keeps the focus in it and closes it with Escape. */
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
    const before = document.activeElement
    dialog.showModal()
    return () => {
      dialog.close()
      if (before instanceof HTMLElement) before.focus()
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

type Question = { title: string; text: string; points?: string[]; typed?: string; yes: string; answer: (yes: boolean) => void }
const question = signal<Question | null>(null)

/**
 * Asks before something that cannot be undone; `points` lists what is lost, `typed` is to be written before yes can be said. True when the
 * person says yes.
 */
export function openConfirmDialog(asked: Omit<Question, 'answer'>): Promise<boolean> {
  return new Promise(resolve => {
    question.value = {
      ...asked,
      answer: yes => {
        question.value = null
        resolve(yes)
      }
    }
  })
}

/** Where `openConfirmDialog` shows its question; once in the shell. */
export function ConfirmDialog(): JSX.Element | null {
  return question.value && <Asking asked={question.value} />
}

function Asking({ asked }: { asked: Question }): JSX.Element {
  const [written, setWritten] = useState('')
  const sure = asked.typed === undefined || written.trim() === asked.typed
  return (
    <Dialog
      title={asked.title}
      onClose={() => asked.answer(false)}
      actions={
        <>
          <Button look="quiet" onClick={() => asked.answer(false)}>
            {t('ui.cancel')}
          </Button>
          <Button look="danger" disabled={!sure} onClick={() => asked.answer(true)}>
            {asked.yes}
          </Button>
        </>
      }
    >
      <p>{asked.text}</p>
      {asked.points && (
        <ul class="dialog-points">
          {asked.points.map(point => (
            <li key={point}>{point}</li>
          ))}
        </ul>
      )}
      {asked.typed !== undefined && (
        <form
          class="dialog-typed"
          onSubmit={event => {
            event.preventDefault()
            if (sure) asked.answer(true)
          }}
        >
          <TextField
            label={t('ui.typeToConfirm', { text: asked.typed })}
            value={written}
            onText={setWritten}
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
