import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { PlayerEngine } from './engine.ts'
import { consumePendingPlay } from './pending-play.ts'
import { saveResumePosition, readResumePosition } from './resume-position.ts'
import { Playback } from './playback.ts'
import type { PlayerSource } from './source.ts'

const KEEP_EVERY = 5000

type Wish = { autoplay: boolean; start?: number; remember: boolean; renew: () => Promise<PlayerSource | null> }

/**
 * An engine and its playback on a media element, loaded with a source. Files that move or close while they play are the engine's affair: it
 * asks for the source anew.
 */
export function usePlayer(
  source: PlayerSource,
  wish: Wish
): { media: (element: HTMLVideoElement | null) => void; engine: PlayerEngine | null; playback: Playback | null; resumed: number } {
  const [element, media] = useState<HTMLVideoElement | null>(null)
  const [parts, setParts] = useState<{ engine: PlayerEngine; playback: Playback } | null>(null)
  const [resumed, setResumed] = useState(0)
  const latest = useRef({ source, wish })
  latest.current = { source, wish }
  const loaded = useRef<string | null>(null)

  // Not after the next frame: the film is what people wait for.
  useLayoutEffect(() => {
    if (!element) return
    const engine = new PlayerEngine(element, async () => await latest.current.wish.renew())
    const playback = new Playback(element)
    setParts({ engine, playback })
    const keep = () => {
      const { source, wish } = latest.current
      if (wish.remember && playback.begun.peek() && loaded.current === source.uuid)
        saveResumePosition(source.uuid, element.currentTime, playback.duration.peek())
    }
    const timer = setInterval(keep, KEEP_EVERY)
    addEventListener('pagehide', keep)
    const follow = engine.growing.subscribe(growing => playback.expect(latest.current.source.duration, growing))
    return () => {
      keep()
      clearInterval(timer)
      removeEventListener('pagehide', keep)
      follow()
      engine.destroy()
      playback.destroy()
      loaded.current = null
    }
  }, [element])

  useLayoutEffect(() => {
    if (!parts || !element) return
    const { engine, playback } = parts
    const place = wish.start ?? (wish.remember ? readResumePosition(source.uuid, source.duration) : 0)
    loaded.current = source.uuid
    playback.renew()
    setResumed(wish.start === undefined ? place : 0)
    playback.expect(source.duration, false)
    const begin = async () => {
      const wanted = consumePendingPlay() || wish.autoplay
      await engine.load(source, place)
      // Not without a gesture: else the large button waits.
      if (wanted) playback.play()
    }
    void begin()
  }, [parts, source.uuid])

  return { media, engine: parts?.engine ?? null, playback: parts?.playback ?? null, resumed }
}
