import type { ComponentChildren, JSX } from 'preact'
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Icon, type IconName } from './icon.tsx'
import './menu.css'

/** One item of a menu, or a heading. */
export type MenuItem =
  | { kind: 'link'; text: string; href: string; icon?: IconName; detail?: string; download?: boolean }
  | { kind: 'action'; text: string; act: () => void; icon?: IconName; danger?: boolean; detail?: string }
  | { kind: 'choice'; text: string; chosen: boolean; act: () => void; icon?: IconName; detail?: string }
  | { kind: 'heading'; text: string; detail?: undefined }

type TriggerProps = { 'aria-haspopup': 'menu'; 'aria-expanded': boolean; 'aria-controls'?: string; onClick: () => void }

/** A drop-down menu of a button: arrow keys move the focus, Escape and a click or focus elsewhere close it. */
export function Menu({
  label,
  items,
  trigger
}: {
  label: string
  items: MenuItem[]
  trigger: (props: TriggerProps) => ComponentChildren
}): JSX.Element {
  const [open, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const id = useId()
  // A layout effect, so that the focus moves before the next key press and not only after the next frame.
  useLayoutEffect(() => {
    if (!open) return
    menuItemElements(root.current!)[0]?.focus()
    // It ends where its button ends; where there is no room for that, it begins where the button begins.
    const list = root.current!.querySelector('.menu-list')!
    const { left, right } = list.getBoundingClientRect()
    if (left < 0 || right > document.documentElement.clientWidth) list.classList.add('menu-list-start')
    const closeFromOutside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false)
    }
    addEventListener('pointerdown', closeFromOutside)
    addEventListener('focusin', closeFromOutside)
    return () => {
      removeEventListener('pointerdown', closeFromOutside)
      removeEventListener('focusin', closeFromOutside)
    }
  }, [open])
  const close = () => {
    setOpen(false)
    root.current?.querySelector<HTMLElement>('[aria-haspopup]')?.focus()
  }
  return (
    <div
      class="menu"
      ref={root}
      onKeyDown={event => {
        if (!open) return
        if (event.key === 'Escape') close()
        else if (!moveMenuFocus(root.current!, event.key)) return
        event.preventDefault()
        event.stopPropagation()
      }}
    >
      {trigger({ 'aria-haspopup': 'menu', 'aria-expanded': open, 'aria-controls': open ? id : undefined, onClick: () => setOpen(!open) })}
      {open && (
        <div class="menu-list" id={id} role="menu" tabIndex={0} data-quiet-focus aria-label={label}>
          {items.map(item => (
            <MenuLine key={item.text} item={item} close={close} />
          ))}
        </div>
      )}
    </div>
  )
}

function MenuLine({ item, close }: { item: MenuItem; close: () => void }): JSX.Element {
  if (item.kind === 'heading')
    return (
      <p class="menu-heading" role="presentation">
        {item.text}
      </p>
    )
  const content = (
    <>
      {item.icon && <Icon name={item.icon} />}
      <span>{item.text}</span>
      {item.detail && <span class="menu-detail">{item.detail}</span>}
      {item.kind === 'choice' && item.chosen && (
        <span class="menu-chosen">
          <Icon name="check" size={18} />
        </span>
      )}
    </>
  )
  if (item.kind === 'link')
    return (
      <a class="menu-line" role="menuitem" tabIndex={-1} href={item.href} download={item.download} onClick={close}>
        {content}
      </a>
    )
  if (item.kind === 'choice')
    return (
      <button
        type="button"
        class="menu-line"
        role="menuitemradio"
        tabIndex={-1}
        aria-checked={item.chosen}
        onClick={() => {
          close()
          item.act()
        }}
      >
        {content}
      </button>
    )
  return (
    <button
      type="button"
      class={`menu-line ${item.danger ? 'menu-danger' : ''}`}
      role="menuitem"
      tabIndex={-1}
      onClick={() => {
        close()
        item.act()
      }}
    >
      {content}
    </button>
  )
}

/** Moves the focus in a menu for arrow keys, Home, End and first letters; returns false for other keys. */
export function moveMenuFocus(root: HTMLElement, key: string): boolean {
  const items = menuItemElements(root)
  const index = items.indexOf(document.activeElement as HTMLElement)
  const next =
    key === 'ArrowDown'
      ? index + 1
      : key === 'ArrowUp'
        ? index - 1
        : key === 'Home'
          ? 0
          : key === 'End'
            ? -1
            : indexOfFirstLetter(items, index, key)
  if (next === null) return false
  items.at(next % items.length)?.focus()
  return true
}

function indexOfFirstLetter(items: HTMLElement[], index: number, key: string): number | null {
  if (key.length !== 1 || key === ' ') return null
  const order = items.map((_, step) => (index + 1 + step) % items.length)
  return order.find(candidate => items[candidate]!.textContent?.trim().toLocaleLowerCase().startsWith(key.toLocaleLowerCase())) ?? null
}

function menuItemElements(root: HTMLElement): HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>('[role^="menuitem"]')]
}
