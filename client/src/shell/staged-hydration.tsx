import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { openedPath } from '../initial-data.ts'
import { itsTurn } from '../main-thread.ts'

const opened = document.getElementById('app')
let left = false

/** Says that another page is shown now than the server wrote. */
export function leaveOpened(): void {
  left = true
}

/**
 * How many parts of a page are to be drawn yet: one more after each time the browser could paint, up to `count`, so that a slow machine
 * stays attentive meanwhile, and a film that begins comes first.
 * Only in the page the server wrote (`Written`); pages opened later are drawn whole.
 */
export function useTurns(count: number): number {
  const [turn, setTurn] = useState(!left && location.pathname === openedPath ? 0 : count)
  useEffect(() => {
    if (turn >= count) return
    let gone = false
    void itsTurn().then(() => {
      if (!gone) setTurn(turn + 1)
    })
    return () => {
      gone = true
    }
  }, [turn])
  return turn
}

/** What the server wrote for the part of the page with this class, in its place until its turn comes. */
export function Written({ class: name }: { class: string }): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const written = opened?.querySelector(`.${name}`)
    if (written) box.current!.replaceChildren(...written.childNodes)
  }, [])
  return <div ref={box} class={name} />
}
