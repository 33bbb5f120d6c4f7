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

type Props = {
  playback: Playback
  engine: PlayerEngine
  sheet: StoryboardSheet | null
  tracks: CaptionsAndChapters
  full: boolean
  wide: boolean
  onWide?: () => void
  onFull: () => void
  onHelp: () => void
  onStats: () => void
  onLook: () => void
  onMenu: (open: boolean) => void
}

/** The bar at the foot of the player. */
export function ControlBar({
  playback,
  engine,
  sheet,
  tracks,
  full,
  wide,
  onWide,
  onFull,
  onHelp,
  onStats,
  onLook,
  onMenu
}: Props): JSX.Element {
  const playing = !playback.paused.value && !playback.ended.value
  const silent = playback.muted.value || playback.volume.value === 0
  return (
    <div class="controls">
      <SeekBar {...{ playback, engine, sheet, onLook }} chapters={tracks.chapters} />
      <div class="controls-row">
        <IconButton
          class="player-button"
          label={t(playback.ended.value ? 'player.again' : playing ? 'player.pause' : 'player.play')}
          icon={playback.ended.value ? 'replay' : playing ? 'pause' : 'play'}
          onClick={() => playback.toggle()}
        />
        <div class="volume">
          <IconButton
            class="player-button"
            label={t(silent ? 'player.unmute' : 'player.mute')}
            icon={silent ? 'mute' : 'volume'}
            onClick={() => playback.toggleMuted()}
          />
          <Volume playback={playback} />
        </div>
        <span class="controls-time">
          {formatTime(engine.awaited.value ?? playback.time.value)}{' '}
          <span class="controls-end">/ {formatTime(playback.duration.value)}</span>
        </span>
        <span class="controls-chapter">{chapterAt(tracks.chapters, engine.awaited.value ?? playback.time.value)?.title}</span>
        <PlayerSettings {...{ playback, engine, tracks, onHelp, onStats }} onOpen={onMenu} />
        {document.pictureInPictureEnabled && (
          <IconButton
            class="player-button player-float"
            label={t(playback.floating.value ? 'player.unfloat' : 'player.float')}
            icon="pip"
            onClick={() =>
              void playback.toggleFloating().catch(() => {
                /* not before there is a picture */
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
          label={t(full ? 'player.unfull' : 'player.full')}
          icon={full ? 'minimize' : 'fullscreen'}
          onClick={onFull}
        />
      </div>
    </div>
  )
}

function Volume({ playback }: { playback: Playback }): JSX.Element {
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
