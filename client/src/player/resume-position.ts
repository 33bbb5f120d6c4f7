import { readLocalStorage, writeLocalStorage } from '../browser-storage.ts'

/** Positions by the uuid of the video; `savedAt` in milliseconds since the epoch. */
type SavedPositions = Record<string, [seconds: number, savedAt: number]>

const MAX_SAVED = 100
/** Seconds at the start and the end of a video in which it is not worth resuming. */
const MIN_FROM_START = 10
const MIN_FROM_END = 15

/** Returns the position at which a video was left in this browser, in seconds; 0 to start from the beginning. */
export function readResumePosition(uuid: string, duration: number): number {
  const [seconds] = readLocalStorage<SavedPositions>('places')?.[uuid] ?? [0]
  return isWorthResuming(seconds, duration) ? seconds : 0
}

/** Saves the position of a video in this browser, or removes it near the start or the end; keeps the 100 newest positions. */
export function saveResumePosition(uuid: string, seconds: number, duration: number): void {
  const { [uuid]: saved, ...others } = readLocalStorage<SavedPositions>('places') ?? {}
  if (!isWorthResuming(seconds, duration)) {
    if (saved) writeLocalStorage('places', others)
    return
  }
  const newest = Object.entries(others)
    .sort(([, [, a]], [, [, b]]) => b - a)
    .slice(0, MAX_SAVED - 1)
  writeLocalStorage('places', { ...Object.fromEntries(newest), [uuid]: [Math.floor(seconds), Date.now()] })
}

function isWorthResuming(seconds: number, duration: number): boolean {
  return seconds > MIN_FROM_START && seconds < duration - MIN_FROM_END
}
