import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { findLastOutageEnd } from '../fediverse/outages.ts'
import { refreshRemoteObjects } from '../fediverse/refresh-remote-objects.ts'
import { resolveActor } from './resolve-actor.ts'
import { removeExpiredRetiredKeys } from './retired-keys.ts'
import { REMOTE_ACTORS } from './actor-internals.ts'

/** The largest number of actors fetched in one run; the others follow in the next. */
const BATCH = 100

/**
 * Refetches remote actors that follow or are followed, once they are older than `federation.actors.refresh_after` or may have changed during
 * an outage; also removes expired keys of deleted local actors.
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
    const isStale = sql`(refreshed_at IS NULL OR refreshed_at < now() - ${sqlInterval(refresh_after)})`
    // In no order, so that those whose servers do not answer do not keep the others waiting.
    const due = await runQuery<{ url: string; stale: boolean }>(sql`
      SELECT url, ${isStale} AS stale FROM actors WHERE host IS NOT NULL AND (${isStale} OR refreshed_at < ${await findLastOutageEnd()})
        AND id IN (SELECT actor_id FROM follows UNION SELECT target_id FROM follows)
      ORDER BY random() LIMIT ${BATCH}`)
    await refreshRemoteObjects(due, signal, async ({ url, stale }) => await resolveActor(url, { refresh: !stale }))
  }
})
