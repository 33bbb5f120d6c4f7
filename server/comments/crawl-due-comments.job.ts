import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { crawlCommentsJob } from './crawl-comments.job.ts'
import { CRAWL } from '../fediverse/crawl-internals.ts'

/** Crawls the comments of remote videos that are new or were not crawled for `federation.actors.refresh_after`. */
export const crawlDueCommentsJob = defineJob({
  name: 'read-comments-due',
  queue: 'federation',
  payload: z.object({}),
  every: () => Math.max(1000, config.federation.crawl.interval / 12),
  run: async () => {
    if (!config.federation.enabled) return
    const due = await runQuery<{ id: number }>(sql`
      SELECT id FROM videos WHERE remote AND gone_at IS NULL AND forbidden_privacy IS NULL AND collections->>'comments' IS NOT NULL
        AND (comments_read_at IS NULL
          OR comments_read_at < now() - ${sqlInterval(config.federation.actors.refresh_after)})
      ORDER BY comments_read_at NULLS FIRST, published_at DESC LIMIT ${CRAWL.refreshBatch}`)
    for (const { id } of due) await crawlCommentsJob.enqueue({ videoId: id })
  }
})
