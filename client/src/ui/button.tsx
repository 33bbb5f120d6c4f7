import type { ButtonHTMLAttributes, ComponentChildren, JSX } from 'preact'
import { Icon, type IconName } from './icon.tsx'
import './button.css'

type Look = 'primary' | 'plain' | 'quiet' | 'danger'
type Common = { look?: Look; icon?: IconName; children: ComponentChildren; class?: string }

/** A button; while `busy` it stays in place and cannot be pressed again. */
export function Button({
  look = 'plain',
  icon,
  busy = false,
  children,
  class: more = '',
  type = 'button',
  disabled,
  ...rest
}: Common & { busy?: boolean } & Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'icon'>): JSX.Element {
  return (
    <button
      {...rest}
      type={type}
      class={`button button-${look} ${more}`}
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
  class: more = '',
  ...rest
}: Common & {
  href: string
  download?: boolean | string
  target?: string
  rel?: string
  title?: string
  'aria-label'?: string
}): JSX.Element {
  return (
    <a {...rest} class={`button button-${look} ${more}`}>
      {icon && <Icon name={icon} />}
      <span>{children}</span>
    </a>
  )
}

/** A round button that shows only a drawing; `label` is its name. */
export function IconButton({
  label,
  icon,
  size,
  class: more = '',
  ...rest
}: { label: string; icon: IconName; size?: number; class?: string } & Omit<
  ButtonHTMLAttributes<HTMLButtonElement>,
  'icon' | 'label' | 'size'
>): JSX.Element {
  return (
    <button type="button" {...rest} class={`icon-button ${more}`} aria-label={label} title={label}>
      <Icon name={icon} size={size} />
    </button>
  )
}
