import { useLocation } from 'preact-iso'
import { readSessionStorage, writeSessionStorage } from '../browser-storage.ts'

const PLACES_KEPT = 50
const places = new Map<string, number>(readPlaces())
let key = entryKey()

history.scrollRestoration = 'manual'
addEventListener(
  'scroll',
  () => {
    places.set(key, scrollY)
  },
  { passive: true }
)
addEventListener('pagehide', () => writeSessionStorage('places', JSON.stringify([...places].slice(-PLACES_KEPT))))

/**
 * The name of the current entry of the browser's history; what a page kept under it is there again after "back". Every entry gets one when
 * it is first asked for.
 */
export function historyEntryKey(): string {
  return (key = entryKey())
}

/** Names every entry of the history before its page is drawn. */
export function useHistoryEntryKeys(): void {
  useLocation()
  historyEntryKey()
}

/** Brings the page back to where it was when this entry of the history was left. */
export function restoreScrollPosition(): void {
  const place = places.get(historyEntryKey()) ?? 0
  if (Math.abs(place - scrollY) > 1) scrollTo(0, place)
}

function entryKey(): string {
  const known = (history.state as { key?: string } | null)?.key
  if (known) return known
  const fresh = Math.random().toString(36).slice(2)
  history.replaceState({ key: fresh }, '')
  return fresh
}

function readPlaces(): [string, number][] {
  try {
    return JSON.parse(readSessionStorage('places') ?? '[]') as [string, number][]
  } catch {
    return []
  }
}
