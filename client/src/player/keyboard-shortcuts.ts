/** What a key does to a player. */
export type PlayerCommands = {
  toggle: () => void
  jump: (seconds: number) => void
  seekTo: (share: number) => void
  louder: (by: number) => void
  mute: () => void
  fullscreen: () => void
  theatre: () => void
  float: () => void
  faster: (steps: number) => void
  captions: () => void
  stats: () => void
  help: () => void
}

const SMALL_JUMP = 5
const JUMP = 10
const VOLUME_STEP = 0.05

/**
 * Acts on a key; `inside` says whether the player has the focus (the arrows up and down belong to the page otherwise). False: not a key of
 * the player.
 */
export function handleKeyboardShortcut(event: KeyboardEvent, commands: PlayerCommands, inside: boolean): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false
  const target = event.composedPath()[0]
  if (!(target instanceof HTMLElement) || target.isContentEditable || target.closest('textarea, select, dialog, [role="menu"]'))
    return false
  if (target instanceof HTMLInputElement && target.type !== 'range') return false
  // Buttons and links are pressed with these keys; a slider moves with the arrows.
  if ((event.key === ' ' || event.key === 'Enter') && target.closest('button, a, [role="tab"], summary')) return false
  if (event.key.startsWith('Arrow') && target.closest('[role="slider"], input, [role="tab"]')) return false
  const act = commandOf(event.key, commands, inside)
  if (!act) return false
  event.preventDefault()
  act()
  return true
}

function commandOf(key: string, commands: PlayerCommands, inside: boolean): (() => void) | null {
  if (/^[0-9]$/.test(key)) return () => commands.seekTo(Number(key) / 10)
  switch (key.length === 1 ? key.toLowerCase() : key) {
    case ' ':
    case 'k':
      return commands.toggle
    case 'j':
      return () => commands.jump(-JUMP)
    case 'l':
      return () => commands.jump(JUMP)
    case 'ArrowLeft':
      return () => commands.jump(-SMALL_JUMP)
    case 'ArrowRight':
      return () => commands.jump(SMALL_JUMP)
    case 'ArrowUp':
      return inside ? () => commands.louder(VOLUME_STEP) : null
    case 'ArrowDown':
      return inside ? () => commands.louder(-VOLUME_STEP) : null
    case 'm':
      return commands.mute
    case 'c':
      return commands.captions
    case 's':
      return commands.stats
    case 'f':
      return commands.fullscreen
    case 't':
      return commands.theatre
    case 'i':
      return commands.float
    case '<':
      return () => commands.faster(-1)
    case '>':
      return () => commands.faster(1)
    case '?':
      return commands.help
    default:
      return null
  }
}
