import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useComputed, useSignalEffect } from '@preact/signals'
import { formatTime, formatSpokenTime, t } from '../i18n/i18n.ts'
import type { PlayerEngine } from './engine.ts'
import type { Playback } from './playback.ts'
import { chapterAt, type PlayerChapter } from './chapters.ts'
import { StoryboardPreview, type StoryboardSheet } from './storyboard-preview.tsx'

const STEP_SECONDS = 5
const PAGE_STEP_SECONDS = 60

/** The seek bar: current time, buffered range and chapters; shows the storyboard frame and the chapter title under the pointer. */
export function SeekBar({
  playback,
  engine,
  storyboard,
  chapters,
  onSeekPreview
}: {
  playback: Playback
  engine: PlayerEngine
  storyboard: StoryboardSheet | null
  chapters: PlayerChapter[]
  /** Called when the pointer or the focus reaches the bar. */
  onSeekPreview: () => void
}): JSX.Element {
  const bar = useRef<HTMLDivElement>(null)
  const [hover, setHover] = useState<{ fraction: number; dragging: boolean } | null>(null)
  const shownTime = useComputed(() => engine.awaitedTime.value ?? playback.time.value)
  const isDragging = useRef(false)

  useSignalEffect(() => {
    const duration = playback.duration.value || 1
    setCssFractions(bar.current, {
      played: shownTime.value / duration,
      loaded: playback.buffered.value / duration,
      ready: Math.min(1, engine.playableUntil.value / duration)
    })
  })
  useEffect(() => {
    if (hover) setCssFractions(bar.current, { pointed: hover.fraction })
  }, [hover])

  const duration = playback.duration.value
  const fractionAt = (event: PointerEvent) => {
    const bounds = bar.current!.getBoundingClientRect()
    return Math.min(1, Math.max(0, (event.clientX - bounds.left) / bounds.width))
  }
  const currentChapter = chapterAt(chapters, shownTime.value)
  const hoveredChapter = hover && chapterAt(chapters, hover.fraction * duration)
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
      aria-valuenow={Math.floor(shownTime.value)}
      aria-valuetext={
        currentChapter
          ? t('player.seekChapter', {
              time: formatSpokenTime(shownTime.value),
              end: formatSpokenTime(duration),
              chapter: currentChapter.title
            })
          : t('player.seekValue', { time: formatSpokenTime(shownTime.value), end: formatSpokenTime(duration) })
      }
      onFocus={onSeekPreview}
      onPointerDown={event => {
        if (event.button !== 0) return
        bar.current!.setPointerCapture(event.pointerId)
        isDragging.current = true
        setHover({ fraction: fractionAt(event), dragging: true })
      }}
      onPointerMove={event => {
        if (event.pointerType === 'touch' && !isDragging.current) return
        onSeekPreview()
        setHover({ fraction: fractionAt(event), dragging: isDragging.current })
      }}
      onPointerUp={event => {
        if (!isDragging.current) return
        isDragging.current = false
        seek(fractionAt(event) * duration)
        setHover(event.pointerType === 'touch' ? null : { fraction: fractionAt(event), dragging: false })
      }}
      onPointerCancel={() => {
        isDragging.current = false
        setHover(null)
      }}
      onPointerLeave={() => {
        if (!isDragging.current) setHover(null)
      }}
      onKeyDown={event => {
        const target = {
          ArrowLeft: shownTime.peek() - STEP_SECONDS,
          ArrowDown: shownTime.peek() - STEP_SECONDS,
          ArrowRight: shownTime.peek() + STEP_SECONDS,
          ArrowUp: shownTime.peek() + STEP_SECONDS,
          PageDown: shownTime.peek() - PAGE_STEP_SECONDS,
          PageUp: shownTime.peek() + PAGE_STEP_SECONDS,
          Home: 0,
          End: duration
        }[event.key]
        if (target === undefined) return
        event.preventDefault()
        event.stopPropagation()
        seek(target)
      }}
    >
      <div class="seek-track">
        <div class="seek-ready" />
        <div class="seek-loaded" />
        <div class="seek-pointed" data-on={hover !== null || undefined} />
        <div class="seek-played" />
        {chapters
          .filter(({ timecode }) => timecode > 0 && timecode < duration)
          .map(({ timecode }) => (
            <div key={timecode} class="seek-mark" ref={element => setCssFractions(element, { at: timecode / duration })} />
          ))}
      </div>
      <div class="seek-thumb" />
      {hover && (
        <div class="seek-tip">
          {storyboard && <StoryboardPreview sheet={storyboard} time={hover.fraction * duration} />}
          <span class="seek-time">
            {hoveredChapter && <span class="seek-chapter">{hoveredChapter.title}</span>}
            {formatTime(hover.fraction * duration)}
          </span>
        </div>
      )}
    </div>
  )
}

/** Sets custom properties to fractions from 0 to 1. By the CSSOM, because the content security policy forbids style attributes. */
function setCssFractions(element: HTMLElement | null, fractions: Record<string, number>): void {
  for (const [name, fraction] of Object.entries(fractions))
    element?.style.setProperty(`--${name}`, String(Math.min(1, Math.max(0, fraction))))
}
