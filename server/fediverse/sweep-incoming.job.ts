import { z } from 'zod'
import { defineJob } from '../core/job.ts'
import { REPEATABLE_ACTIVITIES } from './accept-delivery.ts'
import { deleteProcessedActivities } from './incoming.query.ts'
import { sweepIneffectiveActivities } from './ineffective-activities.ts'
import { sweepObjectRefreshes } from './object-refreshes.ts'
import { sweepUndoneActivities } from './undone-activities.ts'
import { INBOX } from './inbox-internals.ts'

/** Deletes processed activities when they can no longer be replayed, and refreshes of objects that need no fetch any more. */
export const sweepIncoming = defineJob({
  name: 'sweep-incoming',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => INBOX.sweepInterval,
  run: async () => {
    await deleteProcessedActivities([...REPEATABLE_ACTIVITIES])
    await sweepIneffectiveActivities()
    await sweepUndoneActivities()
    await sweepObjectRefreshes()
  }
})
