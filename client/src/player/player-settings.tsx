import type { JSX } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { formatNumber, formatTime, languageName, t } from '../i18n/i18n.ts'
import { IconButton } from '../ui/button.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { moveMenuFocus } from '../ui/menu.tsx'
import type { PlayerAudioTrack } from './audio-tracks.ts'
import { isSameRendition, type PlayerEngine } from './engine.ts'
import type { Playback } from './playback.ts'
import type { PlayerRendition } from './source.ts'
import type { CaptionsAndChapters } from './use-captions-and-chapters.ts'

/** The speeds to choose from. */
export const PLAYBACK_SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]

/** The next slower or faster of them. */
export function nextPlaybackSpeed(speed: number, steps: number): number {
  return (steps < 0 ? PLAYBACK_SPEEDS.findLast(one => one < speed) : PLAYBACK_SPEEDS.find(one => one > speed)) ?? speed
}

type Room = 'all' | 'quality' | 'speed' | 'audio' | 'captions' | 'chapters'
const NAMES = {
  all: 'player.settings',
  quality: 'player.quality',
  speed: 'player.speed',
  audio: 'player.audio',
  captions: 'player.captions',
  chapters: 'player.chapters'
} as const
type Line = {
  key?: string
  text: string
  detail?: string
  icon?: IconName
  chosen?: boolean
  role: 'menuitem' | 'menuitemradio' | 'menuitemcheckbox'
  opens?: Room
  act?: () => void
}

/** What the menu works on, and what its last lines do. */
type Props = { playback: Playback; engine: PlayerEngine; tracks: CaptionsAndChapters; onHelp: () => void; onStats: () => void }

/** The menu of the player: quality, speed, sound, subtitles, chapters, loop, statistics, keys. */
export function PlayerSettings({ onOpen, ...props }: Props & { onOpen: (open: boolean) => void }): JSX.Element {
  const [room, setRoom] = useState<Room | null>(null)
  const root = useRef<HTMLDivElement>(null)
  const close = (focus: boolean) => {
    setRoom(null)
    if (focus) root.current?.querySelector<HTMLElement>('[aria-haspopup]')?.focus()
  }
  useLayoutEffect(() => {
    onOpen(room !== null)
    if (room === null) return
    const list = root.current!.querySelector<HTMLElement>('[role="menu"]')!
    ;(list.querySelector<HTMLElement>('[aria-checked="true"]') ?? list.querySelector<HTMLElement>('[role^="menuitem"]'))?.focus()
    const away = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) close(false)
    }
    addEventListener('pointerdown', away)
    return () => removeEventListener('pointerdown', away)
  }, [room])

  return (
    <div
      class="settings"
      ref={root}
      onKeyDown={event => {
        if (room === null) return
        if (event.key === 'Escape' || (event.key === 'ArrowLeft' && room !== 'all')) {
          if (room === 'all') close(true)
          else setRoom('all')
        } else if (event.key === 'Tab') return close(false)
        else if (!moveMenuFocus(event.currentTarget, event.key)) return
        event.preventDefault()
        event.stopPropagation()
      }}
    >
      <IconButton
        class="player-button"
        label={t('player.settings')}
        icon="settings"
        aria-haspopup="menu"
        aria-expanded={room !== null}
        onClick={() => (room === null ? setRoom('all') : close(true))}
      />
      {room !== null && (
        <div class="settings-list" role="menu" tabIndex={0} data-quiet-focus aria-label={t('player.settings')} data-room={room}>
          {room !== 'all' && (
            <button type="button" class="settings-line settings-back" role="menuitem" tabIndex={-1} onClick={() => setRoom('all')}>
              <Icon name="back" size={18} />
              <span>{t(NAMES[room])}</span>
              {room === 'quality' && props.engine.coming.value && <span class="settings-detail">{t('player.moreComing')}</span>}
            </button>
          )}
          {lines(room, props).map(line => (
            <button
              key={line.key ?? line.text}
              type="button"
              class="settings-line"
              role={line.role}
              tabIndex={-1}
              aria-checked={line.chosen}
              aria-haspopup={line.opens ? 'menu' : undefined}
              onClick={() => {
                line.act?.()
                if (line.opens) setRoom(line.opens)
                else if (line.role !== 'menuitemcheckbox') close(true)
              }}
            >
              {line.role === 'menuitemradio' ? (
                <span class="settings-mark">{line.chosen && <Icon name="check" size={18} />}</span>
              ) : (
                line.icon && <Icon name={line.icon} size={18} />
              )}
              <span>{line.text}</span>
              {line.detail && <span class="settings-detail">{line.detail}</span>}
              {line.opens && <Icon name="chevron" size={16} />}
            </button>
          ))}
        </div>
      )}
    </div>
  )
}

