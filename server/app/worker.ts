import { config } from '../core/config.ts'
import { startWorkers, stopWorkers, within } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { startOutbox } from '../fediverse/outbox-worker.ts'
import { startInbox } from '../fediverse/process-inbox.job.ts'
import { startEncoders } from '../transcoding/encoder-registry.ts'
import { startHelping } from '../transcoding/chunk-worker.ts'
import { reconcileNow } from '../transcoding/reconcile-transcoding.job.ts'
import { repair } from '../videos/crawl.job.ts'
import { jobs } from './jobs.ts'

/** Starts the worker role in the background: a Redis that is not there yet is waited for, and no request waits for it. */
export function startWork(): { stop(): Promise<void> } {
  let stopping = false
  let wake: () => void = () => undefined
  // These wait for no Redis.
  const inbox = startInbox()
  const outbox = startOutbox()
  const helping = startHelping()
  const encoders = startEncoders()
  const started = (async () => {
    while (!stopping) {
      try {
        await startWorkers(jobs)
        await reconcileNow()
        await repair.enqueue({})
        return
      } catch (error) {
        logger.warn('The workers could not start; they try again', { error })
        await stopWorkers()
        await new Promise<void>(resolve => {
          wake = resolve
          setTimeout(resolve, config.jobs.retry_start).unref()
        })
      }
    }
  })()
  return {
    stop: async () => {
      stopping = true
      wake()
      await Promise.all([inbox.stop(), outbox.stop(), helping.stop(), encoders.stop()])
      await within(started)
      await stopWorkers()
    }
  }
}
