import { z } from 'zod'
import { config } from '../core/config.ts'
import { onEvent } from '../core/events.ts'
import { defineJob } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql } from '../core/sql.ts'
import { FetchError } from '../fediverse/remote-fetch.ts'
import { crawlComments } from './crawl-comments.ts'

/** Reads the comments below one remote video from its origin. */
export const crawlCommentsJob = defineJob({
  name: 'read-comments',
  queue: 'federation',
  payload: z.object({ videoId: z.int() }),
  run: async ({ videoId }) => {
    await crawlComments(videoId).catch((error: unknown) => {
      if (!(error instanceof FetchError)) throw error
      logger.debug('The comments below a video could not be read', { videoId, reason: error.message })
    })
  }
})

/** Reads the comments of videos that are new here or were not asked about for `federation.actors.refresh_after`. */
export const crawlDueCommentsJob = defineJob({
  name: 'read-comments-due',
  queue: 'federation',
  payload: z.object({}),
  every: () => Math.max(1000, config.federation.crawl.interval / 12),
  run: async () => {
    if (!config.federation.enabled) return
    const due = await runQuery<{ id: number }>(sql`
      SELECT id FROM videos WHERE remote AND gone_at IS NULL AND collections->>'comments' IS NOT NULL
        AND (comments_read_at IS NULL OR comments_read_at < now() - make_interval(secs => ${config.federation.actors.refresh_after / 1000}::double precision))
      ORDER BY comments_read_at NULLS FIRST, published_at DESC LIMIT ${config.federation.crawl.refresh_batch}`)
    for (const { id } of due) await crawlCommentsJob.enqueue({ videoId: id })
  }
})

/** Reads the comments of every video that comes in; called once at start. */
export function crawlCommentsOfNewVideos(): void {
  onEvent('video.received', async ({ videoId, isNew }) => {
    if (isNew) await crawlCommentsJob.enqueue({ videoId })
  })
}
