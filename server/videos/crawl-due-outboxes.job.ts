import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { lastOutageEndSql } from '../fediverse/outages.ts'
import { crawlCheckInterval } from './crawl-interval.ts'
import { crawlOutboxJob } from './crawl.job.ts'

let isFirstRunDone = false

/**
 * Enqueues a crawl of the outbox of every remote actor with a local follower, once per `federation.crawl.interval`. The first run of a
 * process enqueues all of them, since activities may have been missed while it was down.
 */
export const crawlDueOutboxes = defineJob({
  name: 'repair',
  queue: 'federation',
  payload: z.object({}),
  every: () => crawlCheckInterval(),
  run: async () => {
    if (!config.federation.enabled) return
    const interval = isFirstRunDone ? config.federation.crawl.interval : 0
    isFirstRunDone = true
    const due = await runQuery<{ id: number }>(sql`
      SELECT DISTINCT a.id FROM actors a JOIN follows f ON f.target_id = a.id JOIN actors mine ON mine.id = f.actor_id
      WHERE a.host IS NOT NULL AND a.outbox_url IS NOT NULL AND mine.host IS NULL AND f.state = 'accepted'
        AND (a.outbox_read_at IS NULL OR a.outbox_next IS NOT NULL
          OR a.outbox_read_at <= greatest(now() - ${sqlInterval(interval)}, ${lastOutageEndSql}))`)
    for (const { id } of due) await crawlOutboxJob.enqueue({ actorId: id })
  }
})
