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
import { dataSaver, setDataSaver } from './data-saver.ts'
import { captionChoice, captionTrackName } from './caption-tracks.ts'
import type { CaptionsAndChapters } from './use-captions-and-chapters.ts'

/** The playback speeds of the menu. */
export const PLAYBACK_SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]

/** Returns the next slower (`steps` below 0) or faster speed of the menu; the same speed where there is none. */
export function nextPlaybackSpeed(speed: number, steps: number): number {
  return (steps < 0 ? PLAYBACK_SPEEDS.findLast(slower => slower < speed) : PLAYBACK_SPEEDS.find(faster => faster > speed)) ?? speed
}

type SettingsMenu = 'all' | 'quality' | 'speed' | 'audio' | 'captions' | 'chapters'
const MENU_TITLES = {
  all: 'player.settings',
  quality: 'player.quality',
  speed: 'player.speed',
  audio: 'player.audio',
  captions: 'player.captions',
  chapters: 'player.chapters'
} as const
type SettingsMenuItem = {
  key?: string
  text: string
  detail?: string
  icon?: IconName
  chosen?: boolean
  role: 'menuitem' | 'menuitemradio' | 'menuitemcheckbox'
  opens?: SettingsMenu
  onSelect?: () => void
}

type PlayerSettingsProps = {
  playback: Playback
  engine: PlayerEngine
  tracks: CaptionsAndChapters
  onHelp: () => void
  onStats: () => void
}

