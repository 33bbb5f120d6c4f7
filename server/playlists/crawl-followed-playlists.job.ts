import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { runQuery, sql } from '../core/sql.ts'
import { enqueueDuePlaylistElements } from './crawl-playlist-elements.job.ts'
import { crawlPlaylistsOfActorJob } from './crawl-playlists-of-actor.job.ts'

/** Crawls the playlists of all remote actors that local actors follow, and the elements of those playlists that are due. */
export const crawlFollowedPlaylistsJob = defineJob({
  name: 'read-playlists',
  queue: 'federation',
  payload: z.object({}),
  every: () => config.federation.crawl.interval,
  run: async () => {
    if (!config.federation.enabled) return
    const followed = await runQuery<{ id: number }>(sql`
      SELECT DISTINCT a.id FROM actors a JOIN follows f ON f.target_id = a.id JOIN actors mine ON mine.id = f.actor_id
      WHERE a.playlists_url IS NOT NULL AND a.host IS NOT NULL AND mine.host IS NULL AND f.state = 'accepted'`)
    for (const { id } of followed) await crawlPlaylistsOfActorJob.enqueue({ actorId: id })
    await enqueueDuePlaylistElements()
  }
})
