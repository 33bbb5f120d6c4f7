import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { formatTime, t } from '../i18n/i18n.ts'
import { useStagedHydration } from '../shell/staged-hydration.tsx'
import { IconButton } from '../ui/button.tsx'
import { ControlBar } from './control-bar.tsx'
import type { PlayerEngine } from './engine.ts'
import { VideoElement } from './video-element.tsx'
import { registerMediaSession } from './media-session.ts'
import { PlaybackErrorPanel, ResumedNotice } from './notices.tsx'
import type { Playback } from './playback.ts'
import { nextPlaybackSpeed } from './player-settings.tsx'
import { KeyboardShortcutsDialog } from './keyboard-shortcuts-dialog.tsx'
import type { PlayerSource } from './source.ts'
import { PlayerStats } from './stats.tsx'
import { useCaptionsAndChapters, type CaptionsAndChapters } from './use-captions-and-chapters.ts'
import { useControlsVisibility } from './use-controls-visibility.ts'
import { useKeyboardShortcuts } from './use-keyboard-shortcuts.ts'
import { usePlayer } from './use-player.ts'
import { useStoryboard } from './use-storyboard.ts'
import { useStopTime } from './use-stop-time.ts'
import { useTapGestures } from './use-tap-gestures.ts'
import { startViewReporting } from './view-reporting.ts'
import './player.css'

/** What commands a player and tells of it. */
export type PlayerHandle = { engine: PlayerEngine; playback: Playback; tracks: CaptionsAndChapters }

type Props = {
  source: PlayerSource
  autoplay?: boolean
  /** Where to begin, in seconds; without it where this browser left the video. */
  start?: number
  /** Where to stop, in seconds. */
  stop?: number
  muted?: boolean
  loop?: boolean
  speed?: number
  /** The language of the subtitles to begin with. */
  subtitle?: string
  /** Everything; everything but the bar; only the picture, which then obeys no finger and no key. */
  controls?: 'all' | 'bare' | 'none'
  /** Whether keys pressed anywhere on the page are the player's. */
  pageKeys?: boolean
  remember?: boolean
  wide?: boolean
  onWide?: () => void
  /** Hears of the parts, and again when the tracks change. */
  onParts?: (parts: PlayerHandle) => void
  /** Gives the source anew when its files moved or its token ran out; null when it is gone. */
  renew: () => Promise<PlayerSource | null>
  /** What lies over the picture at its head. */
  children?: ComponentChildren
}

/** The video player: picture, controls, keys, gestures, and what it says when something is wrong. */
export function Player({
  source,
  autoplay = false,
  start,
  stop,
  muted = false,
  loop = false,
  speed,
  subtitle,
  controls = 'all',
  pageKeys = false,
  remember = true,
  wide = false,
  onWide,
  onParts,
  renew,
  children
}: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const turn = useStagedHydration(1)
  const { media, engine, playback, resumed } = usePlayer(source, { autoplay, start, remember, renew })
  const { awake, full, wake, toggleFull, onMenu } = useControlsVisibility(box, playback)
  const [help, setHelp] = useState(false)
  const [stats, setStats] = useState(false)
  const [sheet, lookAtSheet] = useStoryboard(source)
  const [looked, setLooked] = useState(false)
  const tracks = useCaptionsAndChapters(
    source,
    looked || subtitle !== undefined || onParts !== undefined || (playback?.begun.value ?? false),
    subtitle
  )
  const look = () => {
    setLooked(true)
    lookAtSheet()
  }
  const jump = (by: number) => {
    if (engine && playback) engine.seek((engine.awaited.peek() ?? playback.time.peek()) + by, playback.duration.peek())
  }
  const obeys = controls !== 'none'
  const { taps, leap } = useTapGestures(box, { toggle: () => playback?.toggle(), jump, full: toggleFull, wake, awake })
  useKeyboardShortcuts(
    box,
    engine && playback && obeys
      ? {
          toggle: () => playback.toggle(),
          jump,
          seekTo: share => engine.seek(share * playback.duration.peek(), playback.duration.peek()),
          louder: by => playback.louder(by),
          mute: () => playback.toggleMuted(),
          fullscreen: toggleFull,
          theatre: () => onWide?.(),
          float: () =>
            void playback.toggleFloating().catch(() => {
              /* not before there is a picture */
            }),
          captions: tracks.toggle,
          stats: () => setStats(on => !on),
          help: () => setHelp(true),
          faster: steps => playback.setSpeed(nextPlaybackSpeed(playback.speed.peek(), steps))
        }
      : null,
    { everywhere: pageKeys, wake }
  )
  useStopTime(engine, playback, stop, start ?? 0)

  // Before anything plays: with sound a browser lets nothing play by itself.
  useLayoutEffect(() => {
    if (!playback) return
    if (muted) playback.imposeVolume(0)
    if (speed !== undefined) playback.setSpeed(speed)
    playback.setLoop(loop)
  }, [playback])
  useEffect(() => {
    if (engine && playback) onParts?.({ engine, playback, tracks })
  }, [engine, playback, tracks.known, tracks.caption])
  useEffect(() => {
    box.current?.style.setProperty('--ratio', String(source.aspectRatio ?? 16 / 9))
  }, [source.aspectRatio])
  useEffect(() => {
    if (playback) return registerMediaSession(source, jump)
  }, [playback, source.title, source.poster])
  useEffect(() => {
    if (playback) return startViewReporting(playback.media, source)
  }, [playback, source.uuid])

  const fault = engine?.fault.value ?? null
  const awaited = engine?.awaited.value ?? null
  const begun = playback?.begun.value ?? false
  const stuck = awaited !== null || (playback?.waiting.value ?? false)
  return (
    <div
      class="player"
      ref={box}
      data-awake={awake || undefined}
      data-full={full || undefined}
      data-begun={begun || undefined}
      role="region"
      aria-label={t('player.name', { title: source.title })}
      {...(obeys ? taps : {})}
    >
      <VideoElement media={media} source={source} caption={tracks.caption} />
      {children}
      {leap && (
        <div key={leap.key} class="player-leap" data-side={leap.seconds < 0 ? 'start' : 'end'} aria-hidden="true">
          {leap.seconds > 0 ? '+' : '−'}
          {Math.abs(leap.seconds)} s
        </div>
      )}
      {resumed > 0 && begun && awake && <ResumedNotice at={resumed} onAgain={() => engine?.seek(0, resumed)} />}
      {obeys && !fault && !begun && !stuck && (
        <IconButton class="player-start" label={t('player.play')} icon="play" size={34} onClick={() => playback?.play()} />
      )}
      {!fault && stuck && (
        <div class="player-wait" role="status">
          <span class="player-spin" />
          {awaited !== null && <p>{t('player.notYet', { time: formatTime(awaited) })}</p>}
        </div>
      )}
      {fault && <PlaybackErrorPanel fault={fault} onRetry={() => void engine?.retry()} />}
      {stats && engine && playback && <PlayerStats {...{ engine, playback }} onClose={() => setStats(false)} />}
      {controls === 'all' && turn > 0 && engine && playback && !fault && (
        <ControlBar
          {...{ playback, engine, sheet, tracks, full, wide, onWide }}
          onMenu={open => {
            if (open) setLooked(true)
            onMenu(open)
          }}
          onFull={toggleFull}
          onHelp={() => setHelp(true)}
          onStats={() => setStats(on => !on)}
          onLook={look}
        />
      )}
      {help && <KeyboardShortcutsDialog theatre={onWide !== undefined} onClose={() => setHelp(false)} />}
    </div>
  )
}
