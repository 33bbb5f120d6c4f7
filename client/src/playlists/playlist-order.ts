import type { VideoPlaylistElement } from '../../../shared/playlists.ts'

/** An element whose video can be played. */
export type PlayableElement = VideoPlaylistElement & { video: NonNullable<VideoPlaylistElement['video']> }

/** The elements with a video, in their order. */
export function playableElements(elements: VideoPlaylistElement[]): PlayableElement[] {
  return elements.filter((element): element is PlayableElement => element.video !== null)
}

/** The element to play at a position: the one there, else the next one that can be played, else the first; undefined where there is none. */
export function elementAtPosition(elements: VideoPlaylistElement[], position: number): PlayableElement | undefined {
  const playable = playableElements(elements)
  return playable.find(element => element.position >= position) ?? playable[0]
}

/** The element `steps` further in the order; undefined beyond either end. */
export function neighbourElement(elements: VideoPlaylistElement[], current: number, steps: 1 | -1): PlayableElement | undefined {
  const playable = playableElements(elements)
  const index = playable.findIndex(({ id }) => id === current)
  return index === -1 ? undefined : playable[index + steps]
}

/** The elements without those of `removedIds`; the positions of later ones decrease, as on the server. */
export function withoutElements(elements: VideoPlaylistElement[], removedIds: ReadonlySet<number>): VideoPlaylistElement[] {
  const removed = elements.filter(({ id }) => removedIds.has(id))
  if (removed.length === 0) return elements
  return elements
    .filter(({ id }) => !removedIds.has(id))
    .map(element => ({ ...element, position: element.position - removed.filter(({ position }) => position < element.position).length }))
}

/** Parses the parameter `playlistPosition`; positions count from 1, which is returned for anything else. */
export function parsePlaylistPosition(value: string | null | undefined): number {
  return value && /^[1-9]\d{0,5}$/.test(value) ? Number(value) : 1
}
