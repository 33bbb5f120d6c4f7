import { useEffect, useRef, useState } from 'preact/hooks'
import type { RefObject } from 'preact'
import type { Playback } from './playback.ts'

const HIDE_AFTER_MS = 3000

type WebkitVideo = HTMLVideoElement & { webkitEnterFullscreen?: () => void }

/** Whether the controls are visible (after pointer movement, with focus or an open menu, and while paused), and the fullscreen state. */
export function useControlsVisibility(
  playerElement: RefObject<HTMLElement | null>,
  playback: Playback | null
): {
  visible: boolean
  fullscreen: boolean
  showControls: () => void
  toggleFullscreen: () => void
  onMenuToggle: (open: boolean) => void
} {
  const [recentlyActive, setRecentlyActive] = useState(true)
  const [menuOpen, setMenuOpen] = useState(false)
  const [focused, setFocused] = useState(false)
  const [fullscreen, setFullscreen] = useState(false)
  const timer = useRef(0)
  const showControls = () => {
    setRecentlyActive(true)
    clearTimeout(timer.current)
    timer.current = window.setTimeout(() => setRecentlyActive(false), HIDE_AFTER_MS)
  }
  useEffect(() => {
    const element = playerElement.current!
    const removed = new AbortController()
    const on = (target: EventTarget, event: string, listener: (event: Event) => void) =>
      target.addEventListener(event, listener, { signal: removed.signal })
    on(element, 'pointermove', event => {
      if ((event as PointerEvent).pointerType !== 'touch') showControls()
    })
    on(element, 'pointerleave', event => {
      if ((event as PointerEvent).pointerType !== 'touch') setRecentlyActive(false)
    })
    // Focus by the keyboard must be visible; a click also leaves the focus in the player.
    on(element, 'focusin', event => setFocused((event.target as HTMLElement).matches(':focus-visible:not(video)')))
    on(element, 'focusout', () => setFocused(false))
    on(document, 'fullscreenchange', () => setFullscreen(document.fullscreenElement === element))
    return () => {
      removed.abort()
      clearTimeout(timer.current)
    }
  }, [])
  const toggleFullscreen = () => {
    if (document.fullscreenElement) return void document.exitFullscreen()
    if ('requestFullscreen' in playerElement.current!)
      return void playerElement.current!.requestFullscreen().catch(() => {
        /* not allowed by the browser or the embedding page */
      })
    ;(playback?.media as WebkitVideo | undefined)?.webkitEnterFullscreen?.()
  }
  const notPlaying = !playback || playback.paused.value || playback.ended.value
  return {
    visible: recentlyActive || menuOpen || focused || notPlaying,
    fullscreen,
    showControls,
    toggleFullscreen,
    onMenuToggle: setMenuOpen
  }
}
