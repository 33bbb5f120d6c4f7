import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { initialPath } from '../initial-data.ts'
import { yieldToMain } from '../main-thread.ts'

const serverPage = document.getElementById('app')
let ended = false

/** To be called when another page replaces the server-rendered one: pages are rendered at once from then on. */
export function endStagedHydration(): void {
  ended = true
}

/**
 * Returns how many parts of a page the client renders: 0 at first, then one more in each task (`yieldToMain`) up to `count`, so that a slow
 * machine stays responsive meanwhile and a video that starts has priority.
 * Only in the server-rendered page, where `ServerRendered` stands for the other parts; pages opened later are rendered at once.
 */
export function useStagedHydration(count: number): number {
  const [stage, setStage] = useState(!ended && location.pathname === initialPath ? 0 : count)
  useEffect(() => {
    if (stage >= count) return
    let unmounted = false
    void yieldToMain().then(() => {
      if (!unmounted) setStage(stage + 1)
    })
    return () => {
      unmounted = true
    }
  }, [stage])
  return stage
}

/** The server-rendered content of the element with this class, until the client renders that part. */
export function ServerRendered({ class: name }: { class: string }): JSX.Element {
  const container = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const serverElement = serverPage?.querySelector(`.${name}`)
    if (serverElement) container.current!.replaceChildren(...serverElement.childNodes)
  }, [])
  return <div ref={container} class={name} />
}
