import type { PlayerSource } from './source.ts'

/** Sets metadata and seek actions of the Media Session API. Returns the function that removes them; undefined where there is no support. */
export function registerMediaSession({ title, author, poster }: PlayerSource, seekBy: (by: number) => void): (() => void) | undefined {
  if (!('mediaSession' in navigator)) return undefined
  const session = navigator.mediaSession
  session.metadata = new MediaMetadata({ title, artist: author, artwork: poster ? [{ src: new URL(poster, location.href).href }] : [] })
  session.setActionHandler('seekbackward', () => seekBy(-10))
  session.setActionHandler('seekforward', () => seekBy(10))
  return () => {
    session.metadata = null
    session.setActionHandler('seekbackward', null)
    session.setActionHandler('seekforward', null)
  }
}
