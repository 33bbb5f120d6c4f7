import { Op } from 'sequelize'
import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { discardUpload } from './discard-upload.ts'
import { UploadModel } from './upload.model.ts'

/** Deletes uploads that received no chunk for `upload.expiration`. */
export const sweepUploads = defineJob({
  name: 'sweep-uploads',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.upload.sweep_interval,
  run: async () => {
    const expired = await UploadModel.findAll({ where: { expiresAt: { [Op.lt]: new Date() } } })
    for (const upload of expired) await discardUpload(upload)
    if (expired.length > 0) logger.info('Swept abandoned uploads', { count: expired.length })
  }
})
