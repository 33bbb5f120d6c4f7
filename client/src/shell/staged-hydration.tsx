import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { initialPath } from '../initial-data.ts'
import { yieldToMain } from '../main-thread.ts'

const opened = document.getElementById('app')
let left = false

/** Says that another page is shown now than the server wrote. */
export function endStagedHydration(): void {
  left = true
}

/**
 * How many parts of a page are to be drawn yet: one more after each time the browser could paint, up to `count`, so that a slow machine
 * stays attentive meanwhile, and a film that begins comes first.
 * Only in the page the server wrote (`ServerRendered`); pages opened later are drawn whole.
 */
export function useStagedHydration(count: number): number {
  const [turn, setTurn] = useState(!left && location.pathname === initialPath ? 0 : count)
  useEffect(() => {
    if (turn >= count) return
    let gone = false
    void yieldToMain().then(() => {
      if (!gone) setTurn(turn + 1)
    })
    return () => {
      gone = true
    }
  }, [turn])
  return turn
}

/** What the server wrote for the part of the page with this class, in its place until its turn comes. */
export function ServerRendered({ class: name }: { class: string }): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const written = opened?.querySelector(`.${name}`)
    if (written) box.current!.replaceChildren(...written.childNodes)
  }, [])
  return <div ref={box} class={name} />
}
