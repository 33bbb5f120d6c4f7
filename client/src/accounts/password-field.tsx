import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { t } from '../i18n/i18n.ts'
import { Field } from '../ui/field.tsx'
import './password-field.css'

type Props = {
  label: string
  hint?: ComponentChildren
  error?: string | null
  autocomplete: 'current-password' | 'new-password'
  required?: boolean
  value: string
  onText: (text: string) => void
}

/** A password field with a button that shows or hides what is typed. */
export function PasswordField({ label, hint, error, autocomplete, required = true, value, onText }: Props): JSX.Element {
  const [visible, setVisible] = useState(false)
  return (
    <Field label={label} hint={hint} error={error}>
      {ids => (
        <div class="password">
          <input
            class="input"
            {...ids}
            type={(visible ? 'text' : 'password') as 'text'}
            autocomplete={autocomplete}
            autocapitalize="none"
            spellcheck={false}
            required={required}
            value={value}
            onInput={event => onText(event.currentTarget.value)}
          />
          <button type="button" class="password-show" aria-pressed={visible} onClick={() => setVisible(!visible)}>
            {t(visible ? 'login.hide' : 'login.show')}
          </button>
        </div>
      )}
    </Field>
  )
}
