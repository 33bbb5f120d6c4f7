import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { lastOutageEndSql } from '../fediverse/outages.ts'
import { refreshRemoteObjects } from '../fediverse/refresh-remote-objects.ts'
import { CRAWL } from '../fediverse/crawl-internals.ts'
import { RetryDelays } from '../fediverse/retry-delays.ts'
import { crawlCommenterOutbox } from './crawl-commenters.ts'
import { COMMENT_REPAIR, commentRetryLimits } from './repair-internals.ts'

const retryDelays = new RetryDelays(commentRetryLimits)

/**
 * Reads what people of other servers who commented below videos of this one wrote lately: every `federation.actors.refresh_after`, and after
 * an outage.
 */
export const crawlDueCommentersJob = defineJob({
  name: 'read-commenters',
  queue: 'federation',
  payload: z.object({}),
  // The query looks at everybody who commented.
  every: () => 5 * CRAWL.refreshInterval,
  run: async (_, { signal }) => {
    if (!config.federation.enabled) return
    const due = await runQuery<{ id: number; url: string; outbox: string }>(sql`
      SELECT a.id, a.url, a.outbox_url AS outbox FROM actors a JOIN accounts ON accounts.actor_id = a.id
      WHERE accounts.id IN (SELECT account_id FROM comments
          WHERE remote_below_local AND created_at > now() - ${sqlInterval(COMMENT_REPAIR.maxCommenterAge)})
        AND a.host IS NOT NULL AND a.outbox_url IS NOT NULL AND a.id <> ALL(${retryDelays.waiting()}::int[])
        AND coalesce(a.notes_read_at < greatest(now() - ${sqlInterval(config.federation.actors.refresh_after)}, ${lastOutageEndSql}), true)
      ORDER BY a.id DESC LIMIT ${CRAWL.refreshBatch}`)
    await refreshRemoteObjects(
      due,
      signal,
      async actor => await retryDelays.attempt(actor.id, async () => await crawlCommenterOutbox(actor))
    )
  }
})
