import { readLocalStorage, writeLocalStorage } from '../browser-storage.ts'

type Places = Record<string, [seconds: number, at: number]>

const KEPT = 100
/** Too near to the beginning or the end there is nothing to go on with. */
const FROM_BEGINNING = 10
const FROM_END = 15

/** Where a video was left in this browser, in seconds; 0 to begin at its beginning. */
export function readResumePosition(uuid: string, duration: number): number {
  const [seconds] = readLocalStorage<Places>('places')?.[uuid] ?? [0]
  return worthResuming(seconds, duration) ? seconds : 0
}

/** Remembers where a video is left. */
export function saveResumePosition(uuid: string, seconds: number, duration: number): void {
  const { [uuid]: known, ...places } = readLocalStorage<Places>('places') ?? {}
  if (!worthResuming(seconds, duration)) {
    if (known) writeLocalStorage('places', places)
    return
  }
  const newest = Object.entries(places)
    .sort(([, [, a]], [, [, b]]) => b - a)
    .slice(0, KEPT - 1)
  writeLocalStorage('places', { ...Object.fromEntries(newest), [uuid]: [Math.floor(seconds), Date.now()] })
}

function worthResuming(seconds: number, duration: number): boolean {
  return seconds > FROM_BEGINNING && seconds < duration - FROM_END
}
