import { z } from 'zod'
import { config } from '../core/config.ts'
import { job } from '../core/job.ts'
import { run, sql } from '../core/sql.ts'

/** Forgets copies of other instances whose time is over. */
export const sweepRedundancies = job({
  name: 'sweep-redundancies',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.remote_redundancy.videos.sweep_interval,
  run: async () => {
    await run(
      sql`DELETE FROM redundancies USING actors WHERE actors.id = redundancies.actor_id AND actors.host IS NOT NULL AND expires_at <= now()`
    )
  }
})
