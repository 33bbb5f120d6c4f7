import { useLocation } from 'preact-iso'
import { readSessionStorage, writeSessionStorage } from '../browser-storage.ts'

const MAX_SAVED_POSITIONS = 50
const positions = new Map<string, number>(readSavedPositions())
let currentKey = readOrCreateEntryKey()

history.scrollRestoration = 'manual'
addEventListener(
  'scroll',
  () => {
    positions.set(currentKey, scrollY)
  },
  { passive: true }
)
addEventListener('pagehide', () => writeSessionStorage('places', JSON.stringify([...positions].slice(-MAX_SAVED_POSITIONS))))

/**
 * Returns the key of the current entry of the session history; creates it at the first call for an entry. State that a page stores under it
 * can be restored after "back".
 */
export function historyEntryKey(): string {
  return (currentKey = readOrCreateEntryKey())
}

/** Gives every entry of the session history its key before its page is rendered. */
export function useHistoryEntryKeys(): void {
  useLocation()
  historyEntryKey()
}

/** Scrolls to the position at which this entry of the session history was left; to the top for a new entry. */
export function restoreScrollPosition(): void {
  const position = positions.get(historyEntryKey()) ?? 0
  if (Math.abs(position - scrollY) > 1) scrollTo(0, position)
}

function readOrCreateEntryKey(): string {
  const existing = (history.state as { key?: string } | null)?.key
  if (existing) return existing
  const created = Math.random().toString(36).slice(2)
  history.replaceState({ key: created }, '')
  return created
}

function readSavedPositions(): [string, number][] {
  try {
    return JSON.parse(readSessionStorage('places') ?? '[]') as [string, number][]
  } catch {
    return []
  }
}
