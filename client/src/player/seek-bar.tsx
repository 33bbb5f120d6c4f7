import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useComputed, useSignalEffect } from '@preact/signals'
import { formatTime, formatSpokenTime, t } from '../i18n/i18n.ts'
import type { PlayerEngine } from './engine.ts'
import type { Playback } from './playback.ts'
import { chapterAt, type PlayerChapter } from './chapters.ts'
import { StoryboardPreview, type StoryboardSheet } from './storyboard-preview.tsx'

const STEP = 5
const PAGE = 60

/**
 * Where the video is, how far it is loaded, and the way to another place; a small picture and the title of the chapter show what is there.
 */
export function SeekBar({
  playback,
  engine,
  sheet,
  chapters,
  onLook
}: {
  playback: Playback
  engine: PlayerEngine
  sheet: StoryboardSheet | null
  chapters: PlayerChapter[]
  onLook: () => void
}): JSX.Element {
  const bar = useRef<HTMLDivElement>(null)
  const [pointed, setPointed] = useState<{ share: number; dragging: boolean } | null>(null)
  const shown = useComputed(() => engine.awaited.value ?? playback.time.value)
  const dragging = useRef(false)

  useSignalEffect(() => {
    const duration = playback.duration.value || 1
    paint(bar.current, {
      played: shown.value / duration,
      loaded: playback.buffered.value / duration,
      ready: Math.min(1, engine.ready.value / duration)
    })
  })
  useEffect(() => {
    if (pointed) paint(bar.current, { pointed: pointed.share })
  }, [pointed])

  const duration = playback.duration.value
  const shareAt = (event: PointerEvent) => {
    const box = bar.current!.getBoundingClientRect()
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width))
  }
  const here = chapterAt(chapters, shown.value)
  const pointedAt = pointed && chapterAt(chapters, pointed.share * duration)
  const seek = (seconds: number) => engine.seek(seconds, playback.duration.peek())

  return (
    <div
      class="seek"
      ref={bar}
      role="slider"
      tabIndex={0}
      aria-label={t('player.seek')}
      aria-valuemin={0}
      aria-valuemax={Math.floor(duration)}
      aria-valuenow={Math.floor(shown.value)}
      aria-valuetext={
        here
          ? t('player.seekChapter', { time: formatSpokenTime(shown.value), end: formatSpokenTime(duration), chapter: here.title })
          : t('player.seekValue', { time: formatSpokenTime(shown.value), end: formatSpokenTime(duration) })
      }
      onFocus={onLook}
      onPointerDown={event => {
        if (event.button !== 0) return
        bar.current!.setPointerCapture(event.pointerId)
        dragging.current = true
        setPointed({ share: shareAt(event), dragging: true })
      }}
      onPointerMove={event => {
        if (event.pointerType === 'touch' && !dragging.current) return
        onLook()
        setPointed({ share: shareAt(event), dragging: dragging.current })
      }}
      onPointerUp={event => {
        if (!dragging.current) return
        dragging.current = false
        seek(shareAt(event) * duration)
        setPointed(event.pointerType === 'touch' ? null : { share: shareAt(event), dragging: false })
      }}
      onPointerCancel={() => {
        dragging.current = false
        setPointed(null)
      }}
      onPointerLeave={() => {
        if (!dragging.current) setPointed(null)
      }}
      onKeyDown={event => {
        const to = {
          ArrowLeft: shown.peek() - STEP,
          ArrowDown: shown.peek() - STEP,
          ArrowRight: shown.peek() + STEP,
          ArrowUp: shown.peek() + STEP,
          PageDown: shown.peek() - PAGE,
          PageUp: shown.peek() + PAGE,
          Home: 0,
          End: duration
        }[event.key]
        if (to === undefined) return
        event.preventDefault()
        event.stopPropagation()
        seek(to)
      }}
    >
      <div class="seek-track">
        <div class="seek-ready" />
        <div class="seek-loaded" />
        <div class="seek-pointed" data-on={pointed !== null || undefined} />
        <div class="seek-played" />
        {chapters
          .filter(({ timecode }) => timecode > 0 && timecode < duration)
          .map(({ timecode }) => (
            <div key={timecode} class="seek-mark" ref={element => paint(element, { at: timecode / duration })} />
          ))}
      </div>
      <div class="seek-thumb" />
      {pointed && (
        <div class="seek-tip">
          {sheet && <StoryboardPreview sheet={sheet} time={pointed.share * duration} />}
          <span class="seek-time">
            {pointedAt && <span class="seek-chapter">{pointedAt.title}</span>}
            {formatTime(pointed.share * duration)}
          </span>
        </div>
      )}
    </div>
  )
}

/** Positions go through the object model: a style attribute would be against the content security policy. */
function paint(bar: HTMLElement | null, shares: Record<string, number>): void {
  for (const [name, share] of Object.entries(shares)) bar?.style.setProperty(`--${name}`, String(Math.min(1, Math.max(0, share))))
}
