import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { deleteExpiredViewMarks } from './count-views.ts'

/** Deletes the marks of counted viewers that are older than `views.videos.view_expiration`. */
export const sweepViewMarks = defineJob({
  name: 'sweep-views',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.views.videos.view_expiration,
  run: async () => await deleteExpiredViewMarks()
})
