import { config } from '../core/config.ts'
import { withAsynchronousCommit } from '../core/transaction.ts'
import { onEvent } from '../core/events.ts'
import { logger } from '../core/logger.ts'
import { processActivity, processActivityBatch } from './process-activity.ts'
import { FetchError } from './remote-fetch.ts'
import { postponeIncomingActivity, type IncomingActivityRow } from './incoming.query.ts'
import { startInboxWorker, type InboxWorker } from './inbox-worker.ts'
import { isTransientError } from './transient-errors.ts'
import { RejectedRequestError } from './rejected-request.ts'
import { VIEWS_INBOX_QUEUE } from './accept-delivery.ts'
import { INBOX } from './inbox-internals.ts'

let workers: InboxWorker[] = []

/** Starts processing received activities: driven by the rows of `incoming`, woken by the event for new ones (ARCHITECTURE.md, rule 1). */
export function startInboxProcessing(): { stop(): Promise<void> } {
  if (!config.federation.enabled) return { stop: async () => undefined }
  const { viewsBatch, viewsInterval } = INBOX
  const processBatch = async (rows: IncomingActivityRow[]) => await withAsynchronousCommit(async () => await processActivityBatch(rows))
  const startedWorkers = (workers = [
    startInboxWorker({ queue: 0, inOrder: true, collectFor: 0, processOne: processOnce, processBatch }),
    startInboxWorker({
      queue: VIEWS_INBOX_QUEUE,
      inOrder: false,
      collectFor: viewsInterval,
      batch: viewsBatch,
      concurrency: viewsBatch,
      processOne: processOnce,
      processBatch
    })
  ])
  subscribeToInboxEvents()
  return { stop: async () => void (await Promise.all(startedWorkers.map(async worker => await worker.stop()))) }
}

let subscribed = false
function subscribeToInboxEvents(): void {
  if (!subscribed) onEvent('inbox.filled', ({ lane }) => workers[lane]?.wake())
  subscribed = true
}

/** Tries to process an activity once. Returns its outcome, or null if it is postponed for another try. */
async function processOnce(row: IncomingActivityRow): Promise<string | null> {
  const { attempts, retryDelay } = INBOX
  try {
    // Processed again if the process crashes before the outcome is recorded.
    return await withAsynchronousCommit(async () => await processActivity(row))
  } catch (error) {
    if (!isTransientError(error)) {
      const expected = error instanceof FetchError || error instanceof RejectedRequestError
      logger.log(expected ? 'debug' : 'error', 'A received activity failed', { id: row.activity_id, type: row.type, error })
      return `failed: ${(error as Error).message}`
    }
    if (row.attempts >= attempts) return `given up: ${error.message}`
    // Full jitter: activities that wait for the same server are not all retried at once.
    await postponeIncomingActivity(row.id, Math.random() * retryDelay * 2 ** row.attempts, error.message)
    return null
  }
}