function lines(room: Room, { playback, engine, tracks: { captions, caption, choose, chapters }, onHelp, onStats }: Props): Line[] {
  const qualities = engine.qualities.value
  const chosen = engine.chosen.value
  const automatic = engine.shown.value && !chosen ? t('player.autoNow', { quality: renditionName(engine.shown.value) }) : t('player.auto')
  if (room === 'quality') {
    return [
      ...qualities.map(one => ({
        text: renditionName(one),
        role: 'menuitemradio' as const,
        chosen: isSameRendition(one, chosen),
        act: () => engine.choose(one)
      })),
      { text: automatic, role: 'menuitemradio', chosen: chosen === null, act: () => engine.choose(null) }
    ]
  }
  if (room === 'speed')
    return PLAYBACK_SPEEDS.map(one => ({
      text: speedName(one),
      role: 'menuitemradio',
      chosen: playback.speed.value === one,
      act: () => playback.setSpeed(one)
    }))
  const audios = engine.audios.list.value
  const heard = engine.audios.heard.value
  if (room === 'audio')
    return audios.map(one => ({
      key: String(one.id),
      text: audioName(one),
      detail: one.language && ![audioName(one), one.language].includes(one.name) ? one.name || undefined : undefined,
      role: 'menuitemradio',
      chosen: one.id === heard,
      act: () => engine.audios.choose(one)
    }))
  if (room === 'captions') {
    return [
      { text: t('ui.off'), role: 'menuitemradio', chosen: caption === null, act: () => choose(null) },
      ...captions.map(({ language: { id }, automaticallyGenerated }) => ({
        key: id,
        text: languageName(id),
        detail: automaticallyGenerated ? t('player.captionsAuto') : undefined,
        role: 'menuitemradio' as const,
        chosen: caption?.language.id === id,
        act: () => choose(id)
      }))
    ]
  }
  if (room === 'chapters')
    return chapters.map(({ timecode, title }) => ({
      key: String(timecode),
      text: title,
      detail: formatTime(timecode),
      role: 'menuitem',
      act: () => engine.seek(timecode, playback.duration.peek())
    }))
  return [
    ...(qualities.length > 0
      ? [
          {
            text: t('player.quality'),
            detail: chosen ? renditionName(chosen) : automatic,
            icon: 'system',
            role: 'menuitem',
            opens: 'quality'
          } as const
        ]
      : []),
    { text: t('player.speed'), detail: speedName(playback.speed.value), icon: 'speed', role: 'menuitem', opens: 'speed' },
    ...(audios.length > 1
      ? [
          {
            text: t('player.audio'),
            detail: audios
              .filter(({ id }) => id === heard)
              .map(audioName)
              .join(''),
            icon: 'volume',
            role: 'menuitem',
            opens: 'audio'
          } as const
        ]
      : []),
    ...(captions.length > 0
      ? [
          {
            text: t('player.captions'),
            detail: caption ? languageName(caption.language.id) : t('ui.off'),
            icon: 'captions',
            role: 'menuitem',
            opens: 'captions'
          } as const
        ]
      : []),
    ...(chapters.length > 0
      ? [
          {
            text: t('player.chapters'),
            detail: formatNumber(chapters.length),
            icon: 'chapters',
            role: 'menuitem',
            opens: 'chapters'
          } as const
        ]
      : []),
    {
      text: t('player.loop'),
      detail: t(playback.loop.value ? 'ui.on' : 'ui.off'),
      icon: 'loop',
      role: 'menuitemcheckbox',
      chosen: playback.loop.value,
      act: () => playback.setLoop(!playback.loop.peek())
    },
    { text: t('player.stats'), icon: 'info', role: 'menuitem', act: onStats },
    { text: t('player.keys'), icon: 'keyboard', role: 'menuitem', act: onHelp }
  ]
}

function audioName({ language, name }: PlayerAudioTrack): string {
  return language ? languageName(language) : name
}

/** A quality as people call it: 720p, 1080p60. */
export function renditionName({ size, fast }: PlayerRendition): string {
  return size === 0 ? t('player.soundOnly') : `${size}p${fast ? '60' : ''}`
}

function speedName(speed: number): string {
  return speed === 1 ? t('player.normal') : `${formatNumber(speed)}×`
}
