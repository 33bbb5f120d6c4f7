import { z } from 'zod'
import { config } from '../core/config.ts'
import { onEvent } from '../core/events.ts'
import { defineJob } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql } from '../core/sql.ts'
import { FetchError } from '../fediverse/remote-fetch.ts'
import { crawlPlaylists, fetchPlaylistElements } from './remote-playlists.ts'

/** Reads what is in one playlist of another server. */
export const crawlPlaylistElementsJob = defineJob({
  name: 'read-playlist',
  queue: 'federation',
  payload: z.object({ playlistId: z.int() }),
  run: async ({ playlistId }) => await fetchPlaylistElements(playlistId)
})

/** Reads which playlists a remote actor has. */
export const crawlPlaylistsOfActorJob = defineJob({
  name: 'read-playlists-of',
  queue: 'federation',
  payload: z.object({ actorId: z.int() }),
  run: async ({ actorId }) => {
    const [actor] = await runQuery<{ id: number; url: string; playlists_url: string }>(
      sql`SELECT id, url, playlists_url FROM actors WHERE id = ${actorId} AND host IS NOT NULL AND playlists_url IS NOT NULL`
    )
    if (!actor) return
    await crawlPlaylists(actor).catch((error: unknown) => {
      if (!(error instanceof FetchError)) throw error
      logger.debug('The playlists of an actor could not be read', { actor: actor.url, reason: error.message })
    })
    await enqueueDue()
  }
})

/** Reads the playlists of all whom somebody here follows, and what is in those that are due. */
export const crawlFollowedPlaylistsJob = defineJob({
  name: 'read-playlists',
  queue: 'federation',
  payload: z.object({}),
  every: () => config.federation.crawl.interval,
  run: async () => {
    if (!config.federation.enabled) return
    const followed = await runQuery<{ id: number }>(sql`
      SELECT DISTINCT a.id FROM actors a JOIN follows f ON f.target_id = a.id JOIN actors mine ON mine.id = f.actor_id WHERE a.playlists_url IS NOT NULL AND a.host IS NOT NULL AND mine.host IS NULL AND f.state = 'accepted'`)
    for (const { id } of followed) await crawlPlaylistsOfActorJob.enqueue({ actorId: id })
    await enqueueDue()
  }
})

/** Connects the reading with new follows; called once at start. */
export function crawlPlaylistsOfNewFollows(): void {
  onEvent('follow.accepted', async ({ targetId }) => await crawlPlaylistsOfActorJob.enqueue({ actorId: targetId }))
}

async function enqueueDue(): Promise<void> {
  const due = await runQuery<{ id: number }>(
    sql`SELECT id FROM playlists WHERE remote AND elements_due IS NOT NULL ORDER BY elements_due LIMIT ${config.federation.crawl.refresh_batch}`
  )
  for (const { id } of due) await crawlPlaylistElementsJob.enqueue({ playlistId: id })
}
