import { api } from '../api.ts'
import { loadInstanceConfig } from '../instance/config.ts'
import { currentUser } from '../session.ts'
import { readSessionStorage, writeSessionStorage } from '../browser-storage.ts'
import type { PlayerSource } from './source.ts'

/**
 * Tells the server what is watched of a video, so that it can count: when playing begins, stops or jumps, and now and then meanwhile. Gives
 * what ends it.
 */
export function startViewReporting(media: HTMLVideoElement, { uuid, headers }: PlayerSource): () => void {
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
    const { anonymous, users } = (await loadInstanceConfig()).views.videos.watchingInterval
    const interval = currentUser.peek() ? users : anonymous
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
  const known = readSessionStorage('session')
  if (known) return known
  const made = [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('')
  writeSessionStorage('session', made)
  return made
}
