import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { VIDEO_FEDERATION } from './federation-internals.ts'
import { federateVideo } from './video.outbox.ts'

/** So many times the batch are looked through for videos that have their torrents. */
const LOOK_AHEAD = 100

/**
 * Sends the Updates that are owed because an upgrade changed what is announced of many videos, a few at a time; each when the video has its
 * torrents, so that it needs no second one.
 */
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
        WHERE update_due AND id IN (
          SELECT id FROM (SELECT id FROM videos WHERE update_due ORDER BY id LIMIT ${VIDEO_FEDERATION.dueUpdatesBatch * LOOK_AHEAD}) owed
          WHERE NOT EXISTS (SELECT FROM streaming_playlists p JOIN video_files f ON f.streaming_playlist_id = p.id
            WHERE p.video_id = owed.id AND f.torrents_due_at <= now() AND NOT f.growing)
          ORDER BY id LIMIT ${VIDEO_FEDERATION.dueUpdatesBatch})
        RETURNING id`,
        tx
      )
      for (const { id } of due) await federateVideo(id, tx)
    })
  }
})
