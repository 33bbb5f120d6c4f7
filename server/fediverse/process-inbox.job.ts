import { z } from 'zod'
import { config } from '../core/config.ts'
import { repeatably } from '../core/transaction.ts'
import { on } from '../core/events.ts'
import { job } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { act, actTogether } from './process-activity.ts'
import { FetchError } from './remote-fetch.ts'
import { forget, postpone, type Row } from './incoming.query.ts'
import { openLane, type Lane } from './inbox-worker.ts'
import { isPassing } from './transient-errors.ts'
import { Refused } from './rejected-request.ts'
import { REPEATABLE, VIEWS } from './accept-delivery.ts'

let lanes: Lane[] = []

/** Starts processing what other servers posted: driven by the rows of `incoming`, woken by news of new ones (law 1). */
export function startInbox(): { stop(): Promise<void> } {
  if (!config.federation.enabled) return { stop: async () => undefined }
  const { views_batch, views_interval } = config.federation.inbox
  const together = async (rows: Row[]) => await repeatably(async () => await actTogether(rows))
  const opened = (lanes = [
    openLane({ lane: 0, inOrder: true, pause: 0, work: attempt, together }),
    openLane({ lane: VIEWS, inOrder: false, pause: views_interval, batch: views_batch, concurrency: views_batch, work: attempt, together })
  ])
  listen()
  return { stop: async () => void (await Promise.all(opened.map(async lane => await lane.stop()))) }
}

/** Forgets activities that were processed long ago. */
export const sweepIncoming = job({
  name: 'sweep-incoming',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.federation.inbox.sweep_interval,
  run: async () => await forget([...REPEATABLE])
})

let listening = false
function listen(): void {
  if (!listening) on('inbox.filled', ({ lane }) => lanes[lane]?.wake())
  listening = true
}

/** One try at an activity: what became of it, or null when it is to be tried again. */
async function attempt(row: Row): Promise<string | null> {
  const { attempts, retry_delay } = config.federation.inbox
  try {
    // Done again, should a crash come before it is noted as finished.
    return await repeatably(async () => await act(row))
  } catch (error) {
    if (!isPassing(error)) {
      const expected = error instanceof FetchError || error instanceof Refused
      logger.log(expected ? 'debug' : 'error', 'A received activity failed', { id: row.activity_id, type: row.type, error })
      return `failed: ${(error as Error).message}`
    }
    if (row.attempts >= attempts) return `given up: ${error.message}`
    // Full jitter: those that wait for the same server do not all ask it at once.
    await postpone(row.id, Math.random() * retry_delay * 2 ** row.attempts, error.message)
    return null
  }
}
