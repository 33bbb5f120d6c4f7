import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { formatTime, t } from '../i18n/i18n.ts'
import { IconButton } from '../ui/button.tsx'
import { chapterAt } from './chapters.ts'
import type { PlayerEngine } from './engine.ts'
import type { Playback } from './playback.ts'
import type { StoryboardSheet } from './storyboard-preview.tsx'
import { SeekBar } from './seek-bar.tsx'
import { PlayerSettings } from './player-settings.tsx'
import type { CaptionsAndChapters } from './use-captions-and-chapters.ts'

type ControlBarProps = {
  playback: Playback
  engine: PlayerEngine
  storyboard: StoryboardSheet | null
  tracks: CaptionsAndChapters
  fullscreen: boolean
  /** Whether theatre mode is on. */
  wide: boolean
  onWide?: () => void
  onFullscreen: () => void
  onHelp: () => void
  onStats: () => void
  /** Called when the pointer or the focus reaches the seek bar. */
  onSeekPreview: () => void
  onMenuToggle: (open: boolean) => void
}

/** The control bar at the bottom of the player. */
export function ControlBar({
  playback,
  engine,
  storyboard,
  tracks,
  fullscreen,
  wide,
  onWide,
  onFullscreen,
  onHelp,
  onStats,
  onSeekPreview,
  onMenuToggle
}: ControlBarProps): JSX.Element {
  const playing = !playback.paused.value && !playback.ended.value
  const silent = playback.muted.value || playback.volume.value === 0
  return (
    <div class="controls">
      <SeekBar {...{ playback, engine, storyboard, onSeekPreview }} chapters={tracks.chapters} />
      <div class="controls-row">
        <IconButton
          class="player-button"
          label={t(playback.ended.value ? 'player.again' : playing ? 'player.pause' : 'player.play')}
          icon={playback.ended.value ? 'replay' : playing ? 'pause' : 'play'}
          onClick={() => playback.togglePlay()}
        />
        <div class="volume">
          <IconButton
            class="player-button"
            label={t(silent ? 'player.unmute' : 'player.mute')}
            icon={silent ? 'mute' : 'volume'}
            onClick={() => playback.toggleMuted()}
          />
          <VolumeSlider playback={playback} />
        </div>
        <span class="controls-time">
          {formatTime(engine.awaitedTime.value ?? playback.time.value)}{' '}
          <span class="controls-end">/ {formatTime(playback.duration.value)}</span>
        </span>
        <span class="controls-chapter">{chapterAt(tracks.chapters, engine.awaitedTime.value ?? playback.time.value)?.title}</span>
        <PlayerSettings {...{ playback, engine, tracks, onHelp, onStats }} onOpen={onMenuToggle} />
        {document.pictureInPictureEnabled && (
          <IconButton
            class="player-button player-float"
            label={t(playback.pictureInPicture.value ? 'player.unfloat' : 'player.float')}
            icon="pip"
            onClick={() =>
              void playback.togglePictureInPicture().catch(() => {
                /* not available before the first frame */
              })
            }
          />
        )}
        {onWide && (
          <IconButton
            class="player-button player-wide"
            label={t(wide ? 'player.unwide' : 'player.wide')}
            icon="theatre"
            aria-pressed={wide}
            onClick={onWide}
          />
        )}
        <IconButton
          class="player-button"
          label={t(fullscreen ? 'player.unfull' : 'player.full')}
          icon={fullscreen ? 'minimize' : 'fullscreen'}
          onClick={onFullscreen}
        />
      </div>
    </div>
  )
}

function VolumeSlider({ playback }: { playback: Playback }): JSX.Element {
  const input = useRef<HTMLInputElement>(null)
  const value = playback.muted.value ? 0 : playback.volume.value
  useEffect(() => {
    input.current?.style.setProperty('--level', String(value))
  }, [value])
  return (
    <input
      ref={input}
      class="volume-range"
      type="range"
      min="0"
      max="1"
      step="0.05"
      value={value}
      aria-label={t('player.volume')}
      onInput={event => playback.setVolume(Number(event.currentTarget.value))}
    />
  )
}
