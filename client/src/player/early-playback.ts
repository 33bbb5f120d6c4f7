import type { EarlyPlaybackHandover, EarlyPlayer } from '../early-playback.ts'
import { runFirst } from '../main-thread.ts'

/** Maximum wait in milliseconds of rendering for the first frame: enough on a fast connection; a slow one would delay the page too much. */
const FIRST_FRAME_TIMEOUT_MS = 150

/** What the script in the page prefetched before the client loaded; null where there is no such script, or where it did nothing. */
export const { bobineFilm: earlyPlaybackHandover = null } = window as { bobineFilm?: EarlyPlaybackHandover }
let earlyPlayer = earlyPlaybackHandover?.player ?? null

/** Defers rendering the page until the first frame of a video whose play button was pressed in the server-rendered page. */
export function prioritizeEarlyPlayback(): void {
  const player = earlyPlayer
  if (player)
    void player.playRequested.then(() =>
      runFirst(
        player.attachment.then(async attachment => attachment && (await waitForPresentedFrame(player.media))),
        FIRST_FRAME_TIMEOUT_MS
      )
    )
}

/** Returns the media element for the video with this master playlist: that of the early player if it has this video, else a new one. */
export function videoElementFor(url: string): HTMLVideoElement {
  return earlyPlayer?.playsPlaylist(url) ? earlyPlayer.media : document.createElement('video')
}

/**
 * Returns the early player of this media element if it has the video with this master playlist, else null; an early player with another
 * video, or with any where `url` is null, is stopped. Only the first call for the element can return it.
 */
export function adoptEarlyPlayer(media: HTMLVideoElement, url: string | null): EarlyPlayer | null {
  if (earlyPlayer?.media !== media) return null
  const player = earlyPlayer
  earlyPlayer = null
  player.detachFromServerPage()
  if (url !== null && player.playsPlaylist(url)) return player
  player.stop()
  return null
}

/** Resolves when the next frame of the video is presented; at once in browsers without `requestVideoFrameCallback`. */
export async function waitForPresentedFrame(media: HTMLVideoElement): Promise<void> {
  if ('requestVideoFrameCallback' in media)
    await new Promise(resolve => {
      media.requestVideoFrameCallback(resolve)
    })
}
