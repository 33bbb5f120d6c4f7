import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { REPEATABLE_ACTIVITIES } from './accept-delivery.ts'
import { deleteProcessedActivities } from './incoming.query.ts'

/** Deletes processed activities when they can no longer be replayed. */
export const sweepIncoming = defineJob({
  name: 'sweep-incoming',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.federation.inbox.sweep_interval,
  run: async () => await deleteProcessedActivities([...REPEATABLE_ACTIVITIES])
})
