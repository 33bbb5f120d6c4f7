import type { ComponentChildren, InputHTMLAttributes, JSX, SelectHTMLAttributes, TextareaHTMLAttributes } from 'preact'
import { useId } from 'preact/hooks'
import './field.css'

type Texts = { label: ComponentChildren; hint?: ComponentChildren; error?: string | null }
type Ids = { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }

/** A labelled place for a control, with a hint and what is wrong with it. */
export function Field({ label, hint, error, children }: Texts & { children: (ids: Ids) => JSX.Element }): JSX.Element {
  const id = useId()
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label}
      </label>
      {children({ id, 'aria-describedby': described || undefined, 'aria-invalid': error ? true : undefined })}
      {hint && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="field-error" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
    </div>
  )
}

/** A line of text. */
export function TextField({
  label,
  hint,
  error,
  onText,
  ...rest
}: Texts & { onText: (text: string) => void } & InputHTMLAttributes<HTMLInputElement>): JSX.Element {
  return (
    <Field {...{ label, hint, error }}>
      {ids => <input class="input" {...rest} {...ids} onInput={event => onText(event.currentTarget.value)} />}
    </Field>
  )
}

/** Several lines of text. */
export function TextArea({
  label,
  hint,
  error,
  onText,
  ...rest
}: Texts & { onText: (text: string) => void } & TextareaHTMLAttributes<HTMLTextAreaElement>): JSX.Element {
  return (
    <Field {...{ label, hint, error }}>
      {ids => <textarea class="input" rows={5} {...rest} {...ids} onInput={event => onText(event.currentTarget.value)} />}
    </Field>
  )
}

/** One of several. */
export function Select({
  label,
  hint,
  error,
  options,
  value,
  onText,
  ...rest
}: Texts & {
  options: [value: string, text: string][]
  value: string
  onText: (value: string) => void
} & SelectHTMLAttributes<HTMLSelectElement>): JSX.Element {
  return (
    <Field {...{ label, hint, error }}>
      {ids => (
        <select class="input" {...rest} {...ids} value={value} onChange={event => onText(event.currentTarget.value)}>
          {options.map(([one, text]) => (
            <option key={one} value={one} selected={one === value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

/**
 * A box to tick. `hidden` keeps its name for those who hear it, where its place says it to the others; `some` shows that it stands for
 * several that differ.
 */
export function Checkbox({
  label,
  hidden = false,
  checked,
  some = false,
  disabled,
  onChecked
}: {
  label: string
  hidden?: boolean
  checked: boolean
  some?: boolean
  disabled?: boolean
  onChecked: (checked: boolean, event: MouseEvent) => void
}): JSX.Element {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={checked}
        indeterminate={some}
        disabled={disabled}
        onClick={event => onChecked(event.currentTarget.checked, event)}
      />
      <span class={hidden ? 'hidden-text' : ''}>{label}</span>
    </label>
  )
}

/** A yes or no. */
export function Switch({
  label,
  hint,
  checked,
  onChecked,
  disabled
}: {
  label: ComponentChildren
  hint?: ComponentChildren
  checked: boolean
  onChecked: (checked: boolean) => void
  disabled?: boolean
}): JSX.Element {
  const id = useId()
  return (
    <div class="switch">
      <input
        type="checkbox"
        role="switch"
        id={id}
        checked={checked}
        disabled={disabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={event => onChecked(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {hint && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  )
}
