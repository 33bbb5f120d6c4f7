import { z } from 'zod'
import { onEvent } from '../core/events.ts'
import { defineJob } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { FetchError } from '../fediverse/remote-fetch.ts'
import { crawlComments } from './crawl-comments.ts'

/** Crawls the comments of one remote video at its origin, unless they were read since a time. */
export const crawlCommentsJob = defineJob({
  name: 'read-comments',
  queue: 'federation',
  payload: z.object({ videoId: z.int(), onlyIfReadBefore: z.iso.datetime().optional() }),
  run: async ({ videoId, onlyIfReadBefore }) => {
    await crawlComments(videoId, onlyIfReadBefore === undefined ? new Date() : new Date(onlyIfReadBefore)).catch((error: unknown) => {
      if (!(error instanceof FetchError)) throw error
      logger.debug('The comments below a video could not be read', { videoId, reason: error.message })
    })
  }
})

/** Crawls the comments of every remote video when it is first received; called once at start. */
export function crawlCommentsOfNewVideos(): void {
  onEvent('video.received', async ({ videoId, isNew }) => {
    if (isNew) await crawlCommentsJob.enqueue({ videoId })
  })
}
