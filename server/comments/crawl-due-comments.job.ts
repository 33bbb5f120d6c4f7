import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { findLastOutageEnd } from '../fediverse/outages.ts'
import { crawlCommentsJob } from './crawl-comments.job.ts'
import { CRAWL } from '../fediverse/crawl-internals.ts'

/**
 * Crawls the comments of remote videos that are new or were not crawled for `federation.actors.refresh_after`, and of those that may have got
 * some during an outage, the newest first.
 */
export const crawlDueCommentsJob = defineJob({
  name: 'read-comments-due',
  queue: 'federation',
  payload: z.object({}),
  every: () => Math.max(1000, config.federation.crawl.interval / 12),
  run: async () => {
    if (!config.federation.enabled) return
    const hasComments = sql`remote AND gone_at IS NULL AND forbidden_privacy IS NULL AND collections->>'comments' IS NOT NULL`
    // Three parts, so that each is a range of the index.
    const due = await runQuery<{ id: number; now: Date }>(sql`
      (SELECT id, now() AS now FROM (
        (SELECT id, 1 AS part, comments_read_at, published_at FROM videos WHERE ${hasComments} AND comments_read_at IS NULL
          ORDER BY published_at DESC LIMIT ${CRAWL.refreshBatch})
        UNION ALL
        (SELECT id, 2, comments_read_at, published_at FROM videos WHERE ${hasComments}
            AND comments_read_at < now() - ${sqlInterval(config.federation.actors.refresh_after)}
          ORDER BY comments_read_at, published_at DESC LIMIT ${CRAWL.refreshBatch})
      ) old ORDER BY part, comments_read_at, published_at DESC LIMIT ${CRAWL.refreshBatch})
      UNION
      (SELECT id, now() FROM videos WHERE ${hasComments} AND comments_read_at < ${await findLastOutageEnd()}
        ORDER BY published_at DESC NULLS LAST LIMIT ${CRAWL.refreshBatch})`)
    for (const { id, now } of due) await crawlCommentsJob.enqueue({ videoId: id, onlyIfReadBefore: now.toISOString() })
  }
})
