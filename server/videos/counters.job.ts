import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { runQuery, sql } from '../core/sql.ts'
import { federateVideoCounters } from './video.outbox.ts'
import { VIDEO_FEDERATION } from './federation-internals.ts'

/** Sends the due counters (views, likes, dislikes) of local videos to other servers. */
export const sendDueCounters = defineJob({
  name: 'tell-counters',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => VIDEO_FEDERATION.countersInterval / 4,
  run: async () => {
    if (!config.federation.enabled) return
    const due = await runQuery<{ id: number }>(sql`SELECT id FROM videos WHERE counters_due_at <= now() ORDER BY counters_due_at`)
    for (const { id } of due) await federateVideoCounters(id)
  }
})
