import { useEffect, useRef, useState } from 'preact/hooks'
import type { RefObject } from 'preact'
import type { Playback } from './playback.ts'

const SLEEPS_AFTER = 3000

type WebkitVideo = HTMLVideoElement & { webkitEnterFullscreen?: () => void }

/** When the controls show, and the full screen. */
export function useControlsVisibility(
  box: RefObject<HTMLElement | null>,
  playback: Playback | null
): { awake: boolean; full: boolean; wake: () => void; toggleFull: () => void; onMenu: (open: boolean) => void } {
  const [moved, setMoved] = useState(true)
  const [menu, setMenu] = useState(false)
  const [focused, setFocused] = useState(false)
  const [full, setFull] = useState(false)
  const timer = useRef(0)
  const wake = () => {
    setMoved(true)
    clearTimeout(timer.current)
    timer.current = window.setTimeout(() => setMoved(false), SLEEPS_AFTER)
  }
  useEffect(() => {
    const element = box.current!
    const stop = new AbortController()
    const on = (target: EventTarget, event: string, act: (event: Event) => void) =>
      target.addEventListener(event, act, { signal: stop.signal })
    on(element, 'pointermove', event => {
      if ((event as PointerEvent).pointerType !== 'touch') wake()
    })
    on(element, 'pointerleave', event => {
      if ((event as PointerEvent).pointerType !== 'touch') setMoved(false)
    })
    // A keyboard's user must see what has the focus; a pointer's user has it left there by a click.
    on(element, 'focusin', event => setFocused((event.target as HTMLElement).matches(':focus-visible:not(video)')))
    on(element, 'focusout', () => setFocused(false))
    on(document, 'fullscreenchange', () => setFull(document.fullscreenElement === element))
    return () => {
      stop.abort()
      clearTimeout(timer.current)
    }
  }, [])
  const toggleFull = () => {
    if (document.fullscreenElement) return void document.exitFullscreen()
    if ('requestFullscreen' in box.current!)
      return void box.current!.requestFullscreen().catch(() => {
        /* the browser or the embedding page forbids it */
      })
    ;(playback?.media as WebkitVideo | undefined)?.webkitEnterFullscreen?.()
  }
  const resting = !playback || playback.paused.value || playback.ended.value
  return { awake: moved || menu || focused || resting, full, wake, toggleFull, onMenu: setMenu }
}
