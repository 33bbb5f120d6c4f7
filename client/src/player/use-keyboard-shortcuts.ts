import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { handleKeyboardShortcut, type PlayerCommands } from './keyboard-shortcuts.ts'

/** Obeys the keys pressed inside the player, or anywhere on the page; null: none. */
export function useKeyboardShortcuts(
  box: RefObject<HTMLElement | null>,
  commands: PlayerCommands | null,
  { everywhere, wake }: { everywhere: boolean; wake: () => void }
): void {
  const latest = useRef(commands)
  latest.current = commands
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const inside = box.current!.contains(event.target as Node)
      if (latest.current && (inside || everywhere) && handleKeyboardShortcut(event, latest.current, inside)) wake()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [everywhere])
}
