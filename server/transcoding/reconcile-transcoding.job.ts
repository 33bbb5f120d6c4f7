import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob, openQueue } from '../core/job.ts'
import { isClassLockHeld } from '../core/locks.ts'
import { runQuery, sql } from '../core/sql.ts'
import { isTranscodingDue } from './queue-order.query.ts'
import { transcodeVideos } from './transcode-videos.job.ts'

/** Wakes the workers for encodings that their rows say are open and that nobody works on (law 1). */
export async function enqueueOpenTranscodings(): Promise<void> {
  const [{ open }] = (await runQuery<{ open: number }>(sql`
    SELECT count(*)::int AS open FROM transcodings t WHERE state IN ('waiting', 'running') AND ${isTranscodingDue(sql`not_before`)}
      AND NOT ${isClassLockHeld('TRANSCODING', sql`t.video_id`)}`)) as [{ open: number }]
  if (open === 0) return
  // Each job goes on with the next encoding by itself, so a few are enough.
  const wanted = Math.min(open, config.transcoding.max_begun)
  const waiting = await (await openQueue('transcoding')).getJobCountByTypes('waiting', 'prioritized')
  for (let index = waiting; index < wanted; index++) await transcodeVideos.enqueue({})
}

/** Runs the reconciler on a timer: Redis may have been wiped. */
export const reconcileTranscoding = defineJob({
  name: 'reconcile-transcoding',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.transcoding.reconcile_interval,
  run: async () => await enqueueOpenTranscodings()
})
