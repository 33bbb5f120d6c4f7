import type { JSX } from 'preact'
import { Player } from '../player/player.tsx'
import { useVideo } from '../videos/use-video.ts'

/** The player of an own video, right where it was uploaded; it plays on while the video is published. */
export function OwnPlayer({ id }: { id: string }): JSX.Element {
  const { source, renew } = useVideo(id)
  return source ? <Player source={source} remember={false} renew={renew} /> : <div class="player" aria-busy="true" />
}
