import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { languageName } from '../i18n/i18n.ts'
import { videoElementFor } from './early-playback.ts'
import type { PlayerSource } from './source.ts'
import type { CaptionTrack } from './use-captions-and-chapters.ts'

type Props = { media: (element: HTMLVideoElement | null) => void; source: PlayerSource; caption: CaptionTrack | null }

/** The media element of a player: one that may have begun to load before there was a player. */
export function VideoElement({ media, source, caption }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const film = useRef<HTMLVideoElement>(null)
  useLayoutEffect(() => {
    const element = (film.current = videoElementFor(source.url))
    element.playsInline = true
    element.preload = 'auto'
    element.tabIndex = -1
    element.dataset.quietFocus = ''
    box.current!.append(element)
    media(element)
    return () => {
      media(null)
      element.remove()
    }
  }, [])
  useLayoutEffect(() => {
    if (source.poster) film.current!.poster = source.poster
    else film.current!.removeAttribute('poster')
    film.current!.setAttribute('aria-label', source.title)
  }, [source.poster, source.title])
  useEffect(() => {
    if (!caption) return
    const track = document.createElement('track')
    Object.assign(track, {
      kind: 'subtitles',
      src: caption.captionPath,
      srclang: caption.language.id,
      label: languageName(caption.language.id)
    })
    film.current!.append(track)
    // Left alone, browsers show only what they like.
    track.track.mode = 'showing'
    return () => track.remove()
  }, [caption])
  return <div ref={box} class="player-film" />
}
