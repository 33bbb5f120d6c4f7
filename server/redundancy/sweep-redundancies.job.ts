import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { runQuery, sql } from '../core/sql.ts'

/** Deletes the expired copies of other instances. */
export const sweepRedundancies = defineJob({
  name: 'sweep-redundancies',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.remote_redundancy.videos.sweep_interval,
  run: async () => {
    await runQuery(
      sql`DELETE FROM redundancies USING actors WHERE actors.id = redundancies.actor_id AND actors.host IS NOT NULL AND expires_at <= now()`
    )
  }
})
