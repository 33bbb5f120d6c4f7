import type { TranscodingProgress } from '../../../shared/videos.ts'
import { api } from '../api.ts'

type Subscription = { id: string | number; onProgress: (progress: TranscodingProgress) => void; nextPollAt: number }

/** Milliseconds between any two requests. */
const REQUEST_INTERVAL = 300
/** Milliseconds between two requests for the same video. */
const POLL_INTERVAL = 1000
/** Milliseconds after a failed request. */
const RETRY_DELAY = 5000

const subscriptions = new Set<Subscription>()
let timer = 0

/**
 * Calls `onProgress` with the transcoding progress of one of the user's videos until it is done or failed; returns the function that stops
 * that. All videos of a page share one sequence of requests, so that there are a few per second at most, however many videos are polled.
 */
export function pollTranscoding(id: string | number, onProgress: (progress: TranscodingProgress) => void): () => void {
  const subscription: Subscription = { id, onProgress, nextPollAt: 0 }
  subscriptions.add(subscription)
  schedulePoll(0)
  return () => {
    subscriptions.delete(subscription)
  }
}

function schedulePoll(delay: number): void {
  clearTimeout(timer)
  timer = window.setTimeout(() => void pollNext(), delay)
}

async function pollNext(): Promise<void> {
  const [subscription] = [...subscriptions].sort((a, b) => a.nextPollAt - b.nextPollAt)
  if (!subscription) return
  const remaining = subscription.nextPollAt - performance.now()
  if (remaining > 0) return schedulePoll(remaining)
  subscription.nextPollAt = performance.now() + POLL_INTERVAL
  try {
    const progress = await api('GET /videos/:id/transcoding', { params: { id: subscription.id } })
    if (progress.state === 'done' || progress.state === 'failed') subscriptions.delete(subscription)
    subscription.onProgress(progress)
  } catch {
    subscription.nextPollAt = performance.now() + RETRY_DELAY
  }
  schedulePoll(REQUEST_INTERVAL)
}
