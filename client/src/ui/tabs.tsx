import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { scrollToCentre } from './scroll-to-centre.ts'
import './tabs.css'

/** Tabs that are links to pages; marks the current one. */
export function LinkTabs({
  label,
  tabs,
  chosen,
  class: extraClass = ''
}: {
  label: string
  tabs: [path: string, text: string][]
  chosen: string
  class?: string
}): JSX.Element {
  return (
    <nav class={`tabs ${extraClass}`} aria-label={label}>
      {tabs.map(([path, text]) => (
        <a key={path} class="tab" href={path} aria-current={path === chosen ? 'page' : undefined}>
          {text}
        </a>
      ))}
    </nav>
  )
}

/** Tabs with a panel below; arrow keys change the tab. */
export function Tabs<T extends string>({
  label,
  tabs,
  chosen,
  onChoose,
  children
}: {
  label: string
  tabs: [id: T, text: string][]
  chosen: T
  onChoose: (id: T) => void
  children: ComponentChildren
}): JSX.Element {
  const id = useId()
  const list = useRef<HTMLDivElement>(null)
  // On a phone not all tabs have room.
  useEffect(() => scrollToCentre(list.current!, list.current!.querySelector('[aria-selected=true]')), [chosen])
  const moveBy = (by: number, tabList: HTMLElement) => {
    const index = tabs.findIndex(([tabId]) => tabId === chosen)
    const next = (index + by + tabs.length) % tabs.length
    onChoose(tabs[next]![0])
    ;(tabList.children[next] as HTMLElement).focus()
  }
  return (
    <>
      <div
        ref={list}
        class="tabs"
        role="tablist"
        aria-label={label}
        onKeyDown={event => {
          const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
          if (by !== 0) moveBy(getComputedStyle(event.currentTarget).direction === 'rtl' ? -by : by, event.currentTarget)
        }}
      >
        {tabs.map(([tabId, text]) => (
          <button
            key={tabId}
            type="button"
            class="tab"
            role="tab"
            id={`${id}-${tabId}`}
            aria-selected={tabId === chosen}
            aria-controls={`${id}-panel`}
            tabIndex={tabId === chosen ? 0 : -1}
            onClick={() => onChoose(tabId)}
          >
            {text}
          </button>
        ))}
      </div>
      <div class="tab-panel" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${chosen}`}>
        {children}
      </div>
    </>
  )
}
