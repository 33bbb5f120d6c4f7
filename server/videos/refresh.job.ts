import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { lastOutageEndSql } from '../fediverse/outages.ts'
import { refreshRemoteObjects } from '../fediverse/refresh-remote-objects.ts'
import { resolveVideo } from './resolve-video.ts'
import { deleteExpiredGoneVideos } from './retention.ts'
import { CRAWL } from '../fediverse/crawl-internals.ts'

/**
 * Fetches remote videos from their origins again: those that may have changed during an outage, the newest first, then the stale ones, the
 * least recently refreshed first. Also deletes expired gone videos.
 */
export const refreshRemoteVideos = defineJob({
  name: 'refresh-videos',
  queue: 'federation',
  payload: z.object({}),
  every: () => CRAWL.refreshInterval,
  run: async (_, { signal }) => {
    await deleteExpiredGoneVideos()
    const isDue = sql`remote AND gone_at IS NULL AND coalesce(refresh_not_before, '-infinity') <= now()`
    // Three parts, so that each is read by its index.
    const due = await runQuery<{ url: string }>(sql`
      (SELECT url FROM videos WHERE ${isDue} AND refreshed_at < ${lastOutageEndSql}
        ORDER BY published_at DESC NULLS LAST LIMIT ${CRAWL.refreshBatch})
      UNION
      (SELECT url FROM videos WHERE ${isDue} AND refreshed_at < now() - ${sqlInterval(config.federation.actors.refresh_after)}
        ORDER BY refreshed_at LIMIT ${CRAWL.refreshBatch})
      UNION
      (SELECT url FROM videos WHERE ${isDue} AND forbidden_since IS NOT NULL ORDER BY forbidden_since LIMIT ${CRAWL.refreshBatch})`)
    await refreshRemoteObjects(due, signal, async ({ url }) => await resolveVideo(url, { refresh: true }))
  }
})
