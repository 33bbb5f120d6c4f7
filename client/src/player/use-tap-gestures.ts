import type { RefObject, TargetedEvent } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

const DOUBLE_TAP_MS = 300
const SEEK_SECONDS = 10
const HINT_SHOWN_MS = 700

type Actions = {
  togglePlay: () => void
  seekBy: (seconds: number) => void
  toggleFullscreen: () => void
  showControls: () => void
  controlsVisible: boolean
}
type Handlers = {
  onClick: (event: TargetedEvent<HTMLElement, MouseEvent>) => void
  onDblClick: (event: TargetedEvent<HTMLElement, MouseEvent>) => void
  onPointerUp: (event: TargetedEvent<HTMLElement, PointerEvent>) => void
}

/** The seconds of the seek that a tap just made; each has its own key. */
type SeekHint = { seconds: number; key: number }

/**
 * Returns the handlers of clicks and taps on the video: a click plays or pauses, a double click toggles fullscreen; a tap shows the
 * controls, a double tap in the left or right third seeks by 10 seconds, and so does every further tap.
 */
export function useTapGestures(
  playerElement: RefObject<HTMLElement | null>,
  { togglePlay, seekBy, toggleFullscreen, showControls, controlsVisible }: Actions
): { handlers: Handlers; seekHint: SeekHint | null } {
  const lastTap = useRef({ time: 0, side: 0 })
  const byTouch = useRef(false)
  const [seekHint, setSeekHint] = useState<SeekHint | null>(null)
  useEffect(() => {
    if (!seekHint) return
    const timer = setTimeout(() => setSeekHint(null), HINT_SHOWN_MS)
    return () => clearTimeout(timer)
  }, [seekHint])
  const isOnVideo = (event: Event) => (event.target as HTMLElement).nodeName === 'VIDEO'
  const handlers: Handlers = {
    onPointerUp: event => {
      byTouch.current = event.pointerType === 'touch'
      if (!byTouch.current || !isOnVideo(event)) return
      const { left, width } = playerElement.current!.getBoundingClientRect()
      const position = (event.clientX - left) / width
      const side = position < 1 / 3 ? -1 : position > 2 / 3 ? 1 : 0
      const repeated = event.timeStamp - lastTap.current.time < DOUBLE_TAP_MS && side === lastTap.current.side
      lastTap.current = { time: event.timeStamp, side }
      if (repeated && side !== 0) {
        seekBy(side * SEEK_SECONDS)
        setSeekHint(previous => ({
          seconds: (previous && Math.sign(previous.seconds) === side ? previous.seconds : 0) + side * SEEK_SECONDS,
          key: event.timeStamp
        }))
      } else if (repeated || (controlsVisible && side === 0)) togglePlay()
      showControls()
    },
    onClick: event => {
      if (!byTouch.current && isOnVideo(event)) togglePlay()
    },
    onDblClick: event => {
      if (!byTouch.current && isOnVideo(event)) toggleFullscreen()
    }
  }
  return { handlers, seekHint }
}
