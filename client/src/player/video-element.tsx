import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { languageName } from '../i18n/i18n.ts'
import { videoElementFor } from './early-playback.ts'
import type { PlayerSource } from './source.ts'
import type { CaptionTrack } from './use-captions-and-chapters.ts'

type VideoElementProps = { mediaRef: (element: HTMLVideoElement | null) => void; source: PlayerSource; caption: CaptionTrack | null }

/** The media element of a player; the one of the early player where that has this video. */
export function VideoElement({ mediaRef, source, caption }: VideoElementProps): JSX.Element {
  const container = useRef<HTMLDivElement>(null)
  const video = useRef<HTMLVideoElement>(null)
  useLayoutEffect(() => {
    const element = (video.current = videoElementFor(source.url))
    element.playsInline = true
    element.preload = 'auto'
    element.tabIndex = -1
    element.dataset.quietFocus = ''
    container.current!.append(element)
    mediaRef(element)
    return () => {
      mediaRef(null)
      element.remove()
    }
  }, [])
  useLayoutEffect(() => {
    if (source.poster) video.current!.poster = source.poster
    else video.current!.removeAttribute('poster')
    video.current!.setAttribute('aria-label', source.title)
  }, [source.poster, source.title])
  useEffect(() => {
    if (!caption) return
    const track = document.createElement('track')
    Object.assign(track, {
      kind: 'subtitles',
      src: caption.captionPath,
      srclang: caption.language.id,
      label: languageName(caption.language.id, caption.language.label)
    })
    video.current!.append(track)
    // By default browsers show a track only if it matches the preferences of the user.
    track.track.mode = 'showing'
    return () => track.remove()
  }, [caption])
  return <div ref={container} class="player-film" />
}
