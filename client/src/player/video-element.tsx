import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { videoElementFor } from './early-playback.ts'
import type { PlayerSource } from './source.ts'
import { captionTrackName, type CaptionTrack } from './caption-tracks.ts'

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
      label: captionTrackName(caption)
    })
    video.current!.append(track)
    // By default browsers show a track only if it matches the preferences of the user.
    track.track.mode = 'showing'
    track.track.addEventListener('cuechange', () => {
      const cues = [...(track.track.activeCues ?? [])] as VTTCue[]
      container.current?.toggleAttribute('data-low-captions', cues.some(isLow))
    })
    // Where the browser plays HLS itself, it may show the same text out of the playlist.
    const { textTracks } = video.current!
    const hideOthers = () => {
      for (const other of textTracks) if (other !== track.track && other.mode === 'showing') other.mode = 'disabled'
    }
    const shown = new AbortController()
    for (const event of ['change', 'addtrack']) textTracks.addEventListener(event, hideOthers, shown)
    hideOthers()
    return () => {
      shown.abort()
      track.remove()
    }
  }, [caption])
  return <div ref={container} class="player-film" />
}

/** Whether a cue is shown in the lower half (https://www.w3.org/TR/webvtt1/#webvtt-line-cue-setting): by line, of about 15, or by percentage. */
function isLow({ line, snapToLines }: VTTCue): boolean {
  return typeof line === 'string' || (snapToLines ? line < 0 || line > 7 : line >= 50)
}
