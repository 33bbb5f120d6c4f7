import { z } from 'zod'
import { config } from '../core/config.ts'
import { withAsynchronousCommit } from '../core/transaction.ts'
import { onEvent } from '../core/events.ts'
import { defineJob } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { processActivity, processActivityBatch } from './process-activity.ts'
import { FetchError } from './remote-fetch.ts'
import { deleteProcessedActivities, postponeIncomingActivity, type IncomingActivityRow } from './incoming.query.ts'
import { startInboxWorker, type InboxWorker } from './inbox-worker.ts'
import { isTransientError } from './transient-errors.ts'
import { RejectedRequestError } from './rejected-request.ts'
import { REPEATABLE_ACTIVITIES, VIEWS_INBOX_QUEUE } from './accept-delivery.ts'

let lanes: InboxWorker[] = []

/** Starts processing what other servers posted: driven by the rows of `incoming`, woken by news of new ones (law 1). */
export function startInboxProcessing(): { stop(): Promise<void> } {
  if (!config.federation.enabled) return { stop: async () => undefined }
  const { views_batch, views_interval } = config.federation.inbox
  const together = async (rows: IncomingActivityRow[]) => await withAsynchronousCommit(async () => await processActivityBatch(rows))
  const opened = (lanes = [
    startInboxWorker({ lane: 0, inOrder: true, pause: 0, work: attempt, together }),
    startInboxWorker({
      lane: VIEWS_INBOX_QUEUE,
      inOrder: false,
      pause: views_interval,
      batch: views_batch,
      concurrency: views_batch,
      work: attempt,
      together
    })
  ])
  listen()
  return { stop: async () => void (await Promise.all(opened.map(async lane => await lane.stop()))) }
}

/** Forgets activities that were processed long ago. */
export const sweepIncoming = defineJob({
  name: 'sweep-incoming',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.federation.inbox.sweep_interval,
  run: async () => await deleteProcessedActivities([...REPEATABLE_ACTIVITIES])
})

let listening = false
function listen(): void {
  if (!listening) onEvent('inbox.filled', ({ lane }) => lanes[lane]?.wake())
  listening = true
}

/** One try at an activity: what became of it, or null when it is to be tried again. */
async function attempt(row: IncomingActivityRow): Promise<string | null> {
  const { attempts, retry_delay } = config.federation.inbox
  try {
    // Done again, should a crash come before it is noted as finished.
    return await withAsynchronousCommit(async () => await processActivity(row))
  } catch (error) {
    if (!isTransientError(error)) {
      const expected = error instanceof FetchError || error instanceof RejectedRequestError
      logger.log(expected ? 'debug' : 'error', 'A received activity failed', { id: row.activity_id, type: row.type, error })
      return `failed: ${(error as Error).message}`
    }
    if (row.attempts >= attempts) return `given up: ${error.message}`
    // Full jitter: those that wait for the same server do not all ask it at once.
    await postponeIncomingActivity(row.id, Math.random() * retry_delay * 2 ** row.attempts, error.message)
    return null
  }
}
