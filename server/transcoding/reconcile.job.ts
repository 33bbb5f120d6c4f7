import { z } from 'zod'
import { config } from '../core/config.ts'
import { job, queue } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { run, sql } from '../core/sql.ts'
import { LOCK, transcode } from './transcode.job.ts'

/** Queues every encoding that its row says is open and that neither waits in Redis nor is being worked on (law 1). */
export async function reconcileNow(): Promise<void> {
  const open = await run<{ video_id: number }>(sql`
    SELECT video_id FROM transcodings t WHERE state IN ('waiting', 'running') AND not_before <= now()
      AND NOT EXISTS (SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.classid = ${LOCK} AND l.objid = t.video_id)
    ORDER BY not_before`)
  if (open.length === 0) return
  const waiting = new Set((await (await queue('transcoding')).getJobs(['waiting', 'prioritized', 'delayed'])).map(one => one.data?.videoId as number))
  for (const { video_id: videoId } of open) {
    if (waiting.has(videoId)) continue
    logger.info('An encoding is taken up again', { videoId })
    await transcode.enqueue({ videoId })
  }
}

/** Runs the reconciler on a timer: Redis may have been wiped. */
export const reconcile = job({
  name: 'reconcile-transcoding',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.transcoding.reconcile_interval,
  run: async () => await reconcileNow()
})
