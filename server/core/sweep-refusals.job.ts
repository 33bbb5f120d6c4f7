import { z } from 'zod'
import { defineJob } from './job.ts'
import { removeOldRefusals } from './rate-limit-refusals.ts'

/** Milliseconds. */
const INTERVAL = 3_600_000

/** Removes the addresses of refused requests that the health page no longer shows. */
export const sweepRefusals = defineJob({
  name: 'sweep-refusals',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => INTERVAL,
  run: removeOldRefusals
})
