import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { formatTime, t } from '../i18n/i18n.ts'
import { useStagedHydration } from '../page/staged-hydration.tsx'
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

/** The parts of a player through which an embedding page controls and observes it. */
export type PlayerHandle = { engine: PlayerEngine; playback: Playback; tracks: CaptionsAndChapters }

type PlayerProps = {
  source: PlayerSource
  autoplay?: boolean
  /** What is loaded before play is pressed: the first segment, or nothing until a pointer or the focus comes. */
  preload?: 'segment' | 'none'
  /** Where to start, in seconds; without it at the position saved in this browser. */
  start?: number
  /** Where to pause, in seconds. */
  stop?: number
  muted?: boolean
  loop?: boolean
  speed?: number
  /** The language of the captions to start with. */
  subtitle?: string
  /** All controls; all but the control bar; none, also no gestures and no keyboard shortcuts. */
  controls?: 'all' | 'bare' | 'none'
  /** Whether keyboard shortcuts work on the whole page instead of only with the focus in the player. */
  pageKeys?: boolean
  /** Whether the position is saved in this browser and restored. */
  remember?: boolean
  /** Whether theatre mode is on. */
  wide?: boolean
  onWide?: () => void
  /** Whether captions and chapters are loaded before they are needed. */
  loadTracks?: boolean
  /** Called with the handle once the player is created, and again when captions or chapters change. */
  onHandleChange?: (handle: PlayerHandle) => void
  /** Called when playback reaches the end, or `stop`. */
  onEnd?: () => void
  /** Loads the source again when its files have moved or its token has expired; null when the video is gone. */
  renew: () => Promise<PlayerSource | null>
  /** Content over the top of the video. */
  children?: ComponentChildren
}

