import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { api } from '../api.ts'
import { formatTime, languageName, t } from '../i18n/i18n.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { Controls } from './controls.tsx'
import { actOnKey, type Commands } from './keys.ts'
import type { Sheet } from './preview.tsx'
import { SPEEDS } from './settings.tsx'
import { Shortcuts } from './shortcuts.tsx'
import type { Fault, Source } from './source.ts'
import { useChrome } from './use-chrome.ts'
import { usePlayer } from './use-player.ts'
import { useTracks } from './tracks.ts'
import { useTaps } from './use-taps.ts'
import { tellWatched } from './watched.ts'
import './player.css'

type Props = {
  source: Source
  autoplay?: boolean
  /** Where to begin, in seconds; without it where this browser left the video. */
  start?: number
  muted?: boolean
  loop?: boolean
  controls?: boolean
  /** Whether keys pressed anywhere on the page are the player's. */
  pageKeys?: boolean
  remember?: boolean
  wide?: boolean
  onWide?: () => void
  /** Gives the source anew when its files moved or its token ran out; null when it is gone. */
  renew: () => Promise<Source | null>
  /** What lies over the picture at its head. */
  children?: ComponentChildren
}

/** The video player: picture, controls, keys, gestures, and what it says when something is wrong. */
export function Player({ source, autoplay = false, start, muted = false, loop = false, controls = true, pageKeys = false, remember = true, wide = false, onWide, renew, children }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const { media, engine, playback, resumed } = usePlayer(source, { autoplay, start, remember, renew })
  const { awake, full, wake, toggleFull, onMenu } = useChrome(box, playback)
  const [help, setHelp] = useState(false)
  const [sheet, lookAtSheet] = useSheet(source)
  const [looked, setLooked] = useState(false)
  const tracks = useTracks(source, looked || (playback?.begun.value ?? false))
  const latest = useRef(tracks)
  latest.current = tracks
  const look = () => {
    setLooked(true)
    lookAtSheet()
  }
  const taps = useTaps(box, { toggle: () => playback?.toggle(), jump: by => jump(by), full: toggleFull, wake, awake })
  const jump = (by: number) => { if (engine && playback) engine.seek((engine.awaited.peek() ?? playback.time.peek()) + by, playback.duration.peek()) }

  useEffect(() => {
    if (!playback) return
    if (muted) playback.media.muted = true
    playback.setLoop(loop)
  }, [playback])
  useEffect(() => { box.current?.style.setProperty('--ratio', String(source.aspectRatio ?? 16 / 9)) }, [source.aspectRatio])
  useEffect(() => {
    if (!engine || !playback) return
    const commands: Commands = {
      toggle: () => playback.toggle(), jump, seekTo: share => engine.seek(share * playback.duration.peek(), playback.duration.peek()),
      louder: by => playback.louder(by), mute: () => playback.toggleMuted(), fullscreen: toggleFull, theatre: () => onWide?.(),
      float: () => void playback.toggleFloating().catch(() => { /* not before there is a picture */ }), captions: () => latest.current.toggle(), help: () => setHelp(true),
      faster: steps => playback.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.indexOf(playback.speed.peek()) + steps))] ?? 1)
    }
    const onKey = (event: KeyboardEvent) => {
      const inside = box.current!.contains(event.target as Node)
      if ((inside || pageKeys) && actOnKey(event, commands, inside)) wake()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [engine, playback, onWide, pageKeys])
  useEffect(() => { if (playback) return describe(source, jump) }, [playback, source.title, source.poster])

  useEffect(() => { if (playback) return tellWatched(playback.media, source) }, [playback, source.uuid])

  const fault = engine?.fault.value ?? null
  const awaited = engine?.awaited.value ?? null
  const begun = playback?.begun.value ?? false
  const stuck = awaited !== null || (playback?.waiting.value ?? false)
  return (
    <div class="player" ref={box} data-awake={awake || undefined} data-full={full || undefined} data-begun={begun || undefined} role="region" aria-label={t('player.name', { title: source.title })} {...taps}>
      <video ref={media} playsInline preload="auto" poster={source.poster ?? undefined} data-quiet-focus tabIndex={-1} aria-label={source.title}>
        {tracks.caption && <track key={tracks.caption.captionPath} ref={show} kind="subtitles" src={tracks.caption.captionPath} srclang={tracks.caption.language.id} label={languageName(tracks.caption.language.id)} />}
      </video>
      {children}
      {resumed > 0 && begun && awake && <Resumed at={resumed} onAgain={() => engine?.seek(0, resumed)} />}
      {!fault && !begun && !stuck && <IconButton class="player-start" label={t('player.play')} icon="play" size={34} onClick={() => playback?.toggle()} />}
      {!fault && stuck && <div class="player-wait" role="status"><span class="player-spin" />{awaited !== null && <p>{t('player.notYet', { time: formatTime(awaited) })}</p>}</div>}
      {fault && <FaultPanel fault={fault} onRetry={() => void engine?.retry()} />}
      {controls && engine && playback && !fault && <Controls {...{ playback, engine, sheet, tracks, full, wide, onWide }} onMenu={open => { if (open) setLooked(true); onMenu(open) }} onFull={toggleFull} onHelp={() => setHelp(true)} onLook={look} />}
      {help && <Shortcuts theatre={onWide !== undefined} onClose={() => setHelp(false)} />}
    </div>
  )
}

