import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { PlayerEngine } from './engine.ts'
import { dataSaver } from './data-saver.ts'
import { consumePendingPlay } from './pending-play.ts'
import { saveResumePosition, readResumePosition } from './resume-position.ts'
import { Playback } from './playback.ts'
import type { PlayerSource } from './source.ts'

const SAVE_POSITION_MS = 5000
const LOAD_REQUEST = 'loadrequest'

/** Has a player load the beginning of its video, if it waits for its viewer and may do so before play. */
export function requestLoad(media: HTMLMediaElement): void {
  media.dispatchEvent(new Event(LOAD_REQUEST))
}

type PlayerOptions = {
  autoplay: boolean
  preload: 'segment' | 'none'
  start?: number
  remember: boolean
  renew: () => Promise<PlayerSource | null>
}

/**
 * Creates the engine and the playback state of a media element (`mediaRef`) and loads the source; saves and restores the position. The
 * engine loads the source again by `options.renew` when its files move or become inaccessible.
 */
export function usePlayer(
  source: PlayerSource,
  options: PlayerOptions
): {
  mediaRef: (element: HTMLVideoElement | null) => void
  engine: PlayerEngine | null
  playback: Playback | null
  /** The saved position that playback was resumed from, in seconds; 0 without one. */
  resumedAt: number
} {
  const [element, mediaRef] = useState<HTMLVideoElement | null>(null)
  const [player, setPlayer] = useState<{ engine: PlayerEngine; playback: Playback } | null>(null)
  const [resumedAt, setResumedAt] = useState(0)
  const latest = useRef({ source, options })
  latest.current = { source, options }
  const loadedUuid = useRef<string | null>(null)

  // A layout effect, because loading the video should not wait for the next frame.
  useLayoutEffect(() => {
    if (!element) return
    const engine = new PlayerEngine(element, async () => await latest.current.options.renew())
    const playback = new Playback(element)
    setPlayer({ engine, playback })
    const savePosition = () => {
      const { source, options } = latest.current
      if (options.remember && playback.started.peek() && loadedUuid.current === source.uuid)
        saveResumePosition(source.uuid, element.currentTime, playback.duration.peek())
    }
    const timer = setInterval(savePosition, SAVE_POSITION_MS)
    addEventListener('pagehide', savePosition)
    const unsubscribe = engine.growing.subscribe(growing => playback.setExpectedDuration(latest.current.source.duration, growing))
    return () => {
      savePosition()
      clearInterval(timer)
      removeEventListener('pagehide', savePosition)
      unsubscribe()
      engine.destroy()
      playback.destroy()
      loadedUuid.current = null
    }
  }, [element])

  useLayoutEffect(() => {
    if (!player || !element) return
    const { engine, playback } = player
    const startAt = options.start ?? (options.remember ? readResumePosition(source.uuid, source.duration) : 0)
    loadedUuid.current = source.uuid
    playback.reset()
    setResumedAt(options.start === undefined ? startAt : 0)
    playback.setExpectedDuration(source.duration, false)
    const start = async () => {
      const isPressed = consumePendingPlay()
      const playRequested = isPressed || (options.autoplay && !source.loadAfterPlay)
      const onlyPlay = source.loadAfterPlay || dataSaver.peek()
      const waits = (onlyPlay || options.preload === 'none') && !playRequested
      if (waits) await viewerIsThere(element, { onlyPlay })
      if (loadedUuid.current !== source.uuid) return
      // Meanwhile a page that embeds the player may have sought.
      await engine.load(source, (waits && element.currentTime) || startAt)
      // Without a user gesture the browser may refuse to play; then the large play button stays.
      if (playRequested) playback.play()
    }
    void start()
  }, [player, source.uuid])

  return { mediaRef, engine: player?.engine ?? null, playback: player?.playback ?? null, resumedAt }
}

/**
 * Resolves when play is asked of a media element that has nothing to play yet, or, without `onlyPlay`, when a pointer or the focus comes to its
 * player, or `requestLoad` is called.
 */
async function viewerIsThere(media: HTMLMediaElement, { onlyPlay }: { onlyPlay: boolean }): Promise<void> {
  const player = onlyPlay ? null : media.closest('.player')
  const done = new AbortController()
  await new Promise<void>(resolve => {
    media.addEventListener('play', () => resolve(), done)
    if (!onlyPlay) media.addEventListener(LOAD_REQUEST, () => resolve(), done)
    for (const type of ['pointerenter', 'focusin']) player?.addEventListener(type, () => resolve(), done)
  })
  done.abort()
}
