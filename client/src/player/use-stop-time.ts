import { useEffect } from 'preact/hooks'
import type { PlayerEngine } from './engine.ts'
import type { Playback } from './playback.ts'

/**
 * Stops a video where it is wished to end, or goes round to `start` there when it repeats. Whoever plays on or jumps beyond watches the
 * rest.
 */
export function useStopTime(engine: PlayerEngine | null, playback: Playback | null, stop: number | undefined, start: number): void {
  useEffect(() => {
    if (!engine || !playback || stop === undefined || stop <= start) return
    let before = 0
    return playback.time.subscribe(now => {
      const crossed = before < stop && now >= stop && now - before < JUMP && !playback.media.seeking
      before = now
      if (!crossed) return
      if (playback.loop.peek()) engine.seek(start, playback.duration.peek())
      else playback.media.pause()
    })
  }, [engine, playback, stop, start])
}

/** Seconds that never pass between two looks while a video just plays. */
const JUMP = 5
