import { signal } from '@preact/signals'
import { api } from '../api.ts'
import { ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { showToast } from '../ui/toast.tsx'

/** What is done to many videos, one after the other. */
export type BulkAction = { kind: 'delete' } | { kind: 'privacy'; privacy: number; passwords: string[] }
type Chosen = { id: number; name: string }
type Bulk = { act: BulkAction; all: number; done: number; running: boolean; failed: (Chosen & { reason: string })[] }
type Hear = (id: number, act: BulkAction) => void

/** A limit that is still there after so many pauses is a refusal. */
const PAUSES = 6
const LONGEST_PAUSE = 15

/** What is being done to many videos, or how it ended where some failed; it goes on while other pages are shown. */
export const currentBulkAction = signal<Bulk | null>(null)
const hearers = new Set<Hear>()
let stopped = false

/** Hears of every video that is done; gives the way to stop listening. */
export function onBulkVideoDone(hear: Hear): () => void {
  hearers.add(hear)
  return () => {
    hearers.delete(hear)
  }
}

/** Does something to each of the videos; what fails does not keep the others. */
export async function startBulkAction(act: BulkAction, chosen: Chosen[]): Promise<void> {
  if (currentBulkAction.peek()?.running) return
  stopped = false
  currentBulkAction.value = { act, all: chosen.length, done: 0, running: true, failed: [] }
  const warn = (event: BeforeUnloadEvent) => event.preventDefault()
  addEventListener('beforeunload', warn)
  for (const { id, name } of chosen) {
    if (stopped) break
    const now = currentBulkAction.peek()!
    try {
      await patiently(async () => await one(act, id))
      currentBulkAction.value = { ...now, done: now.done + 1 }
      for (const hear of hearers) hear(id, act)
    } catch (error) {
      currentBulkAction.value = { ...now, failed: [...now.failed, { id, name, reason: apiErrorText(error) }] }
    }
  }
  removeEventListener('beforeunload', warn)
  const { done, failed } = currentBulkAction.peek()!
  currentBulkAction.value = failed.length > 0 ? { ...currentBulkAction.peek()!, running: false } : null
  if (failed.length === 0) showToast(t(act.kind === 'delete' ? 'bulk.deleted' : 'bulk.changed', { count: done }))
}

/** Ends after the video that is being worked on. */
export function stopBulkAction(): void {
  stopped = true
}

/** Tries once more what failed. */
export function retryBulkAction(): void {
  const ended = currentBulkAction.peek()
  if (ended && !ended.running) void startBulkAction(ended.act, ended.failed)
}

async function one(act: BulkAction, id: number): Promise<void> {
  if (act.kind === 'privacy') {
    const { privacy, passwords } = act
    await api('PUT /videos/:id', { params: { id }, body: { privacy, ...(passwords.length > 0 ? { videoPasswords: passwords } : {}) } })
    return
  }
  try {
    await api('DELETE /videos/:id', { params: { id } })
  } catch (error) {
    // Somebody was faster, perhaps the same person in another tab.
    if (!(error instanceof ApiError) || error.status !== 404) throw error
  }
}

async function patiently(act: () => Promise<void>): Promise<void> {
  for (let pauses = 0; ; pauses++) {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 429 || pauses === PAUSES || stopped) throw error
      await new Promise(resolve => setTimeout(resolve, 1000 * Math.min(LONGEST_PAUSE, error.retryAfter ?? 1)))
    }
  }
}
