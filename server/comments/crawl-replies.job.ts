import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { lastOutageEndSql } from '../fediverse/outages.ts'
import { refreshRemoteObjects } from '../fediverse/refresh-remote-objects.ts'
import { CRAWL } from '../fediverse/crawl-internals.ts'
import { RetryDelays } from '../fediverse/retry-delays.ts'
import { crawlReplies } from './crawl-replies.ts'
import { COMMENT_REPAIR, commentRetryLimits } from './repair-internals.ts'

const retryDelays = new RetryDelays(commentRetryLimits)

/**
 * Reads recent comments of other servers below videos of this one again, with their replies: some time after they were received, then every
 * `federation.actors.refresh_after`, and after an outage.
 */
export const crawlDueRepliesJob = defineJob({
  name: 'read-replies',
  queue: 'federation',
  payload: z.object({}),
  every: () => CRAWL.refreshInterval,
  run: async (_, { signal }) => {
    if (!config.federation.enabled) return
    const { maxCommentAge, firstReadAfter } = COMMENT_REPAIR
    const due = await runQuery<{ id: number; url: string }>(sql`
      SELECT c.id, c.url FROM comments c
      WHERE c.remote_below_local AND c.deleted_at IS NULL AND c.created_at > now() - ${sqlInterval(maxCommentAge)}
        AND c.id <> ALL(${retryDelays.waiting()}::int[])
        AND (coalesce(c.replies_read_at, c.created_at) < ${lastOutageEndSql}
          OR coalesce(c.replies_read_at < now() - ${sqlInterval(config.federation.actors.refresh_after)},
            c.created_at < now() - ${sqlInterval(firstReadAfter)}))
      ORDER BY c.created_at DESC LIMIT ${CRAWL.refreshBatch}`)
    await refreshRemoteObjects(due, signal, async comment => await retryDelays.attempt(comment.id, async () => await crawlReplies(comment)))
  }
})
