import { api } from '../api.ts'
import { loadInstanceConfig } from '../instance/config.ts'
import { currentUser } from '../session.ts'
import { readSessionStorage, writeSessionStorage } from '../browser-storage.ts'
import type { PlayerSource } from './source.ts'

/**
 * Reports the watched time of a video to the server, which counts views by it: when playing starts or stops, on seeks, and at the interval
 * of the instance while it plays. Returns the function that ends the reports.
 */
export function startViewReporting(media: HTMLVideoElement, { uuid, headers }: PlayerSource): () => void {
  let timer: ReturnType<typeof setInterval> | null = null
  let seeked = false
  let lastTime = -1
  const stopped = new AbortController()

  const report = () => {
    const time = Math.floor(media.currentTime)
    if (time === lastTime && !seeked) return
    const body = { currentTime: time, sessionId: viewerSessionId(), ...(seeked ? { viewEvent: 'seek' as const } : {}) }
    lastTime = time
    seeked = false
    // A view that is not counted is no reason to disturb the viewer.
    void api('POST /videos/:id/views', { params: { id: uuid }, body, headers }).catch(() => undefined)
  }
  const start = async () => {
    if (timer !== null) return
    const { anonymous, users } = (await loadInstanceConfig()).views.videos.watchingInterval
    const interval = currentUser.peek() ? users : anonymous
    if (interval <= 0 || stopped.signal.aborted || media.paused || timer !== null) return
    report()
    timer = setInterval(report, interval)
  }
  const pause = () => {
    if (timer === null) return
    clearInterval(timer)
    timer = null
    report()
  }
  media.addEventListener('playing', () => void start().catch(() => undefined), { signal: stopped.signal })
  for (const name of ['pause', 'ended']) media.addEventListener(name, pause, { signal: stopped.signal })
  media.addEventListener(
    'seeked',
    () => {
      seeked = true
      if (timer !== null) report()
    },
    { signal: stopped.signal }
  )
  if (!media.paused) void start().catch(() => undefined)
  return () => {
    pause()
    stopped.abort()
  }
}

/** Returns the id of this tab, by which the server distinguishes viewers with the same IP address. `randomUUID` needs https. */
function viewerSessionId(): string {
  const saved = readSessionStorage('session')
  if (saved) return saved
  const id = [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('')
  writeSessionStorage('session', id)
  return id
}
