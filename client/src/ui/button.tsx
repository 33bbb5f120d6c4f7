import type { ButtonHTMLAttributes, ComponentChildren, JSX } from 'preact'
import { Icon, type IconName } from './icon.tsx'
import './button.css'

type ButtonLook = 'primary' | 'plain' | 'quiet' | 'danger'
type ButtonProps = { look?: ButtonLook; icon?: IconName; children: ComponentChildren; class?: string }

/** A button; while `busy` it shows a spinner, keeps the focus and ignores clicks. */
export function Button({
  look = 'plain',
  icon,
  busy = false,
  children,
  class: extraClass = '',
  type = 'button',
  disabled,
  ...rest
}: ButtonProps & { busy?: boolean } & Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'icon'>): JSX.Element {
  return (
    <button
      {...rest}
      type={type}
      class={`button button-${look} ${extraClass}`}
      disabled={disabled}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      onClick={busy ? event => event.preventDefault() : rest.onClick}
    >
      {busy ? <span class="button-spin" aria-hidden="true" /> : icon && <Icon name={icon} />}
      <span>{children}</span>
    </button>
  )
}

/** A link that looks like a button. */
export function ButtonLink({
  look = 'plain',
  icon,
  children,
  class: extraClass = '',
  ...rest
}: ButtonProps & {
  href: string
  download?: boolean | string
  target?: string
  rel?: string
  title?: string
  'aria-label'?: string
}): JSX.Element {
  return (
    <a {...rest} class={`button button-${look} ${extraClass}`}>
      {icon && <Icon name={icon} />}
      <span>{children}</span>
    </a>
  )
}

/** A round button with only an icon; `label` is its accessible name and tooltip. */
export function IconButton({
  label,
  icon,
  size,
  class: extraClass = '',
  ...rest
}: { label: string; icon: IconName; size?: number; class?: string } & Omit<
  ButtonHTMLAttributes<HTMLButtonElement>,
  'icon' | 'label' | 'size'
>): JSX.Element {
  return (
    <button type="button" {...rest} class={`icon-button ${extraClass}`} aria-label={label} title={label}>
      <Icon name={icon} size={size} />
    </button>
  )
}
