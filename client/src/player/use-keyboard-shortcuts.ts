import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { handleKeyboardShortcut, type PlayerCommands } from './keyboard-shortcuts.ts'

/** Handles key presses inside the player, or `everywhere` on the page, with `commands`; null handles none. Calls `onHandled` after each. */
export function useKeyboardShortcuts(
  playerElement: RefObject<HTMLElement | null>,
  commands: PlayerCommands | null,
  { everywhere, onHandled }: { everywhere: boolean; onHandled: () => void }
): void {
  const latestCommands = useRef(commands)
  latestCommands.current = commands
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const insidePlayer = playerElement.current!.contains(event.target as Node)
      if (latestCommands.current && (insidePlayer || everywhere) && handleKeyboardShortcut(event, latestCommands.current, insidePlayer))
        onHandled()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [everywhere])
}
