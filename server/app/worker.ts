import { config } from '../core/config.ts'
import { startWorkers, stopWorkers, withinShutdownTimeout } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { startOutboxWorker } from '../fediverse/outbox-worker.ts'
import { startInboxProcessing } from '../fediverse/process-inbox.job.ts'
import { startEncoderRegistry } from '../transcoding/encoder-registry.ts'
import { startChunkWorker } from '../transcoding/chunk-worker.ts'
import { enqueueOpenTranscodings } from '../transcoding/reconcile-transcoding.job.ts'
import { crawlDueOutboxes } from '../videos/crawl-due-outboxes.job.ts'
import { allJobs } from './jobs.ts'

/** Starts the worker role in the background; the start of the queues is retried until Redis is reachable. */
export function startWorkerRole(): { stop(): Promise<void> } {
  let stopping = false
  let endRetryDelay: () => void = () => undefined
  // These do not need Redis.
  const inbox = startInboxProcessing()
  const outbox = startOutboxWorker()
  const chunkWorker = startChunkWorker()
  const encoders = startEncoderRegistry()
  const started = (async () => {
    while (!stopping) {
      try {
        await startWorkers(allJobs)
        await enqueueOpenTranscodings()
        await crawlDueOutboxes.enqueue({})
        return
      } catch (error) {
        logger.warn('The workers could not start; they try again', { error })
        await stopWorkers()
        await new Promise<void>(resolve => {
          endRetryDelay = resolve
          setTimeout(resolve, config.jobs.retry_start).unref()
        })
      }
    }
  })()
  return {
    stop: async () => {
      stopping = true
      endRetryDelay()
      await Promise.all([inbox.stop(), outbox.stop(), chunkWorker.stop(), encoders.stop()])
      await withinShutdownTimeout(started)
      await stopWorkers()
    }
  }
}
