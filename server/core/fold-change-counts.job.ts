import { z } from 'zod'
import { defineJob } from './job.ts'
import { foldChangeCounts } from './versioned-cache.ts'

/** Milliseconds: connections that are idle for half a minute are closed, so that a busy instance has some hundred new backends meanwhile. */
const INTERVAL = 120_000

/** Keeps the table of changes small, which every cached answer reads: it has a row for each backend that ever was. */
export const foldChangeCountsJob = defineJob({
  name: 'fold-changes',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => INTERVAL,
  run: async () => await foldChangeCounts()
})
