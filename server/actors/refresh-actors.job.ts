import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import { FetchError } from '../fediverse/remote-fetch.ts'
import { resolveActor } from './resolve-actor.ts'

/** So many actors are asked for at most in one run; the rest are due at the next. */
const BATCH = 100

/** Asks anew for actors whose follows tie them to this instance, and forgets the keys of those of ours who are long gone. */
export const refreshRemoteActors = defineJob({
  name: 'refresh-actors',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.federation.actors.refresh_interval,
  run: async (_payload, { signal }) => {
    const {
      outbox: { keep },
      actors: { refresh_after },
      enabled
    } = config.federation
    await runQuery(sql`DELETE FROM retired_keys WHERE created_at < now() - 2 * ${seconds(keep)}`)
    if (!enabled) return
    const due = await runQuery<{ url: string }>(sql`
      SELECT url FROM actors WHERE host IS NOT NULL AND (refreshed_at IS NULL OR refreshed_at < now() - ${seconds(refresh_after)})
        AND EXISTS (SELECT 1 FROM follows WHERE actors.id IN (follows.actor_id, follows.target_id)) ORDER BY refreshed_at NULLS FIRST LIMIT ${BATCH}`)
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

const seconds = (ms: number): Sql => sql`make_interval(secs => ${ms / 1000}::double precision)`
