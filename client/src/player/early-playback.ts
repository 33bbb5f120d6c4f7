import type { EarlyPlaybackHandover, Opening } from '../early-playback.ts'
import { runFirst } from '../main-thread.ts'

export type { Opening }

/**
 * So long (ms) the drawing of the page waits at most for a first picture: on a quick line that is enough, on a slow one it would only come
 * later.
 */
const WORTH = 150

/** What was begun before any of the client was there; null where nothing was. */
export const { bobineFilm: earlyPlaybackHandover = null } = window as { bobineFilm?: EarlyPlaybackHandover }
let prepared = earlyPlaybackHandover?.opening ?? null

/** Has the drawing of the page wait for the first picture of a film that begins in the page the server wrote. */
export function prioritizeEarlyPlayback(): void {
  const one = prepared
  if (one)
    void one.wished.then(() =>
      runFirst(
        one.ready.then(async opened => opened && (await waitForPresentedFrame(one.media))),
        WORTH
      )
    )
}

/** The media element to play a video in, by the address of its playlist: the one where it has begun, else a new one. */
export function videoElementFor(url: string): HTMLVideoElement {
  return prepared?.isOf(url) ? prepared.media : document.createElement('video')
}

/**
 * What has begun in this element for the video with this playlist; null where nothing has. It serves once; without an address it is given
 * up.
 */
export function adoptEarlyPlayer(media: HTMLVideoElement, url: string | null): Opening | null {
  if (prepared?.media !== media) return null
  const one = prepared
  prepared = null
  one.leaveWritten()
  if (url !== null && one.isOf(url)) return one
  one.stop()
  return null
}

/** Resolves with the next picture on the screen. */
export async function waitForPresentedFrame(media: HTMLVideoElement): Promise<void> {
  if ('requestVideoFrameCallback' in media)
    await new Promise(resolve => {
      media.requestVideoFrameCallback(resolve)
    })
}