/** The video player: video, controls, keyboard shortcuts, gestures, and error messages. */
export function Player({
  source,
  autoplay = false,
  preload = 'segment',
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
  loadTracks = false,
  onHandleChange,
  onEnd,
  renew,
  children
}: PlayerProps): JSX.Element {
  const playerElement = useRef<HTMLDivElement>(null)
  const onEndRef = useRef(onEnd)
  onEndRef.current = onEnd
  const renderStage = useStagedHydration(1)
  const { mediaRef, engine, playback, resumedAt } = usePlayer(source, { autoplay, preload, start, remember, renew })
  const { visible, fullscreen, showControls, toggleFullscreen, onMenuToggle } = useControlsVisibility(playerElement, playback)
  const [helpOpen, setHelpOpen] = useState(false)
  const [statsOpen, setStatsOpen] = useState(false)
  const [storyboard, loadStoryboard] = useStoryboard(source)
  const [tracksNeeded, setTracksNeeded] = useState(false)
  const tracks = useCaptionsAndChapters(
    source,
    tracksNeeded || subtitle !== undefined || loadTracks || (playback?.started.value ?? false),
    engine?.audioTracks.selectedLanguage() || source.language,
    subtitle
  )
  const loadSeekPreviews = () => {
    setTracksNeeded(true)
    loadStoryboard()
  }
  const seekBy = (seconds: number) => {
    if (engine && playback) engine.seek((engine.awaitedTime.peek() ?? playback.time.peek()) + seconds, playback.duration.peek())
  }
  const interactive = controls !== 'none'
  const { handlers, seekHint } = useTapGestures(playerElement, {
    togglePlay: () => playback?.togglePlay(),
    seekBy,
    toggleFullscreen,
    showControls,
    controlsVisible: visible
  })
  useKeyboardShortcuts(
    playerElement,
    engine && playback && interactive
      ? {
          togglePlay: () => playback.togglePlay(),
          seekBy,
          seekToFraction: fraction => engine.seek(fraction * playback.duration.peek(), playback.duration.peek()),
          changeVolume: by => playback.changeVolume(by),
          toggleMuted: () => playback.toggleMuted(),
          toggleFullscreen,
          toggleTheatre: () => onWide?.(),
          togglePictureInPicture: () =>
            void playback.togglePictureInPicture().catch(() => {
              /* not available before the first frame */
            }),
          toggleCaptions: tracks.toggle,
          toggleStats: () => setStatsOpen(on => !on),
          showHelp: () => setHelpOpen(true),
          changeSpeed: steps => playback.setSpeed(nextPlaybackSpeed(playback.speed.peek(), steps))
        }
      : null,
    { everywhere: pageKeys, onHandled: showControls }
  )
  useStopTime(engine, playback, stop, start ?? 0, () => onEndRef.current?.())

  // Before anything plays: browsers allow autoplay only without audio.
  useLayoutEffect(() => {
    if (!playback) return
    if (muted) playback.setVolumeWithoutSaving(0)
    if (speed !== undefined) playback.setSpeed(speed)
    playback.setLoop(loop)
  }, [playback])
  useEffect(() => {
    if (engine && playback) onHandleChange?.({ engine, playback, tracks })
  }, [engine, playback, tracks.loaded, tracks.caption])
  useEffect(() => {
    playerElement.current?.style.setProperty('--ratio', String(source.aspectRatio ?? 16 / 9))
  }, [source.aspectRatio])
  useEffect(() => {
    if (playback) return registerMediaSession(source, seekBy)
  }, [playback, source.title, source.poster])
  useEffect(() => {
    if (playback) return startViewReporting(playback.media, source)
  }, [playback, source.uuid])

  useEffect(() => {
    if (playback && onEnd)
      return playback.ended.subscribe(ended => {
        if (ended) onEndRef.current?.()
      })
  }, [playback, onEnd === undefined])

  const error = engine?.error.value ?? null
  const awaitedTime = engine?.awaitedTime.value ?? null
  const started = playback?.started.value ?? false
  const waiting = awaitedTime !== null || (playback?.waiting.value ?? false)
  return (
    <div
      class="player"
      ref={playerElement}
      data-awake={visible || undefined}
      data-full={fullscreen || undefined}
      data-begun={started || undefined}
      role="region"
      aria-label={t('player.name', { title: source.title })}
      {...(interactive ? handlers : {})}
    >
      <VideoElement mediaRef={mediaRef} source={source} caption={tracks.shown} />
      {children}
      {seekHint && (
        <div key={seekHint.key} class="player-leap" data-side={seekHint.seconds < 0 ? 'start' : 'end'} aria-hidden="true">
          {seekHint.seconds > 0 ? '+' : '−'}
          {Math.abs(seekHint.seconds)} s
        </div>
      )}
      {resumedAt > 0 && started && visible && <ResumedNotice at={resumedAt} onRestart={() => engine?.seek(0, resumedAt)} />}
      {interactive && !error && !started && !waiting && (
        <IconButton class="player-start" label={t('player.play')} icon="play" size={34} onClick={() => playback?.play()} />
      )}
      {!error && waiting && (
        <div class="player-wait" role="status">
          <span class="player-spin" />
          {awaitedTime !== null && <p>{t('player.notYet', { time: formatTime(awaitedTime) })}</p>}
        </div>
      )}
      {error && <PlaybackErrorPanel error={error} onRetry={() => void engine?.retry()} />}
      {statsOpen && engine && playback && <PlayerStats {...{ engine, playback }} onClose={() => setStatsOpen(false)} />}
      {controls === 'all' && renderStage > 0 && engine && playback && !error && (
        <ControlBar
          {...{ playback, engine, storyboard, tracks, fullscreen, wide, onWide }}
          onMenuToggle={open => {
            if (open) setTracksNeeded(true)
            onMenuToggle(open)
          }}
          onFullscreen={toggleFullscreen}
          onHelp={() => setHelpOpen(true)}
          onStats={() => setStatsOpen(on => !on)}
          onSeekPreview={loadSeekPreviews}
        />
      )}
      {helpOpen && <KeyboardShortcutsDialog theatre={onWide !== undefined} onClose={() => setHelpOpen(false)} />}
    </div>
  )
}
