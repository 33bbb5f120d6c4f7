import { z } from 'zod'
import { defineJob } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql } from '../core/sql.ts'
import { transaction } from '../core/transaction.ts'
import { RENAMES } from './rename-internals.ts'
import { renameHlsFiles } from './rename-video-files.ts'
import { federateVideo } from './video.outbox.ts'

/** Gives the HLS files of videos that were closed to the public while they were transcoded their new names, once that has ended. */
export const renameFilesJob = defineJob({
  name: 'rename-files',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => RENAMES.interval,
  run: async (_, { signal }) => {
    const due = await runQuery<{ id: number; uuid: string }>(sql`
      SELECT v.id, v.uuid FROM streaming_playlists p JOIN videos v ON v.id = p.video_id WHERE p.rename_due
        AND NOT EXISTS (SELECT FROM transcodings t WHERE t.video_id = v.id AND t.state IN ('waiting', 'running'))`)
    for (const { id, uuid } of due) {
      if (signal.aborted) return
      try {
        await transaction(async tx => {
          await runQuery(sql`SELECT FROM videos WHERE id = ${id} FOR UPDATE`, tx)
          // It may be open again.
          if (await renameHlsFiles({ id, uuid }, tx)) await federateVideo(id, tx)
        })
      } catch (error) {
        logger.warn('The files of a video could not be renamed', { uuid, error })
      }
    }
  }
})