/** Left alone, browsers show only what they like. */
function show(element: HTMLTrackElement | null): void {
  if (element) element.track.mode = 'showing'
}

const FAULTS = { network: 'player.faultNetwork', missing: 'player.faultMissing', unplayable: 'player.faultUnplayable' } as const

function FaultPanel({ fault, onRetry }: { fault: Fault, onRetry: () => void }): JSX.Element {
  return <div class="player-fault" role="alert"><p>{t(FAULTS[fault])}</p><Button icon="replay" onClick={onRetry}>{t('ui.retry')}</Button></div>
}

function Resumed({ at, onAgain }: { at: number, onAgain: () => void }): JSX.Element | null {
  const [gone, setGone] = useState(false)
  useEffect(() => { const timer = setTimeout(() => setGone(true), 8000); return () => clearTimeout(timer) }, [])
  if (gone) return null
  return <div class="player-note" role="status"><span>{t('player.resumed', { time: formatTime(at) })}</span><button type="button" onClick={() => { setGone(true); onAgain() }}>{t('player.fromStart')}</button></div>
}

/** The sheet of small frames, asked for when somebody first looks for a place. */
function useSheet({ uuid, headers }: Source): [Sheet | null, () => void] {
  const [known, setKnown] = useState<{ uuid: string, sheet: Sheet | null } | null>(null)
  const asked = useRef<string | null>(null)
  const look = () => {
    if (asked.current === uuid) return
    asked.current = uuid
    api('GET /videos/:id/storyboards', { params: { id: uuid }, headers }).then(({ storyboards }) => setKnown({ uuid, sheet: storyboards[0] ?? null }), () => { /* the time alone does, too */ })
  }
  return [known?.uuid === uuid ? known.sheet : null, look]
}

/** Tells the system what is playing, for its own controls. */
function describe({ title, author, poster }: Source, jump: (by: number) => void): (() => void) | undefined {
  if (!('mediaSession' in navigator)) return undefined
  const session = navigator.mediaSession
  session.metadata = new MediaMetadata({ title, artist: author, artwork: poster ? [{ src: new URL(poster, location.href).href }] : [] })
  session.setActionHandler('seekbackward', () => jump(-10))
  session.setActionHandler('seekforward', () => jump(10))
  return () => { session.metadata = null; session.setActionHandler('seekbackward', null); session.setActionHandler('seekforward', null) }
}
