import { useEffect } from 'preact/hooks'
import type { PlayerEngine } from './engine.ts'
import type { Playback } from './playback.ts'

/**
 * Pauses the video when it plays past `stop` seconds, or seeks to `start` if it loops. Playing on after the pause and seeking beyond `stop`
 * are possible. `onStop` is called after the pause.
 */
export function useStopTime(
  engine: PlayerEngine | null,
  playback: Playback | null,
  stop: number | undefined,
  start: number,
  onStop: () => void
): void {
  useEffect(() => {
    if (!engine || !playback || stop === undefined || stop <= start) return
    let previous = 0
    return playback.time.subscribe(now => {
      const crossed = previous < stop && now >= stop && now - previous < MAX_STEP_SECONDS && !playback.media.seeking
      previous = now
      if (!crossed) return
      if (playback.loop.peek()) engine.seek(start, playback.duration.peek())
      else {
        playback.media.pause()
        onStop()
      }
    })
  }, [engine, playback, stop, start])
}

/** A larger step between two time updates is a seek, not playback. */
const MAX_STEP_SECONDS = 5
