import type { ComponentChildren, JSX } from 'preact'
import { t } from '../i18n/i18n.ts'
import { Button } from './button.tsx'
import { Icon, type IconName } from './icon.tsx'
import './feedback.css'

/** The content of an empty list or page, or of one that cannot be shown: icon, title, text. */
export function EmptyState({
  icon,
  title,
  children,
  heading: Heading = 'h2'
}: {
  icon: IconName
  title: string
  children?: ComponentChildren
  heading?: 'h1' | 'h2'
}): JSX.Element {
  return (
    <div class="state">
      <span class="state-icon">
        <Icon name={icon} size={32} />
      </span>
      <Heading class="state-title">{title}</Heading>
      {children && <div class="state-text">{children}</div>}
    </div>
  )
}

/** The content of a part whose loading failed, with a button to retry. */
export function ErrorState({ text, onRetry }: { text: string; onRetry: () => void }): JSX.Element {
  return (
    <EmptyState icon="alert" title={t('ui.failed')}>
      <p>{text}</p>
      <Button icon="replay" onClick={onRetry}>
        {t('ui.retry')}
      </Button>
    </EmptyState>
  )
}

/** A notice in the page: information, warning, error (`bad`) or success (`good`). */
export function Notice({ kind, children }: { kind: 'info' | 'warn' | 'bad' | 'good'; children: ComponentChildren }): JSX.Element {
  return (
    <div class={`note note-${kind}`} role={kind === 'bad' ? 'alert' : 'note'}>
      <Icon name={kind === 'good' ? 'check' : kind === 'info' ? 'info' : 'alert'} />
      <div>{children}</div>
    </div>
  )
}

/** A small label. */
export function Badge({
  kind = 'plain',
  children
}: {
  kind?: 'plain' | 'accent' | 'bad' | 'warn'
  children: ComponentChildren
}): JSX.Element {
  return <span class={`badge badge-${kind}`}>{children}</span>
}
