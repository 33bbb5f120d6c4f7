import type { PlayerSource } from './source.ts'

/** Tells the system what is playing, for its own controls. */
export function registerMediaSession({ title, author, poster }: PlayerSource, jump: (by: number) => void): (() => void) | undefined {
  if (!('mediaSession' in navigator)) return undefined
  const session = navigator.mediaSession
  session.metadata = new MediaMetadata({ title, artist: author, artwork: poster ? [{ src: new URL(poster, location.href).href }] : [] })
  session.setActionHandler('seekbackward', () => jump(-10))
  session.setActionHandler('seekforward', () => jump(10))
  return () => {
    session.metadata = null
    session.setActionHandler('seekbackward', null)
    session.setActionHandler('seekforward', null)
  }
}
