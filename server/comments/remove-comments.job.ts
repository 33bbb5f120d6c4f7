import { z } from 'zod'
import { defineJob } from '../core/job.ts'
import { finishCommentRemovals } from './comment-removals.ts'

/** Milliseconds. */
const INTERVAL = 5000

/** Deletes the rest of the comments of accounts whose comments are to be deleted. */
export const removeCommentsJob = defineJob({
  name: 'remove-comments',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => INTERVAL,
  run: async (_, { signal }) => await finishCommentRemovals(signal)
})
