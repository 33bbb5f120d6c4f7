import { signal } from '@preact/signals'
import { api } from '../api.ts'
import { ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { showToast } from '../ui/toast.tsx'

/** An action on several videos, one after the other. */
export type BulkAction = { kind: 'delete' } | { kind: 'privacy'; privacy: number; passwords: string[] }
type BulkVideo = { id: number; name: string }
type BulkActionState = { action: BulkAction; total: number; done: number; running: boolean; failed: (BulkVideo & { reason: string })[] }
type BulkVideoListener = (id: number, action: BulkAction) => void

/** Retries of a rate-limited request (status 429) before it counts as failed. */
const MAX_RETRIES = 6
/** Seconds. */
const MAX_RETRY_DELAY = 15

/** The running bulk action, or a finished one that failed for some videos, or null; it goes on while other pages are shown. */
export const currentBulkAction = signal<BulkActionState | null>(null)
const listeners = new Set<BulkVideoListener>()
let stopped = false

/** Registers a listener that is called for every video that is done; returns the function that removes it. */
export function onBulkVideoDone(listener: BulkVideoListener): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

/** Runs an action on each of the videos, unless one is running already; a failure does not stop the others. Never throws. */
export async function startBulkAction(action: BulkAction, videos: BulkVideo[]): Promise<void> {
  if (currentBulkAction.peek()?.running) return
  stopped = false
  currentBulkAction.value = { action, total: videos.length, done: 0, running: true, failed: [] }
  const warn = (event: BeforeUnloadEvent) => event.preventDefault()
  addEventListener('beforeunload', warn)
  for (const { id, name } of videos) {
    if (stopped) break
    const state = currentBulkAction.peek()!
    try {
      await retryWhileRateLimited(async () => await applyToVideo(action, id))
      currentBulkAction.value = { ...state, done: state.done + 1 }
      for (const listener of listeners) listener(id, action)
    } catch (error) {
      currentBulkAction.value = { ...state, failed: [...state.failed, { id, name, reason: apiErrorText(error) }] }
    }
  }
  removeEventListener('beforeunload', warn)
  const { done, failed } = currentBulkAction.peek()!
  currentBulkAction.value = failed.length > 0 ? { ...currentBulkAction.peek()!, running: false } : null
  if (failed.length === 0) showToast(t(action.kind === 'delete' ? 'bulk.deleted' : 'bulk.changed', { count: done }))
}

/** Stops the running action after the current video. */
export function stopBulkAction(): void {
  stopped = true
}

/** Runs the finished action again on the videos for which it failed. */
export function retryBulkAction(): void {
  const finished = currentBulkAction.peek()
  if (finished && !finished.running) void startBulkAction(finished.action, finished.failed)
}

async function applyToVideo(action: BulkAction, id: number): Promise<void> {
  if (action.kind === 'privacy') {
    const { privacy, passwords } = action
    await api('PUT /videos/:id', { params: { id }, body: { privacy, ...(passwords.length > 0 ? { videoPasswords: passwords } : {}) } })
    return
  }
  try {
    await api('DELETE /videos/:id', { params: { id } })
  } catch (error) {
    // Already deleted, perhaps in another tab: not an error.
    if (!(error instanceof ApiError) || error.status !== 404) throw error
  }
}

async function retryWhileRateLimited(request: () => Promise<void>): Promise<void> {
  for (let retries = 0; ; retries++) {
    try {
      return await request()
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 429 || retries === MAX_RETRIES || stopped) throw error
      await new Promise(resolve => setTimeout(resolve, 1000 * Math.min(MAX_RETRY_DELAY, error.retryAfter ?? 1)))
    }
  }
}
