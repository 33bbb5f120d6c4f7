import { z } from 'zod'
import { config } from '../core/config.ts'
import { job, queue } from '../core/job.ts'
import { isClassLockHeld } from '../core/locks.ts'
import { run, sql } from '../core/sql.ts'
import { isDue } from './queue-order.query.ts'
import { transcode } from './transcode-videos.job.ts'

/** Wakes the workers for encodings that their rows say are open and that nobody works on (law 1). */
export async function reconcileNow(): Promise<void> {
  const [{ open }] = (await run<{ open: number }>(sql`
    SELECT count(*)::int AS open FROM transcodings t WHERE state IN ('waiting', 'running') AND ${isDue(sql`not_before`)}
      AND NOT ${isClassLockHeld('TRANSCODING', sql`t.video_id`)}`)) as [{ open: number }]
  if (open === 0) return
  // Each job goes on with the next encoding by itself, so a few are enough.
  const wanted = Math.min(open, config.transcoding.max_begun)
  const waiting = await (await queue('transcoding')).getJobCountByTypes('waiting', 'prioritized')
  for (let index = waiting; index < wanted; index++) await transcode.enqueue({})
}

/** Runs the reconciler on a timer: Redis may have been wiped. */
export const reconcile = job({
  name: 'reconcile-transcoding',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.transcoding.reconcile_interval,
  run: async () => await reconcileNow()
})
