import type { ComponentChildren, JSX } from 'preact'
import { useId } from 'preact/hooks'
import './tabs.css'

/** Links to pages that stand beside each other; the one that is open is marked. */
export function LinkTabs({
  label,
  tabs,
  chosen,
  class: more = ''
}: {
  label: string
  tabs: [path: string, text: string][]
  chosen: string
  class?: string
}): JSX.Element {
  return (
    <nav class={`tabs ${more}`} aria-label={label}>
      {tabs.map(([path, text]) => (
        <a key={path} class="tab" href={path} aria-current={path === chosen ? 'page' : undefined}>
          {text}
        </a>
      ))}
    </nav>
  )
}

/** Pages of one subject behind tabs; arrows change the tab. */
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
  const step = (by: number, list: HTMLElement) => {
    const index = tabs.findIndex(([one]) => one === chosen)
    const next = (index + by + tabs.length) % tabs.length
    onChoose(tabs[next]![0])
    ;(list.children[next] as HTMLElement).focus()
  }
  return (
    <>
      <div
        class="tabs"
        role="tablist"
        aria-label={label}
        onKeyDown={event => {
          const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
          if (by !== 0) step(getComputedStyle(event.currentTarget).direction === 'rtl' ? -by : by, event.currentTarget)
        }}
      >
        {tabs.map(([one, text]) => (
          <button
            key={one}
            type="button"
            class="tab"
            role="tab"
            id={`${id}-${one}`}
            aria-selected={one === chosen}
            aria-controls={`${id}-panel`}
            tabIndex={one === chosen ? 0 : -1}
            onClick={() => onChoose(one)}
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
