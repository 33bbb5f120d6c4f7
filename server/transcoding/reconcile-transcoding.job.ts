import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob, openQueue } from '../core/job.ts'
import { isClassLockHeld } from '../core/locks.ts'
import { runQuery, sql } from '../core/sql.ts'
import { isTranscodingDue } from './queue-order.query.ts'
import { transcodeVideos } from './transcode-videos.job.ts'

/** Enqueues jobs for open encodings that no worker runs (ARCHITECTURE.md, rule 1). */
export async function enqueueOpenTranscodings(): Promise<void> {
  const [{ open }] = (await runQuery<{ open: number }>(sql`
    SELECT count(*)::int AS open FROM transcodings t WHERE state IN ('waiting', 'running') AND ${isTranscodingDue(sql`not_before`)}
      AND NOT ${isClassLockHeld('TRANSCODING', sql`t.video_id`)}`)) as [{ open: number }]
  if (open === 0) return
  // Each job continues with the next encoding by itself, so a few are enough.
  const neededJobs = Math.min(open, config.transcoding.max_begun)
  const waitingJobs = await (await openQueue('transcoding')).getJobCountByTypes('waiting', 'prioritized')
  for (let index = waitingJobs; index < neededJobs; index++) await transcodeVideos.enqueue({})
}

/** Runs `enqueueOpenTranscodings` on a timer: Redis may have been wiped. */
export const reconcileTranscoding = defineJob({
  name: 'reconcile-transcoding',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.transcoding.reconcile_interval,
  run: async () => await enqueueOpenTranscodings()
})
