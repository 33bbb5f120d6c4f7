import { z } from 'zod'
import { Op } from 'sequelize'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql } from '../core/sql.ts'
import { discardUpload } from './discard-upload.ts'
import { UploadModel } from './upload.model.ts'

/**
 * Deletes resumable uploads that received nothing for `upload.expiration`, the responses of finished ones after a day, and the reservations of
 * uploads whose process died.
 */
export const sweepUploads = defineJob({
  name: 'sweep-uploads',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.upload.sweep_interval,
  run: async () => {
    await runQuery(sql`DELETE FROM upload_reservations WHERE expires_at < now()`)
    let count = 0
    // Those that receive something meanwhile stay.
    for (const upload of await UploadModel.findAll({ where: { expiresAt: { [Op.lt]: new Date() } } }))
      if ((await discardUpload(upload, sql`expires_at < now()`)) && upload.videoId === null) count++
    if (count > 0) logger.info('Swept abandoned uploads', { count })
  }
})
