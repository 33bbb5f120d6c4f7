import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { findLastOutageEnd } from '../fediverse/outages.ts'
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
    const outageEnd = await findLastOutageEnd()
    const isStale = sql`refreshed_at < now() - ${sqlInterval(config.federation.actors.refresh_after)}`
    const isNew = sql`remote AND gone_at IS NULL AND refresh_not_before IS NULL`
    // Four parts, so that each is a range of an index: very many may wait for a server that does not answer.
    const due = await runQuery<{ url: string }>(sql`
      (SELECT url FROM videos WHERE ${isNew} AND refreshed_at < ${outageEnd}
        ORDER BY published_at DESC NULLS LAST LIMIT ${CRAWL.refreshBatch})
      UNION
      (SELECT url FROM videos WHERE ${isNew} AND ${isStale} ORDER BY refreshed_at LIMIT ${CRAWL.refreshBatch})
      UNION
      (SELECT url FROM videos WHERE ${isNew} AND forbidden_since IS NOT NULL ORDER BY forbidden_since LIMIT ${CRAWL.refreshBatch})
      UNION
      (SELECT url FROM videos WHERE remote AND gone_at IS NULL AND refresh_not_before <= now()
          AND (${isStale} OR refreshed_at < ${outageEnd} OR forbidden_since IS NOT NULL)
        ORDER BY refresh_not_before LIMIT ${CRAWL.refreshBatch})`)
    await refreshRemoteObjects(due, signal, async ({ url }) => await resolveVideo(url, { refresh: true }))
  }
})
