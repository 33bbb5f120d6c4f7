import type { TranscodingProgress } from '../../../shared/videos.ts'
import { api } from '../api.ts'

type Follower = { id: string | number; hear: (progress: TranscodingProgress) => void; next: number }

const BETWEEN_QUESTIONS = 300
const EVERY = 1000
const AFTER_FAILURE = 5000

const followers = new Set<Follower>()
let timer = 0

/**
 * Tells how far the encoding of an own video is until it is over; gives the way to stop listening.
 * All videos of the page share one row of questions: however many they are, the server is asked a few times a second at most.
 */
export function pollTranscoding(id: string | number, hear: (progress: TranscodingProgress) => void): () => void {
  const follower = { id, hear, next: 0 }
  followers.add(follower)
  plan(0)
  return () => {
    followers.delete(follower)
  }
}

function plan(pause: number): void {
  clearTimeout(timer)
  timer = window.setTimeout(() => void ask(), pause)
}

async function ask(): Promise<void> {
  const [first] = [...followers].sort((a, b) => a.next - b.next)
  if (!first) return
  const early = first.next - performance.now()
  if (early > 0) return plan(early)
  first.next = performance.now() + EVERY
  try {
    const progress = await api('GET /videos/:id/transcoding', { params: { id: first.id } })
    if (progress.state === 'done' || progress.state === 'failed') followers.delete(first)
    first.hear(progress)
  } catch {
    first.next = performance.now() + AFTER_FAILURE
  }
  plan(BETWEEN_QUESTIONS)
}
