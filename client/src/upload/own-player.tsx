import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { Player } from '../player/player.tsx'
import { useVideo } from '../videos/use-video.ts'

/** The player of an own video, right where it was uploaded; publishing may move its files while it plays. */
export function OwnPlayer({ id, published }: { id: string, published: boolean }): JSX.Element {
  const { source, reload, renew } = useVideo(id)
  useEffect(() => { if (published) reload() }, [published])
  return source ? <Player source={source} remember={false} renew={renew} /> : <div class="player" aria-busy="true" />
}
