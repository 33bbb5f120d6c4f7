import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { runQuery, sql } from '../core/sql.ts'
import { crawlCheckInterval } from './crawl-interval.ts'
import { fetchVideoCollections } from './fetch-video-collections.job.ts'
import { CRAWL } from '../fediverse/crawl-internals.ts'

/** Enqueues `fetchVideoCollections` for every video that is due, since an event or the job it enqueued may have been lost. */
export const fetchDueVideoCollections = defineJob({
  name: 'fetch-around-due',
  queue: 'federation',
  payload: z.object({}),
  every: () => crawlCheckInterval(),
  run: async () => {
    if (!config.federation.enabled) return
    const due = await runQuery<{ id: number }>(sql`
      SELECT id FROM videos WHERE around_due_at <= now() AND gone_at IS NULL
      ORDER BY around_due_at LIMIT ${CRAWL.refreshBatch}`)
    for (const { id } of due) await fetchVideoCollections.enqueue({ videoId: id })
  }
})
