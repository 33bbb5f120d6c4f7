import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { FetchError } from '../fediverse/remote-fetch.ts'
import { resolveVideo } from './resolve-video.ts'
import { deleteExpiredGoneVideos } from './retention.ts'
import { REMOTE_ACTORS } from '../actors/actor-internals.ts'
import { CRAWL } from '../fediverse/crawl-internals.ts'

/** Fetches stale remote videos from their origins again, the least recently refreshed first, and deletes expired gone videos. */
export const refreshRemoteVideos = defineJob({
  name: 'refresh-videos',
  queue: 'federation',
  payload: z.object({}),
  every: () => REMOTE_ACTORS.refreshInterval,
  run: async (_, { signal }) => {
    await deleteExpiredGoneVideos()
    const isDue = sql`remote AND gone_at IS NULL AND coalesce(refresh_not_before, '-infinity') <= now()`
    // Two parts, so that each is read by its index.
    const stale = await runQuery<{ url: string }>(sql`
      (SELECT url FROM videos WHERE ${isDue} AND refreshed_at < now() - ${sqlInterval(config.federation.actors.refresh_after)}
        ORDER BY refreshed_at LIMIT ${CRAWL.refreshBatch})
      UNION
      (SELECT url FROM videos WHERE ${isDue} AND forbidden_since IS NOT NULL ORDER BY forbidden_since LIMIT ${CRAWL.refreshBatch})`)
    for (const { url } of stale) {
      if (signal.aborted) return
      await resolveVideo(url, { refresh: true }).catch((error: unknown) => {
        if (!(error instanceof FetchError)) throw error
      })
    }
  }
})