/** The settings menu: quality, speed, audio track, captions, chapters, loop, data saver, statistics, keyboard shortcuts. */
export function PlayerSettings({ onOpen, ...props }: PlayerSettingsProps & { onOpen: (open: boolean) => void }): JSX.Element {
  const [menu, setMenu] = useState<SettingsMenu | null>(null)
  const root = useRef<HTMLDivElement>(null)
  const close = (focusButton: boolean) => {
    setMenu(null)
    if (focusButton) root.current?.querySelector<HTMLElement>('[aria-haspopup]')?.focus()
  }
  useLayoutEffect(() => {
    onOpen(menu !== null)
    if (menu === null) return
    const list = root.current!.querySelector<HTMLElement>('[role="menu"]')!
    ;(list.querySelector<HTMLElement>('[aria-checked="true"]') ?? list.querySelector<HTMLElement>('[role^="menuitem"]'))?.focus()
    const closeFromOutside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) close(false)
    }
    addEventListener('pointerdown', closeFromOutside)
    return () => removeEventListener('pointerdown', closeFromOutside)
  }, [menu])

  return (
    <div
      class="settings"
      ref={root}
      onKeyDown={event => {
        if (menu === null) return
        if (event.key === 'Escape' || (event.key === 'ArrowLeft' && menu !== 'all')) {
          if (menu === 'all') close(true)
          else setMenu('all')
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
        aria-expanded={menu !== null}
        onClick={() => (menu === null ? setMenu('all') : close(true))}
      />
      {menu !== null && (
        <div class="settings-list" role="menu" tabIndex={0} data-quiet-focus aria-label={t('player.settings')} data-room={menu}>
          {menu !== 'all' && (
            <button type="button" class="settings-line settings-back" role="menuitem" tabIndex={-1} onClick={() => setMenu('all')}>
              <Icon name="back" size={18} />
              <span>{t(MENU_TITLES[menu])}</span>
              {menu === 'quality' && props.engine.renditionsPending.value && <span class="settings-detail">{t('player.moreComing')}</span>}
            </button>
          )}
          {menuItems(menu, props).map(item => (
            <button
              key={item.key ?? item.text}
              type="button"
              class="settings-line"
              role={item.role}
              tabIndex={-1}
              aria-checked={item.chosen}
              aria-haspopup={item.opens ? 'menu' : undefined}
              onClick={() => {
                item.onSelect?.()
                if (item.opens) setMenu(item.opens)
                else if (item.role !== 'menuitemcheckbox') close(true)
              }}
            >
              {item.role === 'menuitemradio' ? (
                <span class="settings-mark">{item.chosen && <Icon name="check" size={18} />}</span>
              ) : (
                item.icon && <Icon name={item.icon} size={18} />
              )}
              <span>{item.text}</span>
              {item.detail && <span class="settings-detail">{item.detail}</span>}
              {item.opens && <Icon name="chevron" size={16} />}
            </button>
          ))}
        </div>
      )}
    </div>
  )
}

function menuItems(
  menu: SettingsMenu,
  { playback, engine, tracks: { captions, caption, choose, chapters }, onHelp, onStats }: PlayerSettingsProps
): SettingsMenuItem[] {
  const renditions = engine.renditions.value
  const chosen = engine.chosen.value
  const automatic = engine.shown.value && !chosen ? t('player.autoNow', { quality: renditionName(engine.shown.value) }) : t('player.auto')
  if (menu === 'quality') {
    return [
      ...renditions.map(rendition => ({
        text: renditionName(rendition),
        role: 'menuitemradio' as const,
        chosen: isSameRendition(rendition, chosen),
        onSelect: () => engine.chooseRendition(rendition)
      })),
      { text: automatic, role: 'menuitemradio', chosen: chosen === null, onSelect: () => engine.chooseRendition(null) }
    ]
  }
  if (menu === 'speed')
    return PLAYBACK_SPEEDS.map(speed => ({
      text: speedName(speed),
      role: 'menuitemradio',
      chosen: playback.speed.value === speed,
      onSelect: () => playback.setSpeed(speed)
    }))
  const audioTracks = engine.audioTracks.list.value
  const audioTrackId = engine.audioTracks.selectedId.value
  if (menu === 'audio')
    return audioTracks.map(track => ({
      key: String(track.id),
      text: audioTrackName(track),
      detail: track.language && ![audioTrackName(track), track.language].includes(track.name) ? track.name || undefined : undefined,
      role: 'menuitemradio',
      chosen: track.id === audioTrackId,
      onSelect: () => engine.audioTracks.select(track)
    }))
  if (menu === 'captions') {
    return [
      { text: t('ui.off'), role: 'menuitemradio', chosen: caption === null, onSelect: () => choose(null) },
      ...captions.map(track => ({
        key: track.captionPath,
        text: captionTrackName(track),
        detail: track.automaticallyGenerated ? t('player.captionsAuto') : undefined,
        role: 'menuitemradio' as const,
        chosen: track === caption,
        onSelect: () => choose(captionChoice(track))
      }))
    ]
  }
  if (menu === 'chapters')
    return chapters.map(({ timecode, title }) => ({
      key: String(timecode),
      text: title,
      detail: formatTime(timecode),
      role: 'menuitem',
      onSelect: () => engine.seek(timecode, playback.duration.peek())
    }))
  return [
    ...(renditions.length > 0
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
    ...(audioTracks.length > 1
      ? [
          {
            text: t('player.audio'),
            detail: audioTracks
              .filter(({ id }) => id === audioTrackId)
              .map(audioTrackName)
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
            detail: caption ? captionTrackName(caption) : t('ui.off'),
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
      onSelect: () => playback.setLoop(!playback.loop.peek())
    },
    {
      text: t('player.dataSaver'),
      detail: t(dataSaver.value ? 'ui.on' : 'ui.off'),
      icon: 'download',
      role: 'menuitemcheckbox',
      chosen: dataSaver.value,
      onSelect: () => setDataSaver(!dataSaver.peek())
    },
    { text: t('player.stats'), icon: 'info', role: 'menuitem', onSelect: onStats },
    { text: t('player.keys'), icon: 'keyboard', role: 'menuitem', onSelect: onHelp }
  ]
}

function audioTrackName({ language, name }: PlayerAudioTrack): string {
  return language ? languageName(language) : name
}

/** Returns the usual name of a rendition: 720p, 1080p60. */
export function renditionName({ size, fast }: PlayerRendition): string {
  return size === 0 ? t('player.soundOnly') : `${size}p${fast ? '60' : ''}`
}

function speedName(speed: number): string {
  return speed === 1 ? t('player.normal') : `${formatNumber(speed)}×`
}
