import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { VIDEO_FEDERATION } from './federation-internals.ts'
import { federateVideo } from './video.outbox.ts'

/** Sends the Updates that are owed because an upgrade changed what is announced of many videos, a few at a time. */
export const sendDueUpdates = defineJob({
  name: 'send-due-updates',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => VIDEO_FEDERATION.dueUpdatesInterval,
  run: async () => {
    if (!config.federation.enabled) return
    await transaction(async tx => {
      const due = await runQuery<{ id: number }>(
        sql`
        UPDATE videos SET update_due = false
        WHERE id IN (SELECT id FROM videos WHERE update_due ORDER BY id LIMIT ${VIDEO_FEDERATION.dueUpdatesBatch} FOR UPDATE SKIP LOCKED)
        RETURNING id`,
        tx
      )
      for (const { id } of due) await federateVideo(id, tx)
    })
  }
})
