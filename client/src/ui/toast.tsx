import type { JSX } from 'preact'
import { signal } from '@preact/signals'
import { t } from '../i18n/i18n.ts'
import { Button, IconButton } from './button.tsx'
import './toast.css'

type Toast = { id: number; text: string; bad: boolean; action?: { text: string; act: () => void } }
const SHOWN_FOR_MS = 6000

const toasts = signal<Toast[]>([])
let lastId = 0

/** Shows a message in a corner for 6 seconds; an error (`bad`) until it is closed. At most three are shown at a time. */
export function showToast(text: string, { bad = false, action }: Partial<Pick<Toast, 'bad' | 'action'>> = {}): void {
  const id = ++lastId
  toasts.value = [...toasts.peek().slice(-2), { id, text, bad, action }]
  if (!bad) setTimeout(() => dismiss(id), SHOWN_FOR_MS)
}

/** Renders the messages of `showToast`; once in the app. */
export function Toasts(): JSX.Element {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, bad, action }) => (
        <div key={id} class={`toast ${bad ? 'toast-bad' : ''}`}>
          <span>{text}</span>
          {action && (
            <Button
              look="quiet"
              onClick={() => {
                dismiss(id)
                action.act()
              }}
            >
              {action.text}
            </Button>
          )}
          <IconButton label={t('ui.close')} icon="close" size={18} onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  )
}

function dismiss(id: number): void {
  toasts.value = toasts.peek().filter(toast => toast.id !== id)
}
