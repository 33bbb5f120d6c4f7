/** The commands of a player that keys call. */
export type PlayerCommands = {
  togglePlay: () => void
  /** Relative, in seconds. */
  seekBy: (seconds: number) => void
  /** Absolute, 0 to 1. */
  seekToFraction: (fraction: number) => void
  changeVolume: (by: number) => void
  toggleMuted: () => void
  toggleFullscreen: () => void
  toggleTheatre: () => void
  togglePictureInPicture: () => void
  changeSpeed: (steps: number) => void
  toggleCaptions: () => void
  toggleStats: () => void
  showHelp: () => void
}

const SMALL_SEEK_SECONDS = 5
const SEEK_SECONDS = 10
const VOLUME_STEP = 0.05

/**
 * Runs the command of a key press and prevents its default. Returns false if the key is none of the player, or belongs to the element with
 * the focus. `insidePlayer`: whether the focus is in the player; elsewhere the up and down arrows scroll the page.
 */
export function handleKeyboardShortcut(event: KeyboardEvent, commands: PlayerCommands, insidePlayer: boolean): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false
  const target = event.composedPath()[0]
  if (!(target instanceof HTMLElement) || target.isContentEditable || target.closest('textarea, select, dialog, [role="menu"]'))
    return false
  if (target instanceof HTMLInputElement && target.type !== 'range') return false
  // These keys press buttons and links; arrows move sliders.
  if ((event.key === ' ' || event.key === 'Enter') && target.closest('button, a, [role="tab"], summary')) return false
  if (event.key.startsWith('Arrow') && target.closest('[role="slider"], input, [role="tab"]')) return false
  const command = commandOf(event.key, commands, insidePlayer)
  if (!command) return false
  event.preventDefault()
  command()
  return true
}

function commandOf(key: string, commands: PlayerCommands, insidePlayer: boolean): (() => void) | null {
  if (/^[0-9]$/.test(key)) return () => commands.seekToFraction(Number(key) / 10)
  switch (key.length === 1 ? key.toLowerCase() : key) {
    case ' ':
    case 'k':
      return commands.togglePlay
    case 'j':
      return () => commands.seekBy(-SEEK_SECONDS)
    case 'l':
      return () => commands.seekBy(SEEK_SECONDS)
    case 'ArrowLeft':
      return () => commands.seekBy(-SMALL_SEEK_SECONDS)
    case 'ArrowRight':
      return () => commands.seekBy(SMALL_SEEK_SECONDS)
    case 'ArrowUp':
      return insidePlayer ? () => commands.changeVolume(VOLUME_STEP) : null
    case 'ArrowDown':
      return insidePlayer ? () => commands.changeVolume(-VOLUME_STEP) : null
    case 'm':
      return commands.toggleMuted
    case 'c':
      return commands.toggleCaptions
    case 's':
      return commands.toggleStats
    case 'f':
      return commands.toggleFullscreen
    case 't':
      return commands.toggleTheatre
    case 'i':
      return commands.togglePictureInPicture
    case '<':
      return () => commands.changeSpeed(-1)
    case '>':
      return () => commands.changeSpeed(1)
    case '?':
      return commands.showHelp
    default:
      return null
  }
}
