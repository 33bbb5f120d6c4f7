import { api } from '../api.ts'
import { loadConfig } from '../instance/config.ts'
import { me } from '../session.ts'
import { readForTab, writeForTab } from '../browser-storage.ts'
import type { Source } from './source.ts'

/**
 * Tells the server what is watched of a video, so that it can count: when playing begins, stops or jumps, and now and then meanwhile. Gives
 * what ends it.
 */
export function tellWatched(media: HTMLVideoElement, { uuid, headers }: Source): () => void {
  let timer: ReturnType<typeof setInterval> | null = null
  let jumped = false
  let last = -1
  const halt = new AbortController()

  const tell = () => {
    const time = Math.floor(media.currentTime)
    if (time === last && !jumped) return
    const body = { currentTime: time, sessionId: session(), ...(jumped ? { viewEvent: 'seek' as const } : {}) }
    last = time
    jumped = false
    // Nobody is disturbed because a view is not counted.
    void api('POST /videos/:id/views', { params: { id: uuid }, body, headers }).catch(() => undefined)
  }
  const begin = async () => {
    if (timer !== null) return
    const { anonymous, users } = (await loadConfig()).views.videos.watchingInterval
    const interval = me.peek() ? users : anonymous
    if (interval <= 0 || halt.signal.aborted || media.paused || timer !== null) return
    tell()
    timer = setInterval(tell, interval)
  }
  const rest = () => {
    if (timer === null) return
    clearInterval(timer)
    timer = null
    tell()
  }
  media.addEventListener('playing', () => void begin().catch(() => undefined), { signal: halt.signal })
  for (const name of ['pause', 'ended']) media.addEventListener(name, rest, { signal: halt.signal })
  media.addEventListener(
    'seeked',
    () => {
      jumped = true
      if (timer !== null) tell()
    },
    { signal: halt.signal }
  )
  if (!media.paused) void begin().catch(() => undefined)
  return () => {
    rest()
    halt.abort()
  }
}

/** Tells this tab from others behind the same address; not `randomUUID`, which plain http has not. */
function session(): string {
  const known = readForTab('session')
  if (known) return known
  const made = [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('')
  writeForTab('session', made)
  return made
}
