import { z } from 'zod'
import { onEvent } from '../core/events.ts'
import { defineJob } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql } from '../core/sql.ts'
import { FetchError } from '../fediverse/remote-fetch.ts'
import { enqueueDuePlaylistElements } from './crawl-playlist-elements.job.ts'
import { crawlPlaylists } from './remote-playlists.ts'

/** Crawls the list of playlists of a remote actor. */
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
    await enqueueDuePlaylistElements()
  }
})

/** Crawls the playlists of every actor that a local actor begins to follow; called once at start. */
export function crawlPlaylistsOfNewFollows(): void {
  onEvent('follow.accepted', async ({ targetId }) => await crawlPlaylistsOfActorJob.enqueue({ actorId: targetId }))
}
