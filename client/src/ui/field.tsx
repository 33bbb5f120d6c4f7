import type { ComponentChildren, InputHTMLAttributes, JSX, SelectHTMLAttributes, TextareaHTMLAttributes } from 'preact'
import { useId } from 'preact/hooks'
import './field.css'

type FieldTexts = { label: ComponentChildren; hint?: ComponentChildren; error?: string | null }
type ControlAttributes = { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }

/** A label, hint and error message around a form control, which gets its id and ARIA attributes. */
export function Field({
  label,
  hint,
  error,
  children
}: FieldTexts & { children: (attributes: ControlAttributes) => JSX.Element }): JSX.Element {
  const id = useId()
  const describedBy = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label}
      </label>
      {children({ id, 'aria-describedby': describedBy || undefined, 'aria-invalid': error ? true : undefined })}
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

/** A single-line text field. */
export function TextField({
  label,
  hint,
  error,
  onText,
  ...rest
}: FieldTexts & { onText: (text: string) => void } & InputHTMLAttributes<HTMLInputElement>): JSX.Element {
  return (
    <Field {...{ label, hint, error }}>
      {attributes => <input class="input" {...rest} {...attributes} onInput={event => onText(event.currentTarget.value)} />}
    </Field>
  )
}

/** A multi-line text field. */
export function TextArea({
  label,
  hint,
  error,
  onText,
  ...rest
}: FieldTexts & { onText: (text: string) => void } & TextareaHTMLAttributes<HTMLTextAreaElement>): JSX.Element {
  return (
    <Field {...{ label, hint, error }}>
      {attributes => <textarea class="input" rows={5} {...rest} {...attributes} onInput={event => onText(event.currentTarget.value)} />}
    </Field>
  )
}

/** A drop-down list. */
export function Select({
  label,
  hint,
  error,
  options,
  value,
  onText,
  ...rest
}: FieldTexts & {
  options: [value: string, text: string][]
  value: string
  onText: (value: string) => void
} & SelectHTMLAttributes<HTMLSelectElement>): JSX.Element {
  return (
    <Field {...{ label, hint, error }}>
      {attributes => (
        <select class="input" {...rest} {...attributes} value={value} onChange={event => onText(event.currentTarget.value)}>
          {options.map(([optionValue, text]) => (
            <option key={optionValue} value={optionValue} selected={optionValue === value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

/**
 * A checkbox. `hidden` shows the label only to screen readers, where the context makes it obvious; `some` shows the indeterminate state,
 * for several items of which only some are checked.
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

/** A switch for an on/off setting. */
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
