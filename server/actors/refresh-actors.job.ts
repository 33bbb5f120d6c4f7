import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { FetchError } from '../fediverse/remote-fetch.ts'
import { resolveActor } from './resolve-actor.ts'
import { removeExpiredRetiredKeys } from './retired-keys.ts'
import { REMOTE_ACTORS } from './actor-internals.ts'

/** The largest number of actors fetched in one run; the others follow in the next. */
const BATCH = 100

/**
 * Refetches remote actors that follow or are followed, once they are older than `federation.actors.refresh_after`; also removes expired
 * keys of deleted local actors.
 */
export const refreshRemoteActors = defineJob({
  name: 'refresh-actors',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => REMOTE_ACTORS.refreshInterval,
  run: async (_payload, { signal }) => {
    const {
      actors: { refresh_after },
      enabled
    } = config.federation
    await removeExpiredRetiredKeys()
    if (!enabled) return
    const due = await runQuery<{ url: string }>(sql`
      SELECT url FROM actors WHERE host IS NOT NULL AND (refreshed_at IS NULL OR refreshed_at < now() - ${sqlInterval(refresh_after)})
        AND EXISTS (SELECT 1 FROM follows WHERE actors.id IN (follows.actor_id, follows.target_id))
      ORDER BY refreshed_at NULLS FIRST LIMIT ${BATCH}`)
    for (const { url } of due) {
      if (signal.aborted) return
      try {
        await resolveActor(url)
      } catch (error) {
        if (!(error instanceof FetchError)) throw error
        logger.debug('An actor could not be refreshed', { url, reason: error.message })
      }
    }
  }
})
