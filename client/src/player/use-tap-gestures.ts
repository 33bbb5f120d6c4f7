import type { RefObject, TargetedEvent } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

const DOUBLE = 300
const JUMP = 10
const SHOWN = 700

type Actions = { toggle: () => void; jump: (seconds: number) => void; full: () => void; wake: () => void; awake: boolean }
type Taps = {
  onClick: (event: TargetedEvent<HTMLElement, MouseEvent>) => void
  onDblClick: (event: TargetedEvent<HTMLElement, MouseEvent>) => void
  onPointerUp: (event: TargetedEvent<HTMLElement, PointerEvent>) => void
}

/** A jump that was just made; a key of its own for each. */
type Leap = { seconds: number; key: number }

/**
 * Clicks and taps on the picture: a click plays or pauses, two fill the screen; a tap shows the controls, two at a side jump, and every
 * further one jumps on.
 */
export function useTapGestures(
  box: RefObject<HTMLElement | null>,
  { toggle, jump, full, wake, awake }: Actions
): { taps: Taps; leap: Leap | null } {
  const last = useRef({ time: 0, side: 0 })
  const touched = useRef(false)
  const [leap, setLeap] = useState<Leap | null>(null)
  useEffect(() => {
    if (!leap) return
    const timer = setTimeout(() => setLeap(null), SHOWN)
    return () => clearTimeout(timer)
  }, [leap])
  const onPicture = (event: Event) => (event.target as HTMLElement).nodeName === 'VIDEO'
  const taps: Taps = {
    onPointerUp: event => {
      touched.current = event.pointerType === 'touch'
      if (!touched.current || !onPicture(event)) return
      const { left, width } = box.current!.getBoundingClientRect()
      const place = (event.clientX - left) / width
      const side = place < 1 / 3 ? -1 : place > 2 / 3 ? 1 : 0
      const again = event.timeStamp - last.current.time < DOUBLE && side === last.current.side
      last.current = { time: event.timeStamp, side }
      if (again && side !== 0) {
        jump(side * JUMP)
        setLeap(before => ({
          seconds: (before && Math.sign(before.seconds) === side ? before.seconds : 0) + side * JUMP,
          key: event.timeStamp
        }))
      } else if (again || (awake && side === 0)) toggle()
      wake()
    },
    onClick: event => {
      if (!touched.current && onPicture(event)) toggle()
    },
    onDblClick: event => {
      if (!touched.current && onPicture(event)) full()
    }
  }
  return { taps, leap }
}
