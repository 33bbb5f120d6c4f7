import { z } from 'zod'
import { defineJob } from '../core/job.ts'
import { crawlOutbox } from './outbox-crawler.ts'

/** Crawls the outbox of one remote actor. */
export const crawlOutboxJob = defineJob({
  name: 'crawl-outbox',
  queue: 'federation',
  payload: z.object({ actorId: z.int() }),
  run: async ({ actorId }) => await crawlOutbox(actorId)
})
