import type { ComponentChildren, JSX } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { signal } from '@preact/signals'
import { t } from '../i18n/i18n.ts'
import { Button, IconButton } from './button.tsx'
import './dialog.css'

/** A dialog over the page: the browser keeps the focus in it and closes it with Escape. */
export function Dialog({ title, onClose, children, actions }: { title: string, onClose: () => void, children: ComponentChildren, actions?: ComponentChildren }): JSX.Element {
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
    <dialog ref={element} class="dialog" aria-labelledby={id} onCancel={event => { event.preventDefault(); onClose() }}
      onClick={event => { if (event.target === element.current) onClose() }}>
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

type Question = { title: string, text: string, yes: string, answer: (yes: boolean) => void }
const question = signal<Question | null>(null)

/** Asks before something that cannot be undone; true when the person says yes. */
export function confirm(asked: Omit<Question, 'answer'>): Promise<boolean> {
  return new Promise(resolve => { question.value = { ...asked, answer: yes => { question.value = null; resolve(yes) } } })
}

/** Where `confirm` shows its question; once in the shell. */
export function Confirmation(): JSX.Element | null {
  const asked = question.value
  if (!asked) return null
  return (
    <Dialog title={asked.title} onClose={() => asked.answer(false)} actions={<>
      <Button look="quiet" onClick={() => asked.answer(false)}>{t('ui.cancel')}</Button>
      <Button look="danger" onClick={() => asked.answer(true)}>{asked.yes}</Button>
    </>}>
      <p>{asked.text}</p>
    </Dialog>
  )
}
